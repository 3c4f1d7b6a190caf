"""Which hosts a run goes on with, after all machines have told what differs. Pure.

A deployment goes on as a whole: a restart is gated by all of it. So does a machine, where one instance acts for the
packages of all. A host that has told nothing goes on; what it lacks is told there.
"""


def due(instances, deployments, observed):
    """Return {instances, sentinels, reached}: names of hosts. `observed` are {host: result of the module observe}, of
    the hosts of this run. `deployments` are {name: {nodes, sentinels}} as redis_check returns them.
    """
    differ = {each.name for each in instances if _is_due(observed.get(each.name), "instance")}
    differ = _together(instances, differ)
    changing = {each.values.get("redis_deployment") for each in instances if each.name in differ}
    watching = {name: {each["host"] for each in one["sentinels"]} & set(observed) for name, one in deployments.items()}
    of_sentinels = {each for hosts in watching.values() for each in hosts if _is_due(observed[each], "sentinel")}
    of_sentinels |= {each for name in changing & set(watching) for each in watching[name]}
    reached = [name for name, found in observed.items() if "facts" in (found or {})]
    return {"instances": sorted(differ), "sentinels": sorted(of_sentinels), "reached": reached}


def _is_due(found, part):
    return (found or {}).get("due", {}).get(part, True)


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
