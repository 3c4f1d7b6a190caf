"""What is watched and what watches, as tests see it: machines of an inventory, and what Prometheus says of them.

Worked out here from the inventory and the role's defaults, on purpose not by the role's own code.
"""

import functools
import json
import shlex
from urllib.parse import quote

import yaml
from inventory import ROOT, host_vars_of, ssh

PREFIXES = ("monitoring_", "redis_", "citus_")
GROUPS = ("redis", "redis_sentinel", "citus", "monitoring")
SENTINELS = "sentinel"
FETCH = "import sys, urllib.request as u; sys.stdout.write(u.urlopen(sys.argv[1], timeout=20).read().decode())"


def read(inventory):
    """Return the machines of an inventory by the name of their first host; none where it has no group `monitoring`."""
    said = {group: host_vars_of(inventory, group, "monitoring", PREFIXES) for group in GROUPS}
    machines = {}
    for group in GROUPS if said["monitoring"] else ():
        for name, host_vars in said[group].items():
            address = host_vars.get("ansible_host", name)
            machine = machines.setdefault(address, Machine(name, host_vars))
            machine.hosts.setdefault(name, host_vars)
            machine.groups.setdefault(group, []).append(name)
    return {machine.name: machine for machine in machines.values()}


class Machine:
    """One machine; `groups` are its inventory hosts by group, `units` its programs, each with where it listens."""

    def __init__(self, name, host_vars):
        self.name, self.vars, self.hosts, self.groups = name, host_vars, {}, {}
        self.address = host_vars.get("ansible_host", name)

    def __repr__(self):
        return self.name

    @functools.cached_property
    def host(self):
        return ssh(self.vars, self.address)

    def run(self, command):
        """Run a shell command as root; it must succeed. Returns its output."""
        return self.host.check_output(command)

    @property
    def watches(self):
        return "monitoring" in self.groups

    @property
    def units(self):
        host_vars = self.vars
        at = (
            host_vars["monitoring_address"]
            or host_vars.get("redis_address")
            or host_vars.get("citus_address")
            or self.address
        )
        found = {"prometheus-node-exporter.service": (at, host_vars["monitoring_node_port"])}
        if {"redis", "redis_sentinel"} & set(self.groups):
            found["prometheus-redis-exporter.service"] = (at, host_vars["monitoring_redis_port"])
        if "citus" in self.groups:
            found["prometheus-postgres-exporter.service"] = (at, host_vars["monitoring_postgresql_port"])
        if self.watches:
            bind = host_vars["monitoring_bind"]
            found["prometheus.service"] = (bind, host_vars["monitoring_prometheus_port"])
            found["prometheus-alertmanager.service"] = (bind, host_vars["monitoring_alertmanager_port"])
        return found

    @property
    def redis_addresses(self):
        """Where servers of the machine are asked beside the loopback."""
        binds = [
            host_vars[name][0]
            for host_vars in self.hosts.values()
            for name in ("redis_bind", "redis_sentinel_bind")
            if host_vars.get(name) and {"redis", "redis_sentinel"} & set(self.groups)
        ]
        return {each.lstrip("-") for each in binds} - {"127.0.0.1", "::1", "0.0.0.0", "::", "*"}

    def fetch(self, unit, path):
        """Return what a program of the machine answers, asked there."""
        address, port = self.units[unit]
        address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
        place = f"[{address}]" if ":" in address else address
        return self.run(shlex.join(["python3", "-c", FETCH, f"http://{place}:{port}{path}"]))

    def prometheus(self, path):
        return json.loads(self.fetch("prometheus.service", f"/api/v1/{path}"))["data"]

    def query(self, expression):
        """Return [(labels, value)]."""
        found = self.prometheus(f"query?query={quote(expression)}")["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]

    def targets(self):
        """Return {(job, instance): health}."""
        found = self.prometheus("targets?state=active")["activeTargets"]
        return {(each["labels"]["job"], each["labels"]["instance"]): each["health"] for each in found}


def wanted_targets(machines, watcher):
    """Return what a machine that watches has to ask, (job, instance)."""
    found = {("prometheus", watcher.groups["monitoring"][0]), ("alertmanager", watcher.groups["monitoring"][0])}
    for machine in machines.values():
        found.add(("node", machine.name))
        found |= {("redis", name) for name in machine.groups.get("redis", [])}
        found |= {("postgresql", name) for name in machine.groups.get("citus", [])}
        replicated = [name for name in machine.groups.get("redis", []) if _mode(machine, name) == SENTINELS]
        watching = machine.groups.get("redis_sentinel", [])[:1] or replicated[:1]
        found |= {(SENTINELS, name) for name in watching if machine.hosts[name]["monitoring_sentinels"]}
    return found


def _mode(machine, name):
    return machine.hosts[name].get("redis_mode", "standalone")


def thresholds():
    """Return the role's baseline."""
    text = (ROOT / "roles/monitoring/vars/main/baseline.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["__monitoring_thresholds_baseline"]
