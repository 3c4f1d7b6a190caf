"""What is wanted of the nodes of a cluster, what there is, and what is done about it."""

from __future__ import annotations

import typing

from ansible_collections.cistern.core.plugins.module_utils.citus.contract import Cluster, Node


class Worker(Node):
    state: str
    shards: bool


class Want(typing.TypedDict):
    coordinator: Node
    nodes: list[Worker]
    rebalance: bool
    shard_transfer_mode: str
    # by endpoint
    free_bytes: dict[str, int]
    seconds: int
    poll: int
    prove: bool
    check: bool


class Have(Cluster):
    # the moves that a rebalance would make now
    uneven: int


class _Do(typing.TypedDict):
    do: str


class Step(_Do, total=False):
    endpoint: str
    was: str | None
    # nodes that are emptied
    off: list[str]
    bytes: int
    rebalance: bool
