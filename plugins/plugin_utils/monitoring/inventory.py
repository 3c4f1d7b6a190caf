"""What the inventory says of what is watched, and what is wrong with it; what each machine runs; targets. Pure."""

import ipaddress
import re
from urllib.parse import urlsplit

from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import LOOPBACK, Endpoint
from ansible_collections.cistern.core.plugins.plugin_utils.common import validation as variables
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer, label_of
from ansible_collections.cistern.core.plugins.plugin_utils.monitoring.host import OF_THE_MACHINE

PORTS = (
    "monitoring_prometheus_port",
    "monitoring_alertmanager_port",
    "monitoring_node_port",
    "monitoring_redis_port",
    "monitoring_postgresql_port",
)
# How Prometheus writes a time, and a size.
TIME, SIZE = r"(\d+(y|w|d|h|m|s|ms))+", r"\d+(B|KB|MB|GB|TB)"
EXPORTERS = ("node", "redis", "postgresql")


def check(hosts, options, thresholds):
    """Return the errors, each with the hosts that it is about; `thresholds` are those of the baseline."""
    found: dict = {}
    for host in hosts:
        for text in (*variables.problems(host, options, home="group_vars/all"), *_problems(host, options, thresholds)):
            found.setdefault(text, []).append(host.name)
    for members in machines(hosts).values():
        for variable in OF_THE_MACHINE:
            if len({str(host.get(variable, options)) for host in members}) > 1:
                text = f"{variable}: differs between inventory hosts of one machine; write it once for all of them"
                found.setdefault(text, []).extend(host.name for host in members)
        addresses = dict.fromkeys(host.address() for host in members)
        if len(addresses) > 1:
            text = (
                f"monitoring_address: the inventory hosts of one machine have the addresses {' and '.join(addresses)}; "
                "write for all of them the one at which Prometheus reaches it"
            )
            found.setdefault(text, []).extend(host.name for host in members)
        for text in _taken_twice(members, options):
            found.setdefault(text, []).extend(host.name for host in members)
    everyone = len(hosts)
    return [
        text if len(names) == everyone > 1 else f"{text} [{', '.join(dict.fromkeys(names))}]"
        for text, names in found.items()
    ]


def _taken_twice(members, options):
    """Yield the ports that two programs of a machine would listen on, those of its servers among them."""
    used = {}
    for host in members:
        servers = [(host.instance or {}).get("uri"), host.sentinel]
        used.update({urlsplit(uri).port: f"the Redis at {uri}" for uri in servers if uri})
        if host.node:
            used[integer(host.node["port"], 0)] = "citus_port"
    watches = any(host.watches for host in members)
    wanted = {
        "monitoring_node_port": True,
        "monitoring_prometheus_port": watches,
        "monitoring_alertmanager_port": watches,
    }
    wanted["monitoring_redis_port"] = any(host.instance or host.sentinel for host in members)
    wanted["monitoring_postgresql_port"] = any(host.node for host in members)
    for variable in [name for name, runs in wanted.items() if runs]:
        host = next((each for each in members if variable in each.values), members[0])
        port = integer(host.get(variable, options), 0)
        if port in used:
            yield f"{label_of(host, variable)}: port {port} is taken by {used[port]} on its machine; write another"
        used.setdefault(port, variable)


def _problems(host, options, thresholds):
    if not _is_address(host.address()):
        yield (
            f"{label_of(host, 'monitoring_address')}: {host.address()!r} is no address; write the one at which "
            "Prometheus reaches this machine"
        )
    elif ipaddress.ip_address(host.address()).is_loopback:
        label = label_of(host, "monitoring_address")
        yield f"{label}: {host.address()} is reached from its own machine alone; write another"
    for variable in PORTS:
        number = integer(host.get(variable, options), 1)
        if not 1 <= number <= 65535:
            yield f"{label_of(host, variable)}: must be from 1 to 65535, not {number}"
    for variable, pattern, like in (
        ("monitoring_scrape_interval", TIME, "15s"),
        ("monitoring_retention", TIME, "30d"),
        ("monitoring_retention_size", f"({SIZE})?", "50GB"),
    ):
        value = host.get(variable, options)
        if isinstance(value, str) and not re.fullmatch(pattern, value):
            yield f"{label_of(host, variable)}: must be as {like}, not {value!r}"
    bind = host.get("monitoring_bind", options)
    if isinstance(bind, str) and not _is_address(bind):
        yield f"{label_of(host, 'monitoring_bind')}: must be an address, not {bind!r}"
    yield from variables.thresholds(host, "monitoring_thresholds", thresholds)
    yield from _receivers(host, options)


def _is_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _receivers(host, options):
    """A receiver may hold secrets, so that no value is shown."""
    receivers = host.get("monitoring_receivers", options)
    if not isinstance(receivers, list):
        return
    names = [each.get("name") if isinstance(each, dict) else None for each in receivers]
    for number, name in enumerate(names, 1):
        if not isinstance(name, str) or not name:
            yield f"{label_of(host, 'monitoring_receivers')}: entry {number} has no name; write it as in Alertmanager"
        elif names.index(name) < number - 1:
            yield f"{label_of(host, 'monitoring_receivers')}: {name!r} is there twice"
    route = host.get("monitoring_route", options)
    wanted = route.get("receiver") if isinstance(route, dict) else None
    if wanted is not None and wanted not in names:
        yield f"{label_of(host, 'monitoring_route')}: receiver {wanted!r} is not among monitoring_receivers"


def notes(hosts, playing):
    """Return what is no error and should be known: what is not watched, what this run leaves alone."""
    found = []
    for members in machines(hosts).values():
        prometheus_hosts = [host.name for host in members if host.watches]
        for host in members:
            if prometheus_hosts and host.name in playing and not set(prometheus_hosts) & set(playing):
                found.append(f"{host.name}: its machine watches, and is set up in a run with {prometheus_hosts[0]}")
        for host in [host for host in members if host.node][1:]:
            found.append(f"{host.name}: its PostgreSQL is not watched; the exporter of a machine asks one server")
    return found


def machines(hosts):
    """Return {machine: its inventory hosts}, in the order of the inventory."""
    found: dict = {}
    for host in hosts:
        found.setdefault(host.machine, []).append(host)
    return found


def runs(hosts, options, playing):
    """Return {host: what its machine runs}.

    One of its hosts in the play acts for it (`is_owner`): where the machine watches, one that says how, or none.
    """
    found = {}
    for members in machines(hosts).values():
        able = [host.name for host in members if host.watches] or [host.name for host in members]
        acting = next((name for name in able if name in playing), None)
        uris = [host.instance["uri"] for host in members if host.instance]
        uris += [host.sentinel for host in members if host.sentinel]
        for host in members:
            found[host.name] = {
                "is_owner": host.name == acting,
                "address": host.address(),
                "watches": any(each.watches for each in members),
                "redis": list(dict.fromkeys(uris)),
                # where the exporter of Redis goes to outside the loopback, which its unit has to let it
                "redis_hosts": sorted(
                    host for host in {urlsplit(uri).hostname for uri in uris} if host not in LOOPBACK
                ),
                "postgresql": next((each.node for each in members if each.node), None),
                "listen": {exporter: _endpoint(host, exporter, options) for exporter in EXPORTERS},
            }
    return found


def targets(hosts, options):
    """Return {job: [{targets, labels}]}, as Prometheus reads them from files."""
    found: dict = {"node": [], "redis": [], "sentinel": [], "postgresql": []}
    for members in machines(hosts).values():
        # a Sentinel or an instance may be named by any inventory host; the machine has the name of its first one
        found["node"].append(_target(members[0], "node", options))
        found["redis"] += [
            _target(host, "redis", options, host.instance["uri"], deployment=host.instance["deployment"])
            for host in members
            if host.instance
        ]
        found["sentinel"] += [
            _target(host, "redis", options, host.sentinel, deployment=(host.instance or {}).get("deployment", ""))
            for host in members
            if host.sentinel
        ]
        # the exporter of a machine asks one server
        found["postgresql"] += [
            _target(host, "postgresql", options, deployment="citus") for host in members if host.node
        ][:1]
    return {job: entries for job, entries in found.items() if entries}


def _target(host, exporter, options, uri=None, **labels):
    target = {"__param_target": uri} if uri else {}
    labels = {name: value for name, value in labels.items() if value}
    return {"targets": [_endpoint(host, exporter, options)], "labels": {"instance": host.name, **labels, **target}}


def _endpoint(host, exporter, options):
    return str(Endpoint(host.address(), host.get(f"monitoring_{exporter}_port", options)))
