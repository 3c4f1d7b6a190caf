"""What is wanted of a rebalance, what there is, and what is done about it."""

from __future__ import annotations

import typing

from ansible_collections.cistern.core.plugins.module_utils.citus.contract import Cluster, Move, Node


class Want(typing.TypedDict):
    nodes: list[Node]
    stop: bool
    strategy: str
    shard_transfer_mode: str
    seconds: int
    poll: int


class Have(Cluster):
    # those that the server plans
    moves: list[Move]


class _Do(typing.TypedDict):
    do: str


_FromTo = typing.TypedDict("_FromTo", {"from": str, "to": str}, total=False)


class Step(_Do, _FromTo, total=False):
    job: int
    tables: list[str]
    bytes: int
