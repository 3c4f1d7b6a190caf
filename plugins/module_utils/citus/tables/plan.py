"""How tables become distributed as the inventory says, and when that is refused: pure, so each decision is a test."""

import typing

from ansible_collections.cistern.core.plugins.module_utils.citus.tables import keys as citus_table_keys
from ansible_collections.cistern.core.plugins.module_utils.citus.tables import validate
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.contract import Group, Have, Step, Table, Want
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.keys import as_argument, literal, short
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.validate import full
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.host.formatting import pg_size
from ansible_collections.cistern.core.plugins.module_utils.host.spelling import nearest

# What Citus itself takes in colocate_with; anything else is the name of a table, or one for tables that lie together.
DEFAULT, ALONE = "default", "none"


def plan(want: Want, have: Have) -> list[Step]:
    """Return the steps, in order. Empty means that every table that is there is as the inventory says."""
    tables = _tables(want)
    groups = _groups(tables, have)
    there = {name: table for name, table in tables.items() if name in have["tables"]}
    problems = [text for name, table in there.items() for text in _differences(name, table, groups, have)]
    pending = {
        name: table
        for name, table in there.items()
        if have["tables"][name]["type"] == "local" and table["type"] != "local"
    }
    problems += citus_table_keys.problems(pending, tables, groups, have)
    if problems:
        raise Refused(*problems)
    return list(_steps(pending, groups, have))


def _tables(want: Want) -> dict[str, Table]:
    """Return {full name: table}, each complete; refuse what is written wrongly, all of it at once."""
    problems = [f"citus_tables: {text}" for text in validate.problems(want)]
    if problems:
        raise Refused(*problems)
    usual: Table = {"type": "distributed", "column": None, "colocate_with": None, "shard_count": None}
    return {full(name): typing.cast("Table", {**usual, **table}) for name, table in want.items()}


def _groups(tables: dict[str, Table], have: Have) -> dict[str, Group]:
    """Return {distributed table: {head, default, shards}}: those with one head lie together."""
    distributed = {name: table for name, table in tables.items() if table["type"] == "distributed"}
    heads = {name: _head(name, distributed, tables, have) for name in distributed}
    groups: dict[str, Group] = {}
    for name, head in heads.items():
        members = [each for each in distributed if heads[each] == head]
        _refuse_typo(head, members, distributed)
        counts = sorted({count for each in members if (count := distributed[each]["shard_count"])})
        if len(counts) > 1:
            found = ", ".join(short(each) for each in members)
            raise Refused(f"citus_tables: {found} lie together and have one shard_count, which is one of {counts}")
        default = head in distributed and (distributed[head]["colocate_with"] or DEFAULT) == DEFAULT
        groups[name] = {"head": head, "default": default, "shards": counts[0] if counts else None}
    return groups


def _head(name, distributed, tables: dict[str, Table], have: Have):
    """Return the table, or the name of a group, that colocate_with leads to in the end."""
    seen = [name]
    while True:
        to = distributed[seen[-1]]["colocate_with"] or DEFAULT
        if to in (DEFAULT, ALONE):
            return seen[-1]
        where = f"citus_tables.{short(seen[-1])}.colocate_with"
        if full(to) in tables and full(to) not in distributed:
            raise Refused(f"{where} is {to}, a {tables[full(to)]['type']} table: only distributed ones lie together")
        if full(to) in seen:
            raise Refused(f"{where} leads in a circle of {', '.join(short(each) for each in seen)}")
        if full(to) not in distributed:
            return full(to) if _distributed(full(to), have) else to
        seen.append(full(to))


def _refuse_typo(head, members, distributed):
    near = nearest(head, [short(name) for name in distributed if name not in members], 0.8)
    if len(members) == 1 and near and head not in distributed:
        raise Refused(f"citus_tables.{short(members[0])}.colocate_with is {head}, which is no table; is it {near}?")


def _first(head, groups: dict[str, Group], have: Have):
    """Return the table of a group that is distributed already, None if none is."""
    members = [name for name, group in groups.items() if group["head"] == head]
    return next((name for name in [head, *members] if _distributed(name, have)), None)


def _distributed(name, have: Have):
    return name in have["tables"] and have["tables"][name]["type"] == "distributed"


def _differences(name, table: Table, groups: dict[str, Group], have: Have):
    """Yield how a table that Citus knows differs from the inventory, and what changes it."""
    has = have["tables"][name]
    if has["partition_of"]:
        yield f"{short(name)} is a partition of {short(has['partition_of'])}, which is to be declared instead"
        return
    if has["kind"] == "other":
        yield f"{short(name)} is no table, and only tables can be distributed"
        return
    if has["type"] == "local":
        return
    if has["type"] != table["type"]:
        again = "" if table["type"] == "local" else ", then run again"
        kind = {"distributed": f"distributed by {has['column']}"}.get(has["type"], f"a {has['type']} table")
        undo = f"SELECT undistribute_table({as_argument(name, have)})"
        yield f"{short(name)} is {kind} and should be {table['type']}: {undo}{again}"
        return
    if table["type"] != "distributed":
        return
    if has["column"] != table["column"]:
        yield (
            f"{short(name)} is distributed by {has['column']} and should be by {table['column']}: "
            f"SELECT alter_distributed_table({as_argument(name, have)}, "
            f"distribution_column := {literal(table['column'])})"
        )
    group = groups[name]
    first = _first(group["head"], groups, have)
    if name == first and group["shards"] and has["shards"] != group["shards"]:
        yield (
            f"{short(name)} has {has['shards']} shards and should have {group['shards']}: SELECT "
            f"alter_distributed_table({as_argument(name, have)}, shard_count := {group['shards']}, "
            "cascade_to_colocated := true)"
        )
    if name != first and have["tables"][first]["colocation"] != has["colocation"]:
        yield (
            f"{short(name)} is not colocated with {short(first)}: "
            f"SELECT alter_distributed_table({as_argument(name, have)}, colocate_with := {as_argument(first, have)})"
        )
    elif name == first and not group["default"]:
        yield from _mixed(name, groups, have)


def _mixed(name, groups: dict[str, Group], have: Have):
    """Yield the groups that are declared to lie elsewhere and do not."""
    for head in {group["head"]: None for group in groups.values() if not group["default"]}:
        other = _first(head, groups, have)
        same = other and have["tables"][other]["colocation"] == have["tables"][name]["colocation"]
        if same and head != groups[name]["head"] and other > name:
            yield (
                f"{short(other)} is colocated with {short(name)} and should not be: "
                f"SELECT alter_distributed_table({as_argument(other, have)}, colocate_with := 'none')"
            )


def _steps(pending: dict[str, Table], groups: dict[str, Group], have: Have) -> typing.Iterator[Step]:
    """Yield the steps; the first of a group makes its shards, and the others lie with it."""
    placed = {group["head"]: _first(group["head"], groups, have) for group in groups.values()}
    for name in citus_table_keys.order(pending, have):
        settings = citus_table_keys.settings(name, pending, have)
        step: Step = {"do": "reference", "table": name, "oid": have["tables"][name]["oid"], "settings": settings}
        if pending[name]["type"] == "reference":
            yield step
            continue
        group = groups[name]
        to = placed[group["head"]]
        yield {
            **step,
            "do": "distribute",
            "column": str(pending[name]["column"]),
            "with": have["tables"][to]["quoted"] if to else DEFAULT if group["default"] else ALONE,
            "beside": to,
            "shards": None if to else group["shards"],
        }
        placed[group["head"]] = to or name


def describe(step: Step) -> str:
    """Return a step as a sentence."""
    if step["do"] == "reference":
        return f"make {short(step['table'])} a reference table"
    text = f"distribute {short(step['table'])} by {step['column']}"
    text += f", together with {short(step['beside'])}" if step["beside"] else ""
    return text + (f", in {step['shards']} shards" if step["shards"] else "")


def notes(want: Want, have: Have) -> list[str]:
    """Return what an operator should know and a run does not change."""
    tables = _tables(want)
    full_ones: list = []
    left: list = []
    found = []
    lacking = [short(name) for name in tables if name not in have["tables"]]
    if lacking:
        found.append(f"not there yet: {', '.join(lacking)}; run again when the application has made them")
    for name, table in tables.items():
        has = have["tables"].get(name)
        if not has or table["type"] == "local":
            continue
        if has["bytes"]:
            (full_ones if has["type"] == "local" else left).append((name, f"{short(name)} ({pg_size(has['bytes'])})"))
        if not has["identified"]:
            found.append(
                f"{short(name)} has no primary key and no replica identity, without which its shards cannot move: "
                f"ALTER TABLE {has['quoted']} REPLICA IDENTITY FULL"
            )
    if full_ones:
        found.append(f"writes wait while the rows of these are copied: {', '.join(text for _name, text in full_ones)}")
    if left:
        found.append(
            f"on this disk are rows from before these were distributed, which nobody sees: "
            f"{', '.join(text for _name, text in left)}; to delete them: "
            + "; ".join(
                f"SELECT truncate_local_data_after_distributing_table({as_argument(name, have)})"
                for name, _text in left
            )
        )
    return found
