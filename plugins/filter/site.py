"""Filters of playbooks/site.yml."""

from ansible_collections.cistern.core.plugins.plugin_utils.common.due import NOBODY, due
from ansible_collections.cistern.core.plugins.plugin_utils.common.hostvars import raw


def site_due(hostvars, pattern, groups):
    """Return the hosts of a pattern that a run goes on with: all of them, where they were not observed together.

    `pattern` is groups with colons between them, as a play has it.
    """
    hosts = {name: raw(hostvars, name) for name in hostvars}
    if pattern == NOBODY or not any("__observed" in host_vars for host_vars in hosts.values()):
        return pattern
    cluster = groups.get("citus", [])
    # a cluster is changed as a whole or not at all: not while a node has told nothing, with which the run ends
    silent = any("due" not in hosts[name]["__observed"] for name in cluster if "__observed" in hosts.get(name, {}))
    known = {
        name: {"due": _differs(host_vars["__observed"]), "shares": _shares(name, hostvars[name], cluster)}
        for name, host_vars in hosts.items()
        if "__observed" in host_vars
    }
    members = [name for group in pattern.split(":") for name in groups.get(group, [])]
    found = [] if silent and pattern == "citus" else due(known)
    return ",".join(dict.fromkeys(name for name in members if name in found)) or NOBODY


def _differs(result):
    """Whether something differs; a host that has told nothing counts, and so does one whose answer has no verdict."""
    return any(result["due"].values()) if "due" in result else True


def _shares(name, host_vars, cluster):
    shares: set = {("machine", str(host_vars.get("ansible_host", name)), str(host_vars.get("ansible_port", 22)))}
    if host_vars.get("redis_deployment"):
        shares.add(("deployment", host_vars["redis_deployment"]))
    if name in cluster:
        shares.add(("cluster",))
    return shares


class FilterModule:
    def filters(self):
        return {"site_due": site_due}
