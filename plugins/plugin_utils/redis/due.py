"""Which hosts a run goes on with, after all machines have told what differs. Pure.

A deployment goes on as a whole: a restart is gated by all of it. So does a machine, where one instance acts for the
packages of all. A host that has told nothing goes on; what it lacks is told there.
"""

from ansible_collections.cistern.core.plugins.plugin_utils.redis import packages


def due(instances, watchers, deployments, observed, options):
    """Return {instances, sentinels, reached}: names of hosts. `observed` are {host: result of the module observe}.

    `deployments` are {name: {nodes, sentinels}} as redis_check returns them.
    """
    sentinels = {each["host"] for one in deployments.values() for each in one["sentinels"]}
    differ = {each.name for each in instances if _differs(each, observed, sentinels, options)}
    differ = _together(instances, differ)
    changing = {each.values.get("redis_deployment") for each in instances if each.name in differ}
    of_sentinels = {
        each.name for each in watchers if each.name in sentinels and _sentinel_differs(each, observed, options)
    }
    of_sentinels |= {each["host"] for name in changing & set(deployments) for each in deployments[name]["sentinels"]}
    reached = [name for name, found in observed.items() if "facts" in (found or {})]
    return {"instances": sorted(differ), "sentinels": sorted(of_sentinels), "reached": reached}


def _differs(instance, observed, sentinels, options):
    found = observed.get(instance.name)
    if not found or "instance" not in found:
        return True
    names = packages.SERVER + (["redis-sentinel"] if instance.name in sentinels else [])
    return found["instance"]["differs"] or packages.differ(instance, found["facts"], names, options)


def _sentinel_differs(watcher, observed, options):
    found = observed.get(watcher.name)
    if not found or "sentinel" not in found:
        return True
    version = str(watcher.get("redis_version", options) or "")
    lacks = packages.wanted(packages.SENTINEL, found["facts"]["packages"], version)
    return found["sentinel"]["differs"] or bool(lacks)


def _together(instances, differ):
    """Return these hosts with all that share a deployment or a machine with one of them, and so on."""
    found = set(differ)
    while True:
        machines = {each.machine for each in instances if each.name in found}
        names = {each.values.get("redis_deployment") for each in instances if each.name in found}
        more = {
            each.name for each in instances if each.machine in machines or each.values.get("redis_deployment") in names
        }
        if more <= found:
            return found
        found |= more
