"""Filters of the citus role."""

import ipaddress
import pathlib
import re

from ansible_collections.cistern.core.plugins.module_utils.citus import cluster
from ansible_collections.cistern.core.plugins.plugin_utils.citus import due

# The columns of a rule of pg_hba.conf, and what they are where a rule does not say.
RULE = {"type": "hostssl", "database": "all", "user": None, "address": "", "method": "scram-sha-256", "options": ""}


def citus_network(address):
    """Return an address as pg_hba.conf takes it: a single machine's network, or a name as it is."""
    try:
        return str(ipaddress.ip_network(address))
    except ValueError:
        return address


def citus_alternative_name(address):
    """Return an address as a certificate names it."""
    try:
        return f"IP:{ipaddress.ip_address(address)}"
    except ValueError:
        return f"DNS:{address}"


def citus_hba_line(rule):
    """Return a rule of citus_hba as a line of pg_hba.conf."""
    return "   ".join(str(value) for value in {**RULE, **rule}.values() if value not in ("", None))


def citus_text_of(path):
    """Return the text of a file of the controller, with one line break at its end."""
    return pathlib.Path(path).read_text(encoding="utf-8").rstrip("\n") + "\n"


def citus_trusted(folder):
    """Return the certificates of CAs that are trusted beside the one of now, in the order of their names."""
    return "".join(citus_text_of(path) for path in sorted(pathlib.Path(folder).glob("trusted/*.crt")))


def citus_with_key(source):
    """Return a source with the text of its key, where that is a file of the controller."""
    if re.match("https?://", source["key"]):
        return {**source, "key_url": source["key"]}
    return {**source, "key_content": citus_text_of(source["key"])}


def citus_endpoint(node, state=False):
    """Return a node as the module citus_node takes it."""
    return {key: node[key] for key in ("host", "address", "port", *(["state"] if state else []))}


def citus_free_bytes(nodes, hostvars):
    """Return {endpoint: bytes that are free} of the nodes that were observed in this run."""
    observed = {cluster.endpoint_of(node): _observed(hostvars, node["host"]) for node in nodes}
    return {endpoint: node["free_bytes"] for endpoint, node in observed.items() if "free_bytes" in node}


def citus_certificates_due(hosts, hostvars):
    """Return why each of the hosts that gets a certificate in this run gets one."""
    whys = (_observed(hostvars, host).get("tls", {}).get("why", "") for host in hosts)
    return [why for why in whys if why]


def citus_goes_on(hosts, hostvars):
    """Whether a run has something to do on one of the hosts; one that has told nothing counts."""
    results = (hostvars[host].get("__citus_observed") or {} for host in hosts)
    return any(result.get("due", {}).get("node", True) for result in results)


def _observed(hostvars, host):
    return (hostvars[host].get("__citus_observed") or {}).get("node") or {}


def citus_upgrades(offered, installed):
    """Return {package: {has, gets}} of packages whose version changes; `offered` is as apt takes it, name=version."""
    found = {}
    for each in offered:
        name, _sign, version = each.partition("=")
        has = installed.get(name, {}).get("version", "")
        if has != version:
            found[name] = {"has": has, "gets": version}
    return found


def citus_downgrades(upgrades):
    """Return the packages that would get an older version than they have."""
    return [f"{name} {each['has']}" for name, each in upgrades.items() if _parts(each["gets"]) < _parts(each["has"])]


def _parts(version):
    """Return what of a Debian version counts for the order of two releases: 13.2.1.citus-1 is [13, 2, 1]."""
    found = re.match(r"(?:\d+:)?([\d.]*\d)", version)
    return [int(part) for part in found[1].split(".")] if found else []


class FilterModule:
    def filters(self):
        return {
            "citus_alternative_name": citus_alternative_name,
            "citus_apt_differs": due.apt_differs,
            "citus_certificates_due": citus_certificates_due,
            "citus_database_differs": due.database_differs,
            "citus_downgrades": citus_downgrades,
            "citus_free_bytes": citus_free_bytes,
            "citus_goes_on": citus_goes_on,
            "citus_hba_line": citus_hba_line,
            "citus_network": citus_network,
            "citus_endpoint": citus_endpoint,
            "citus_text_of": citus_text_of,
            "citus_trusted": citus_trusted,
            "citus_upgrades": citus_upgrades,
            "citus_with_key": citus_with_key,
            "citus_wrongly_held": due.wrongly_held,
        }
