"""How key families are warmed, and what is wrong with what the inventory says of it. Pure."""

import re

from ansible_collections.cistern.core.plugins.module_utils.cache.warm.commands import TYPES
from ansible_collections.cistern.core.plugins.module_utils.cache.warm.sources import parameters_of
from ansible_collections.cistern.core.plugins.module_utils.host.spelling import did_you_mean
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer, label_of

KEYS = {
    "sql": "a query whose columns are the placeholders of the key, and value",
    "parameters": "a mapping of the names in the query to values",
    "file": "the path of a file on the controller, a JSON object a line",
    "every": "a time span of systemd, such as 15min",
    "after": "a list of restart and failover, or []",
    "existing": "keep or replace",
}
OCCASIONS = ("restart", "failover")
EXISTING = ("keep", "replace")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
DATABASE = ("host", "name", "user")
UNIT = r"(?:s|sec|seconds?|m|min|minutes?|h|hr|hours?|d|days?|w|weeks?)"
SPAN = rf"(?:\d+(?:\.\d+)?\s*{UNIT}?\s*)+"


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
            yield f"warm has no key {key!r}{did_you_mean(key, KEYS)}"
    if ("sql" in warm) == ("file" in warm):
        yield "warm needs either sql or file"
    if family["type"] not in TYPES:
        yield f"warm needs a type, {', '.join(TYPES[:-1])} or {TYPES[-1]}, for the command that writes a value"
    yield from _when(warm)
    if "sql" in warm:
        yield from _sql(warm, pattern)
    elif "parameters" in warm:
        yield "warm parameters: are those of a query, and a file has none"
    if "file" in warm and not (isinstance(warm["file"], str) and warm["file"].startswith("/")):
        example = "{{ inventory_dir }}/warm/users.jsonl"
        yield f"warm file: must be an absolute path, such as {example}, not {warm['file']!r}"


def _is_span(text):
    return re.fullmatch(SPAN, str(text)) and re.search(r"[1-9]", str(text))


def _when(warm):
    after, every, existing = warm.get("after") or [], warm.get("every", "1s"), warm.get("existing", "keep")
    if not isinstance(after, list):
        yield f"warm after: must be {KEYS['after']}"
    for occasion in after if isinstance(after, list) else ():
        if occasion not in OCCASIONS:
            meant = did_you_mean(occasion, OCCASIONS)
            yield f"warm after: there is no {occasion}{meant}; write {' or '.join(OCCASIONS)}"
    if not _is_span(every):
        yield f"warm every: must be {KEYS['every']}, not {every!r}"
    if existing not in EXISTING:
        yield f"warm existing: must be {KEYS['existing']}, not {existing!r}"


def _sql(warm, pattern):
    sql, given = warm["sql"], warm.get("parameters") or {}
    if not isinstance(sql, str) or not sql.strip():
        yield f"warm sql: must be {KEYS['sql']}"
        return
    for name in [*(pattern.names if pattern else ()), "value"]:
        if not re.search(rf"\b{name}\b", sql):
            yield f"warm sql: has no column {name}; write SELECT ... AS {name}"
    if not isinstance(given, dict) or not all(isinstance(each, (str, int, float, bool)) for each in given.values()):
        yield f"warm parameters: must be {KEYS['parameters']}"
        return
    parameters, stray = parameters_of(sql)
    for name in dict.fromkeys(parameters):
        if name not in given:
            yield f"warm parameters: {name} is missing, which the query names{did_you_mean(name, given)}"
    for name in given:
        if name not in parameters:
            yield f"warm parameters: the query does not name {name}; write %({name})s where it belongs"
    if given and stray:
        yield "warm sql: has a percent sign that is no parameter; write %% for it"


# -- where queries go


def database(values, cluster):
    """Return where the queries of a host's families go: what it says, laid over the Citus cluster of the inventory.

    `cluster` is {host, port, name, ca}, empty where the inventory has none.
    """
    declared = values.get("cache_warm_database")
    base = {"port": 5432, "sslmode": "verify-full" if cluster else "require", "sslrootcert": "", "user": ""}
    own = declared if isinstance(declared, dict) else {}
    if cluster and own.get("host", cluster["host"]) == cluster["host"]:
        base.update({key: cluster[key] for key in ("host", "port", "name")}, sslrootcert=cluster["ca"])
    elif cluster:
        base["sslmode"] = "require"
    return {**base, **own}


def pace_problems(host):
    """Yield what is wrong with how fast, how far and how often the programs of a host go."""
    memory, rate = host.values.get("cache_warm_memory", 0.9), integer(host.values.get("cache_warm_rate"), 0)
    if isinstance(memory, (int, float)) and not 0 < memory <= 1:
        yield f"{label_of(host, 'cache_warm_memory')}: must be a share between 0 and 1, such as 0.9, not {memory!r}"
    if rate < 0:
        yield f"{label_of(host, 'cache_warm_rate')}: is {rate}; write keys a second, or 0 for no limit"
    rate, every = integer(host.values.get("cache_metrics_rate"), 1), host.values.get("cache_metrics_every", "1s")
    if rate < 1:
        yield f"{label_of(host, 'cache_metrics_rate')}: is {rate}; write keys a second, at least 1"
    if not _is_span(every):
        yield f"{label_of(host, 'cache_metrics_every')}: must be {KEYS['every']}, not {every!r}"


def database_problems(host, policy, cluster):
    """Yield what is missing for the queries of a host's families."""
    families = policy["families"].items()
    queried = [name for name, each in families if isinstance(each["warm"], dict) and "sql" in each["warm"]]
    if not queried:
        return
    given, where = database(host.values, cluster), label_of(host, "cache_warm_database")
    for key in DATABASE:
        if not given.get(key):
            yield f"{where}: has no {key}, and the query of {queried[0]} needs one"
    if given["sslmode"] not in SSL_MODES:
        yield f"{where}: sslmode must be one of {', '.join(SSL_MODES)}, not {given['sslmode']!r}"
    elif given["sslmode"].startswith("verify") and not given["sslrootcert"]:
        yield f"{where}: sslmode {given['sslmode']} needs sslrootcert, the CA's certificate on the controller"
    if not host.values.get("cache_warm_password"):
        yield f"cache_warm_password: is missing; write the password of the role {given.get('user') or 'that reads'}"
