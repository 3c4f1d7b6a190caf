"""What a deployment is, and what its servers and Sentinels report."""

from __future__ import annotations

import typing


class Node(typing.TypedDict):
    host: str
    address: str
    port: int


class Deployment(typing.TypedDict, total=False):
    """It is empty for an instance of its own. `me` and `initial` are endpoints, "address port"."""

    name: str
    mode: str
    me: str | None
    initial: str | None
    nodes: list[Node]
    sentinels: list[Node]


class User(typing.TypedDict):
    name: str
    rules: str
    path: str


class _Answers(typing.TypedDict):
    answers: bool


class NodeState(_Answers, total=False):
    """Offsets are in bytes of the replication stream; one that does not answer has a `why` alone."""

    why: str
    role: str
    of: str | None
    link: bool
    syncs: bool
    loading: bool
    offset: int
    keys: int
    # the identity of its data, and the one before it was promoted, valid up to the offset `shared`
    history: list[str | None]
    shared: int
    priority: int
    replicas: list[str]
    version: str
    run_id: str
    # as a switchover looks at them
    settings: dict[str, int]


class ReplicaSeen(typing.TypedDict):
    priority: int
    age: int
    flags: list[str]


class _Watches(_Answers):
    primary: str | None
    flags: list[str]
    replicas: list[str]


class SentinelState(_Watches, total=False):
    why: str
    # as a switchover looks at them: what it would make of a failover; an empty `quorum` is a good one
    quorum: str
    tilt: bool
    knows: dict[str, ReplicaSeen]


class View(typing.TypedDict):
    """Each by its endpoint."""

    nodes: dict[str, NodeState]
    sentinels: dict[str, SentinelState]
