"""What a run decides to do with the tables of a database: each file of cases/citus/tables is one case.

A case changes the tables of a chat that are distributed as the inventory wants them: `want` and `have` are laid over
it, null takes a table away. `fresh: [table, ...]` are tables that are not distributed yet, `every` for all of them.
`keys` are foreign keys, [table, columns, to, columns], beside those that there are. `steps` are the sentences that an
operator would read, `settings` those of the steps, `refused` a part of each reason, `notes` what is told beside.
"""

import copy

import pytest
import yaml
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.observe import _table
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.plan import describe, notes, plan
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.validate import full
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from case_files import Cases

CASES = Cases("citus/tables", "want", "have", "fresh", "steps", "refused", "notes", "keys", "settings")
WANT = """
countries: {type: reference}
users: {column: user_id, shard_count: 8, colocate_with: none}
unread: {column: user_id, colocate_with: users}
members: {column: conversation_id, colocate_with: conversation}
messages: {column: conversation_id, colocate_with: conversation}
conversations: {column: conversation_id, colocate_with: conversation, shard_count: 16}
settings: {type: local}
"""
HAVE = """
countries: {type: reference, columns: {code: text}, unique: [[code]], shards: 1, colocation: 1}
users: {column: user_id, columns: {user_id: bigint, country: text}, unique: [[user_id]], shards: 8, colocation: 2}
unread: {column: user_id, columns: {user_id: bigint, count: integer}, unique: [[user_id]], shards: 8, colocation: 2}
members:
  {column: conversation_id, columns: {conversation_id: bigint, user_id: bigint}, unique: [[conversation_id, user_id]],
   shards: 16, colocation: 3}
messages:
  {column: conversation_id, columns: {conversation_id: bigint, message_id: bigint},
   unique: [[conversation_id, message_id]], shards: 16, colocation: 3}
conversations:
  {column: conversation_id, columns: {conversation_id: bigint}, unique: [[conversation_id]], shards: 16, colocation: 3}
settings: {type: local, column: null, columns: {key: text}, unique: [[key]], shards: 0, colocation: null}
"""
KEYS = [
    ["users", ["country"], "countries", ["code"]],
    ["unread", ["user_id"], "users", ["user_id"]],
    ["members", ["conversation_id"], "conversations", ["conversation_id"]],
    ["messages", ["conversation_id"], "conversations", ["conversation_id"]],
]
LOCAL = {"type": "local", "column": None, "colocation": None, "shards": 0}
TABLE = {
    "kind": "table",
    "type": "distributed",
    "managed": False,
    "bytes": 0,
    "identified": True,
    "partition_of": None,
    "column": None,
}


def read(case):
    """Return want and have of a case."""
    want, have = yaml.safe_load(WANT), yaml.safe_load(HAVE)
    for laid, change in ((want, case.get("want", {})), (have, case.get("have", {}))):
        for name, value in change.items():
            laid[name] = None if value is None else {**laid.get(name, {}), **value}
    tables = {}
    fresh = list(have) if case.get("fresh") == "every" else case.get("fresh", [])
    for oid, (name, table) in enumerate(have.items()):
        if table:
            unique = [
                {"name": f"{name}_pkey", "primary": place == 0, "columns": columns}
                for place, columns in enumerate(table.get("unique", []))
            ]
            found = {**TABLE, "oid": oid, "quoted": full(name), **table, **(LOCAL if name in fresh else {})}
            tables[full(name)] = {**found, "unique": unique}
    keys = [
        {"name": f"{one}_{to}_fkey", "table": full(one), "columns": columns, "to": full(to), "to_columns": to_columns}
        for one, columns, to, to_columns in [*KEYS, *case.get("keys", [])]
        if full(one) in tables and full(to) in tables
    ]
    return {name: table for name, table in want.items() if table is not None}, {"tables": tables, "keys": keys}


def test_there_are_cases():
    assert len(CASES) >= 35


@CASES.each
def test_plan(path):
    case = CASES.read(path)
    want, have = read(case)
    untouched = copy.deepcopy((want, have))
    if "refused" in case:
        with pytest.raises(Refused) as found:
            plan(want, have)
        assert len(found.value.args) == len(case["refused"])
        for reason, part in zip(found.value.args, case["refused"]):
            assert part in reason
    else:
        steps = plan(want, have)
        assert [describe(step) for step in steps] == case["steps"]
        for name, value in case.get("settings", {}).items():
            assert [step["settings"][f"citus.{name}"] for step in steps] == value
        assert notes(want, have) == case.get("notes", [])
    assert (want, have) == untouched


def test_what_a_table_is_placed_with():
    """With the first of its group; one that is the first lies alone, unless it lies where all do by default."""
    case = {
        "fresh": "every",
        "want": {"devices": {"column": "device_id"}, "others": {"column": "device_id", "colocate_with": "devices"}},
        "have": {name: {"columns": {"device_id": "text"}} for name in ("devices", "others")},
    }
    steps = [step for step in plan(*read(case)) if step["do"] == "distribute"]
    assert [(step["table"], step["with"], step["shards"], step["column"]) for step in steps] == [
        ("public.users", "none", 8, "user_id"),
        ("public.unread", "public.users", None, "user_id"),
        ("public.conversations", "none", 16, "conversation_id"),
        ("public.members", "public.conversations", None, "conversation_id"),
        ("public.messages", "public.conversations", None, "conversation_id"),
        ("public.devices", "default", None, "device_id"),
        ("public.others", "public.devices", None, "device_id"),
    ]


def row(method=None, model=None, colocation=None):
    kept = dict.fromkeys(("oid", "quoted", "bytes", "identified", "partition_of", "column", "shards"))
    return {**kept, "relkind": "r", "partmethod": method, "repmodel": model, "colocation": colocation}


@pytest.mark.parametrize(
    ("of_citus", "kind", "managed"),
    [
        ((), "local", False),
        (("h", "s", 4), "distributed", False),
        (("n", "t", 1), "reference", False),
        (("n", "s", 0), "local", True),
        (("n", "s", 7), "single-shard", False),
    ],
)
def test_what_the_catalog_calls_a_table(of_citus, kind, managed):
    table = _table(row(*of_citus))
    assert (table["type"], table["managed"]) == (kind, managed)
