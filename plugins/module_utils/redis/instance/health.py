"""What is not whole of an instance, a Sentinel, a deployment: pure, from what a run observes anyway."""

from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology
from ansible_collections.cistern.core.plugins.module_utils.redis.contract import Deployment
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.contract import Have, Want

# INFO persistence: what the server says of the last time that it wrote its data.
SAVED = ("rdb_last_bgsave_status", "aof_last_bgrewrite_status", "aof_last_write_status")
# What a Sentinel says of a primary that it cannot use (SENTINEL MASTER, flags).
LOST = ("s_down", "o_down", "disconnected")


def of_instance(want: Want, have: Have) -> dict[str, list[str]]:
    """Return {instance: [sentence], deployment: [sentence]}: of this instance alone, and of the whole as it sees it."""
    own = []
    if have["version"] and have["running"] is None:
        own.append(f"{want['unit']} does not run")
    own += [
        f"the server could not write its data to disk ({name} is {value}); its log says why"
        for name, value in have["unsaved"].items()
    ]
    own += [f"the server answers at {address} without a password" for address in have["open"]]
    return {"instance": own, "deployment": _of_deployment(want["deployment"], have)}


def _of_deployment(deployment: Deployment, have: Have) -> list[str]:
    decision, seen = have["decision"], have["seen"]
    if not deployment or not decision or seen is None or have["running"] is None:
        return []
    if not decision.settled or decision.primary is None:
        return [decision.why]
    # a replica that is behind for a moment is no fault
    return redis_topology.out_of_sync(deployment, seen, decision.primary, behind=float("inf"))


def of_sentinel(want, have):
    """Return {deployment: [sentence]} of the deployments that are not well for this Sentinel."""
    if have["version"] and have["running_version"] is None:
        return {each["name"]: [f"{want['unit']} does not run"] for each in want["deployments"]}
    found = {}
    for each in want["deployments"]:
        name = each["name"]
        if name not in have["monitors"] or have["running_version"] is None:
            continue
        lost = [flag for flag in have["flags"].get(name, []) if flag in LOST]
        problems = [f"its Sentinel does not reach the primary ({', '.join(lost)})"] if lost else []
        problems += [
            f"its Sentinel does not reach the {kind.replace('sentinel', 'Sentinel')} at {endpoint}"
            for kind, endpoints in have["lost"].get(name, {}).items()
            for endpoint in endpoints
            if endpoint in have["expected"][name][kind]
        ]
        quorum = have["quorum"].get(name, "")
        found[name] = problems + ([f"its Sentinel has no quorum, nobody would fail over ({quorum})"] if quorum else [])
    return {name: problems for name, problems in found.items() if problems}
