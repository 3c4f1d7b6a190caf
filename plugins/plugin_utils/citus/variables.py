"""What is wrong with the variables of one Citus node, beyond their types: names, numbers, addresses, rules. Pure."""

import ipaddress
import re

from ansible_collections.cistern.core.plugins.plugin_utils.citus import schema as citus_schema
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer, label_of

NAME = r"[a-z_][a-z0-9_]{0,62}"
PATTERNS = (
    ("postgresql_version", r"\d\d", 'a major version such as "17", in quotes'),
    ("citus_version", r"\d+\.\d+(\.\d+)?", 'a version such as "13.2" or "13.2.1", in quotes'),
    ("citus_cluster", r"[a-z0-9][a-z0-9_]*", "small letters, digits and underscores"),
    ("citus_database", NAME, "small letters, digits and underscores"),
    ("citus_role", NAME, "small letters, digits and underscores"),
    ("citus_address", r"[A-Za-z0-9._:-]+", "an address or a host name"),
    ("citus_data_dir", r"/[^\n]*", "a path from the root"),
)
RANGES = (
    ("citus_port", 1, 65535),
    ("citus_client_connections", 1, 10000),
    ("citus_move_seconds", 10, 7 * 86400),
    ("citus_certificate_days", 31, 3650),
)
# Names that mean something else to the server or to pg_hba.conf.
TAKEN = {
    "citus_role": ("postgres", "all", "public", "none"),
    "citus_database": ("postgres", "template0", "template1", "all", "sameuser", "samerole", "samegroup", "replication"),
}
REPOSITORY = ("uri", "suite", "components", "key")


def problems(node, options):
    """Yield a sentence for each mistake."""
    yield from _texts(node)
    yield from _numbers(node)
    yield from _clients(node)
    yield from _rules(node)
    yield from _repositories(node, options)
    yield from _versions(node, options)


def _texts(node):
    for name, pattern, problem in PATTERNS:
        value = node.values.get(name)
        if isinstance(value, str) and not re.fullmatch(pattern, value):
            yield f"{label_of(node, name)}: must be {problem}, not '{value}'"
    if node.values.get("citus_cluster") == "main":
        label = label_of(node, "citus_cluster")
        yield f"{label}: main is the package's own cluster, which is left alone; write another name"
    for name, taken in TAKEN.items():
        value = node.values.get(name)
        if value in taken or (name == "citus_role" and str(value).startswith("pg_")):
            yield f"{label_of(node, name)}: {value} is the server's own; write another name"


def _numbers(node):
    for name, low, high in RANGES:
        number = integer(node.values.get(name), low)
        if not low <= number <= high:
            yield f"{label_of(node, name)}: must be from {low} to {high}, not {number}"
    if node.values.get("citus_bind") == []:
        yield f"{label_of(node, 'citus_bind')}: is empty; write at least one address"


def _clients(node):
    networks = node.values.get("citus_clients")
    for network in networks if isinstance(networks, list) else ():
        problem = _network(network)
        if problem:
            yield f"{label_of(node, 'citus_clients')}: {problem}"


def _network(text):
    """Return what is wrong with a network, or None. An address without a mask is half of a pair in pg_hba.conf."""
    try:
        near = ipaddress.ip_interface(text).network if isinstance(text, str) else None
    except ValueError:
        near = None
    if near and "/" in text and near.network_address == ipaddress.ip_interface(text).ip:
        return None
    return f"{text!r} is no network; write {near or 'one such as 192.0.2.0/24'}"


def _rules(node):
    """What the types of citus_hba cannot say."""
    rules = node.values.get("citus_hba")
    for rule in rules if isinstance(rules, list) else ():
        for problem in _rule(rule) if isinstance(rule, dict) else ():
            yield f"{label_of(node, 'citus_hba')}: {problem}"


def _rule(rule):
    kind, address = rule.get("type", "hostssl"), rule.get("address")
    if kind == "local" and address is not None:
        yield "a local connection has no address; take it out, or write type: hostssl"
    if kind != "local" and address is None and "user" in rule:
        yield f"the rule of {rule['user']} has no address; write the network it connects from"
    if kind != "local" and isinstance(address, str) and re.search(r"^[\d.]+(/|$)|:|\s", address) and _network(address):
        yield f"address: {_network(address)}"
    if kind != "local" and rule.get("method") == "peer":
        yield "the method peer is for a local connection alone; write type: local, or another method"
    if kind != "hostssl" and rule.get("method") == "cert":
        yield "the method cert needs TLS; write type: hostssl"
    for key in ("database", "user"):
        if re.search(r"[\s#]", str(rule.get(key, ""))):
            yield f"{key}: {rule[key]!r} has a blank or a #; write names, with commas between them"
    if "\n" in str(rule.get("options", "")):
        yield "options: must stand on one line"


def _repositories(node, options):
    for variable in ("postgresql_apt_repository", "citus_apt_repository"):
        of_citus = variable == "citus_apt_repository"
        wanted = of_citus or node.get("postgresql_package_source", options) == "repository"
        repository = node.get(variable, options)
        if wanted and isinstance(repository, dict) and (repository or not of_citus):
            missing = [key for key in REPOSITORY if not repository.get(key)]
            if missing:
                where = "" if of_citus else " where postgresql_package_source is repository"
                yield f"{label_of(node, variable)}: needs {', '.join(missing)}{where}"


def _versions(node, options):
    citus, postgresql = (node.get(name, options) for name in ("citus_version", "postgresql_version"))
    if not (isinstance(citus, str) and isinstance(postgresql, str) and re.match(r"\d+\.\d+", citus)):
        return
    takes = citus_schema.takes(citus)
    if takes and postgresql not in takes:
        others = [series for series in ("12.1", "13.2", "14.0") if postgresql in citus_schema.takes(series)]
        or_else = f", or citus_version {' or '.join(others)}" if others else ""
        problem = f"Citus {citus} takes PostgreSQL {', '.join(takes)} and not {postgresql}"
        yield f"{label_of(node, 'postgresql_version')}: {problem}; write one of these{or_else}"
