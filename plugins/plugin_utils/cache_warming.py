"""What is wrong with how a key family is warmed. Pure."""

from ansible_collections.cistern.core.plugins.plugin_utils.variables import nearest

KEYS = {
    "sql": "a query whose columns are the placeholders of the key, and value",
    "parameters": "a mapping of the names in the query to values",
    "file": "the path of a file on the controller, a JSON object a line",
    "every": "a time span of systemd, such as 15min; empty for no timer",
    "after": "a list of restart and failover, or []",
}
OCCASIONS = ("restart", "failover")


def problems(family, pattern):
    """Yield what is wrong with `warm` of a family; `pattern` is that of its key, None where it has none."""
    warm = family["warm"]
    if warm is None:
        return
    if not isinstance(warm, dict):
        yield f"warm must be a mapping with {', '.join(KEYS)}, or null"
        return
    for key in warm:
        if key not in KEYS:
            yield f"warm has no key {key!r}{nearest(key, KEYS)}"
    if ("sql" in warm) == ("file" in warm):
        yield "warm needs either sql or file"
    if family["type"] == "any":
        yield "warm needs a type, for the command that writes a value"
    for occasion in warm.get("after") or ():
        if occasion not in OCCASIONS:
            yield f"warm after: there is no {occasion}{nearest(occasion, OCCASIONS)}; write {' or '.join(OCCASIONS)}"
    sql = warm.get("sql")
    for name in [*(pattern.names if pattern else ()), "value"]:
        if isinstance(sql, str) and name not in sql:
            yield f"warm sql: has no column {name}; write SELECT ... AS {name}"
