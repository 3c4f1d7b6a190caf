"""What is wrong with citus_tables as it is written: pure, for the check of an inventory and for the module itself."""

from ansible_collections.cistern.core.plugins.module_utils.host.spelling import did_you_mean

KEYS = ("type", "column", "colocate_with", "shard_count")
TYPES = ("distributed", "reference", "local")


def full(name):
    """Return a name with its schema."""
    return name if "." in str(name) else f"public.{name}"


def problems(tables):
    """Yield a sentence for each mistake."""
    names = [full(name) for name in tables]
    for name, spec in tables.items():
        for text in _problems(spec, names):
            yield f"{name} {text}"
    for name in tables:
        if name != full(name) and full(name) in tables:
            yield f"{full(name)} is written twice, with its schema and without; take one of the two out"


def _problems(spec, names):
    if not isinstance(spec, dict):
        yield f"must be a mapping with a type, not {spec!r}"
        return
    yield from (f"has no key '{key}'{did_you_mean(key, KEYS)}" for key in spec if key not in KEYS)
    kind = spec.get("type", "distributed")
    if kind not in TYPES:
        yield f"has the type {kind!r}; write {' or '.join(TYPES)}"
        return
    if kind != "distributed":
        for key in ("column", "colocate_with", "shard_count"):
            if spec.get(key) is not None:
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
    if count is not None and isinstance(group, str) and full(group) in names:
        yield f"takes its shard_count from {group}; take one of the two out"
