"""What a Citus cluster says of itself; an endpoint is "address port", as the cluster has written it."""

from __future__ import annotations

import typing


class Node(typing.TypedDict):
    host: str
    address: str
    port: int


class NodeState(typing.TypedDict):
    # 0 is the coordinator's
    group: int | None
    active: bool
    # it has the metadata
    synced: bool
    # it may hold shards
    takes: bool


class Answer(typing.TypedDict):
    ok: bool
    message: str
    extension: str | None
    wal_level: str | None


class Local(Answer):
    name: str


class Shards(typing.TypedDict):
    count: int
    # None where not every node answers
    bytes: int | None


class Job(typing.TypedDict):
    id: int
    state: str


class Server(typing.TypedDict):
    extension: str
    group: int
    port: int


class Cluster(Server):
    nodes: dict[str, NodeState]
    job: Job | None
    answers: dict[str, Answer]
    shards: dict[str, Shards]
    # tables whose rows logical replication cannot tell apart
    bare: list[str]
    local: Local


_FromTo = typing.TypedDict("_FromTo", {"from": str, "to": str})


class Move(_FromTo):
    tables: list[str]
    bytes: int
