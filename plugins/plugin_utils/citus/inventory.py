"""What is wrong with the inventory of a Citus cluster: each node for itself, and all of them together. Pure.

Each error is a sentence: which variable, where it was written, what is wrong, what to write.
"""

import ipaddress
import itertools
import re

from ansible_collections.cistern.core.plugins.module_utils.citus.tables import validate as citus_tables
from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import name_key
from ansible_collections.cistern.core.plugins.module_utils.host.spelling import did_you_mean
from ansible_collections.cistern.core.plugins.plugin_utils.citus import variables as citus_variables
from ansible_collections.cistern.core.plugins.plugin_utils.citus.node import LAYERS
from ansible_collections.cistern.core.plugins.plugin_utils.common import validation as variables
from ansible_collections.cistern.core.plugins.plugin_utils.common.paths import normal
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer, label_of

# Settings that the toolkit computes, with what to write instead.
COMPUTED = {
    "port": "write citus_port",
    "listen_addresses": "write citus_bind",
    "data_directory": "write citus_data_dir",
    "hba_file": "leave it out, and write citus_hba",
    "ident_file": "leave it out",
    "ssl": "leave it out, nodes and application use TLS",
    "ssl_ca_file": "write citus_ca_dir",
    "ssl_cert_file": "leave it out, the CA of the nodes gives certificates",
    "ssl_key_file": "leave it out, the CA of the nodes gives certificates",
    "password_encryption": "leave it out, passwords are SCRAM",
    "wal_level": "leave it out, shards move by logical replication",
    "output_plugin_libraries": "leave it out, it follows from the version of the server",
    "citus.node_conninfo": "leave it out, nodes know each other by certificates",
    "citus.local_hostname": "write citus_address",
}
# What all nodes of a cluster have in common.
SHARED = (
    "postgresql_version",
    "citus_version",
    "citus_database",
    "citus_role",
    "citus_password",
    "citus_tables",
    "citus_ca_dir",
    "citus_client_connections",
)


def check(nodes, options, known):
    """Return (errors, warnings), each a list of sentences; the same sentence of several hosts stands once."""
    errors: dict = {}
    warnings: dict = {}
    for node in nodes:
        for text in [
            *variables.problems(node, options, home="group_vars/citus"),
            *variables.password(node, "citus_password"),
            *citus_variables.problems(node, options),
            *_settings(node, options, known),
            *_tables(node),
        ]:
            errors.setdefault(text, []).append(node.name)
    for text, names in [*_topology(nodes, options), *_shared(nodes, options), *_duplicates(nodes, options)]:
        errors.setdefault(text, []).extend(names)
    for text, names in _risks(nodes):
        warnings.setdefault(text, []).extend(names)
    return _with_hosts(errors, len(nodes)), _with_hosts(warnings, len(nodes))


def _with_hosts(found, everyone):
    return [
        text if len(set(names)) == everyone > 1 or not names else f"{text} [{', '.join(dict.fromkeys(names))}]"
        for text, names in found.items()
    ]


def _tables(node):
    tables = node.values.get("citus_tables")
    for text in citus_tables.problems(tables) if isinstance(tables, dict) else ():
        yield f"{label_of(node, 'citus_tables')}: {text}"


def _settings(node, options, known):
    version = node.get("citus_version", options)
    for layer in LAYERS:
        values = node.values.get(layer)
        for key, value in values.items() if isinstance(values, dict) else ():
            problem = _setting(key, value, known, version)
            if problem:
                yield f"{label_of(node, (layer, key), f'{key} in {layer}')}: {problem}"


def _setting(key, value, known, version):
    """Return what is wrong with one setting; whether PostgreSQL takes its value is asked of the server itself."""
    if key in COMPUTED:
        return f"is computed; {COMPUTED[key]}"
    if not re.fullmatch(r"[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)?", str(key)):
        small = str(key).lower()
        return f"is not the name of a setting{f'; write {small}' if small != str(key) else ''}"
    if key.startswith(("citus.", "columnar.")) and key not in known:
        return f"is not a setting of Citus{did_you_mean(key, known)}"
    rule = known.get(key, {})
    if isinstance(version, str) and re.match(r"\d+\.\d+", version):
        if "since" in rule and _parts(version) < _parts(rule["since"]):
            return f"needs Citus {rule['since']}, and citus_version is {version}"
        if "until" in rule and _parts(version) >= _parts(rule["until"]):
            return f"is gone since Citus {rule['until']}, and citus_version is {version}"
    if key == "shared_preload_libraries":
        libraries = value if isinstance(value, list) else [part.strip() for part in str(value).split(",")]
        if not libraries or libraries[0] != "citus":
            return "must begin with citus, which is loaded first; write [citus, ...]"
    parts = value if isinstance(value, list) else [value]
    if value is not None and not all(isinstance(part, (str, int, float)) and "\n" not in str(part) for part in parts):
        return "must be a plain value or a list of them, on one line"
    return None


def _parts(version):
    return [int(part) for part in version.split(".")[:2]]


def _topology(nodes, options):
    coordinators = [node.name for node in nodes if node.coordinates]
    if not coordinators:
        yield "citus_coordinator: the group has no host; put one into it", []
    if len(coordinators) > 1:
        yield f"citus_coordinator: the group has {len(coordinators)} hosts; a cluster has one coordinator", coordinators
    for node in nodes:
        if node.coordinates and node.get("citus_node_state", options) == "absent":
            problem = "the coordinator cannot be absent; playbooks/citus_remove.yml takes a whole cluster away"
            yield f"{label_of(node, 'citus_node_state')}: {problem}", [node.name]
        if len(nodes) > 1 and _is_loopback(node.address()):
            problem = f"{node.address()} reaches no other machine; write the address of the host"
            yield f"{label_of(node, 'citus_address')}: {problem}", [node.name]


def _is_loopback(address):
    try:
        return ipaddress.ip_address(address).is_loopback or ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return address == "localhost"


def _shared(nodes, options):
    for name in SHARED:
        values: dict = {}
        for node in nodes:
            value = node.get(name, options)
            # one that is missing is told where it is missing
            if value is not None and name not in node.broken:
                values.setdefault(str(value), []).append(node.name)
        if len(values) > 1:
            others = [host for hosts in list(values.values())[1:] for host in hosts]
            yield f"{name}: differs between the nodes of the cluster; write it once, into group_vars/citus", others


def _duplicates(nodes, options):
    for one, other in itertools.combinations(nodes, 2):
        names, port = [one.name, other.name], integer(one.get("citus_port", options), 0)
        together = one.machine == other.machine
        if port == integer(other.get("citus_port", options), 0):
            if name_key(one.address()) == name_key(other.address()):
                yield f"citus_port: {one.address()} {port} is taken twice; give one of them another", names
            elif together:
                # they share the folder of sockets, whatever addresses they listen on
                yield f"citus_port: {port} is taken twice on one machine; give one of them another", names
        if together and one.get("citus_cluster", options) == other.get("citus_cluster", options):
            yield "citus_cluster: names two clusters of one machine; give one of them another name", names
        elif together and normal(one.data_dir(options)) == normal(other.data_dir(options)):
            problem = "two clusters of one machine have the same; give one of them another"
            yield f"{label_of(other, 'citus_data_dir')}: {problem}", names


def _risks(nodes):
    if len(nodes) > 1:
        for node in nodes:
            others = [each.name for each in nodes if each.machine == node.machine and each is not node]
            if others:
                yield "two nodes on one machine share its fate, and its memory", [node.name]
    if not any(node.values.get("citus_clients") for node in nodes):
        yield "citus_clients: is empty, so no application reaches the database; write the networks it connects from", []
