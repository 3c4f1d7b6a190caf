"""What is wrong with citus_tables: pure, before any server is asked."""

from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import label_of, nearest

KEYS = ("type", "column", "colocate_with", "shard_count")
TYPES = ("distributed", "reference", "local")


def problems(node):
    """Yield a sentence for each mistake in the tables of a node."""
    tables = node.values.get("citus_tables")
    for name, spec in tables.items() if isinstance(tables, dict) else ():
        for text in _problems(spec, tables):
            yield f"{label_of(node, 'citus_tables')}: {name} {text}"


def _problems(spec, tables):
    if not isinstance(spec, dict):
        yield f"must be a mapping with a type, not {spec!r}"
        return
    yield from (f"has no key '{key}'{nearest(key, KEYS)}" for key in spec if key not in KEYS)
    kind = spec.get("type", "distributed")
    if kind not in TYPES:
        yield f"has the type {kind!r}; write {' or '.join(TYPES)}"
        return
    if kind != "distributed":
        for key in ("column", "colocate_with", "shard_count"):
            if key in spec:
                yield f"is {kind} and has no {key}; take it out, or write type: distributed"
        return
    if not isinstance(spec.get("column"), str):
        yield "has no column; write the one that its rows are distributed by"
    count = spec.get("shard_count")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 64000):
        yield f"has the shard_count {count!r}; write a whole number from 1 on"
    group = spec.get("colocate_with")
    if group is not None and not isinstance(group, str):
        yield f"has colocate_with {group!r}; write the name of a table or of a group of tables"
    if count is not None and isinstance(group, str) and group in tables:
        yield f"takes its shard_count from {group}; take one of the two out"
