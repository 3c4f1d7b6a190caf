"""What keys and foreign keys allow when tables are distributed, and the order that they ask for: pure."""

from ansible_collections.cistern.core.plugins.module_utils.citus.tables.contract import Group, Have, Key, Table


def short(name):
    """Return a name without the schema that everybody uses."""
    return name.removeprefix("public.")


def problems(pending: dict[str, Table], tables: dict[str, Table], groups: dict[str, Group], have: Have) -> list[str]:
    """Return what has to be put right before these tables can become what they should."""
    found = []
    for name, table in pending.items():
        if table["type"] == "distributed":
            found += _columns(name, table, tables, groups, have)
    if not found:
        found += [text for key in have["keys"] for text in _foreign(key, pending, tables, groups, have)]
    found += [
        text for name, table in pending.items() if table["type"] == "distributed" for text in _converted(name, have)
    ]
    circle = _circle(pending, have)
    if circle and not found:
        found.append(
            f"the foreign keys of {', '.join(short(name) for name in circle)} lead in a circle: drop one of them, run, "
            "and add it again"
        )
    return found


def _columns(name, table: Table, tables: dict[str, Table], groups: dict[str, Group], have: Have):
    has = have["tables"][name]
    if table["column"] not in has["columns"]:
        yield f"{short(name)} has no column {table['column']}, it has {', '.join(has['columns'])}"
        return
    for key in has["unique"]:
        if table["column"] not in key["columns"]:
            kind = "primary key" if key["primary"] else "unique index"
            yield (
                f"the {kind} {key['name']} of {short(name)} ({', '.join(key['columns'])}) lacks the distribution "
                f"column: make it ({', '.join([table['column'], *key['columns']])})"
            )
    for other, group in groups.items():
        beside = have["tables"].get(other)
        if other == name:
            return
        if not beside or group["head"] != groups[name]["head"]:
            continue
        column = str(tables[other]["column"])
        kinds = has["columns"][table["column"]], beside["columns"].get(column)
        if kinds[1] and kinds[0] != kinds[1]:
            yield (
                f"{short(name)} cannot lie with {short(other)}: {table['column']} is {kinds[0]} and {column} is "
                f"{kinds[1]}; both have to be of one type"
            )
            return


def _after(name, tables: dict[str, Table], have: Have):
    """Return what a table is in the end."""
    if name in tables and have["tables"][name]["type"] == "local":
        return tables[name]["type"]
    return have["tables"][name]["type"]


def _foreign(key: Key, pending: dict[str, Table], tables: dict[str, Table], groups: dict[str, Group], have: Have):
    """Yield what is wrong with a foreign key that one of these tables has or that points at one."""
    one, other = key["table"], key["to"]
    if one == other or (one not in pending and other not in pending):
        return
    was = f"{short(one)} references {short(other)} ({key['name']})"
    kinds = _after(one, tables, have), _after(other, tables, have)
    if kinds == ("distributed", "distributed"):
        if any(groups[name]["default"] for name in (one, other) if name in groups):
            return
        if one in groups and other in groups and groups[one]["head"] != groups[other]["head"]:
            yield f"{was}, and the two are not colocated: write colocate_with: {short(other)}, or drop the key"
        elif not _matches(key, tables, have):
            yield f"{was} without its distribution column: both distribution columns have to be in the key"
    elif kinds[0] == "distributed" and kinds[1] == "local":
        yield f"{was}, which stays local: make it a reference table, or drop the key"
    elif kinds[1] == "distributed":
        yield f"{was}, and a {kinds[0]} table cannot reference a distributed one: distribute it too, or drop the key"
    elif kinds == ("reference", "local"):
        yield f"{was}, which stays local: make it a reference table too, or drop the key"
    elif (
        kinds == ("local", "reference")
        and other in pending
        and _graph(other, have) & {name for name, table in pending.items() if table["type"] == "distributed"}
    ):
        yield (
            f"{was} and stays local, while others of its foreign keys' tables are distributed: drop the key, run, and "
            "add it again"
        )


def literal(text):
    """Return a text as SQL has it, in a statement that is offered to be pasted."""
    return "'" + text.replace("'", "''") + "'"


def as_argument(name, have: Have):
    """Return a table as an argument of a function: its name as the server quotes it, in a text."""
    return literal(have["tables"][name]["quoted"])


def _matches(key: Key, tables: dict[str, Table], have: Have):
    def column(name):
        return tables[name]["column"] if name in tables else have["tables"][name]["column"]

    return (column(key["table"]), column(key["to"])) in zip(key["columns"], key["to_columns"])


def _converted(name, have: Have):
    """Citus makes a table one of its own local ones when a foreign key leads from it to a reference table."""
    if have["tables"][name]["managed"] and _graph(name, have) != {name}:
        yield (
            f"Citus keeps {short(name)} as one of its local tables, for a foreign key: SELECT "
            f"undistribute_table({as_argument(name, have)}, cascade_via_foreign_keys := true), then run again"
        )


def _graph(name, have: Have):
    """Return every table that foreign keys lead to from a table, in either direction."""
    found, ends = {name}, [name]
    while ends:
        table = ends.pop()
        near = {key["to"] for key in have["keys"] if key["table"] == table}
        near |= {key["table"] for key in have["keys"] if key["to"] == table}
        ends += near - found
        found |= near
    return found


def settings(name, pending: dict[str, Table], have: Have) -> dict[str, str]:
    """Return the settings under which the foreign keys of a table let it be distributed."""
    near = [key["table"] for key in have["keys"] if key["to"] == name and key["table"] not in pending]
    stays = any(have["tables"][each]["type"] == "local" for each in near)
    return {
        # On, Citus takes every table that a foreign key leads to as a local one of its own. That keeps the key of one
        # that stays local, and keeps one that is to be distributed from it.
        "citus.enable_local_reference_table_foreign_keys": "on" if stays else "off",
        # What a reference table's key leads to is reached over one connection a node, so that it sees the rows.
        "citus.multi_shard_modify_mode": "parallel" if _graph(name, have) == {name} else "sequential",
    }


def _needs(name, pending: dict[str, Table], have: Have):
    """Return which of these tables come before a table."""
    needs = {key["to"] for key in have["keys"] if key["table"] == name}
    return (needs & set(pending)) - {name}


def order(pending: dict[str, Table], have: Have) -> list[str]:
    """Return the tables in an order that works: reference tables first, then as they are written."""
    done: list = []
    left = sorted(pending, key=lambda name: pending[name]["type"] != "reference")
    while left:
        ready = [name for name in left if not _needs(name, pending, have) - set(done)]
        if not ready:
            break
        done.append(ready[0])
        left.remove(ready[0])
    return done


def _circle(pending: dict[str, Table], have: Have):
    done = order(pending, have)
    return [name for name in pending if name not in done]
