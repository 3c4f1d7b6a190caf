"""What is wanted of tables, what there is, and what is done about it; a name has its schema."""

from __future__ import annotations

import typing

from ansible_collections.cistern.core.plugins.module_utils.citus.contract import Server


class Table(typing.TypedDict):
    type: str
    column: str | None
    colocate_with: str | None
    shard_count: int | None


# As somebody has written it: what is left out is usual.
Want = dict[str, dict[str, typing.Any]]


class Group(typing.TypedDict):
    """Tables with one head lie together."""

    head: str
    default: bool
    shards: int | None


class Unique(typing.TypedDict):
    name: str
    primary: bool
    columns: list[str]


class Found(typing.TypedDict):
    oid: int
    quoted: str
    bytes: int
    identified: bool
    partition_of: str | None
    colocation: int | None
    column: str | None
    shards: int | None
    # a table, or another thing that has a name as one
    kind: str
    type: str
    # one of Citus' own local tables
    managed: bool
    columns: dict[str, str]
    unique: list[Unique]


class Key(typing.TypedDict):
    name: str
    table: str
    to: str
    columns: list[str]
    to_columns: list[str]


class Have(Server):
    tables: dict[str, Found]
    keys: list[Key]


class _Do(typing.TypedDict):
    do: str


_With = typing.TypedDict("_With", {"with": str}, total=False)


class Step(_Do, _With, total=False):
    table: str
    oid: int
    column: str
    beside: str | None
    shards: int | None
    settings: dict[str, str]
