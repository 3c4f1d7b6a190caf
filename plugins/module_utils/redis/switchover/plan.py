"""What a planned switchover does, in which order, and when it is refused: pure, so each decision is a test case."""

from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology
from ansible_collections.cistern.core.plugins.module_utils.redis.contract import Deployment
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.contract import Have, Step, Want

# While a switchover is under way a value is raised by this, so that whoever comes later can take it back: it then holds
# what it was. A replica of such a priority is chosen last, and a server that asks for so many replicas takes no writes.
# One that sends a ping each so many seconds sends none.
MARK = 1000000
REPLICAS, LAG, PING = "min-replicas-to-write", "min-replicas-max-lag", "repl-ping-replica-period"


class NotYet(Refused):
    """What the Sentinels do not see yet: after a restart they take some seconds to connect again."""


def plan(want: Want, have: Have) -> list[Step]:
    """Return the steps, in order. Empty means that the request is fulfilled and that no earlier run left anything."""
    deployment, target, primary = want["deployment"], want["target"], have["primary"]
    hosts = redis_topology.names(deployment)
    if target is not None and target not in hosts:
        raise Refused(f"{target} is no instance of {deployment['name']}; these are: {', '.join(hosts.values())}")
    if primary is None or not have["settled"]:
        raise Refused(f"{have['why']}; run again when it is over" if not have["settled"] else have["why"])
    if primary not in hosts:
        raise Refused(have["why"])
    steps = _leftovers(deployment, have, primary)
    # one that was left paused is no longer in line
    strayed = {step["endpoint"] for step in steps if step["do"] in ("follow", "restore")} - {primary}
    if strayed:
        steps.append({"do": "wait_in_sync"})
    if target == primary:
        return steps
    others = {endpoint: state for endpoint, state in have["nodes"].items() if endpoint not in strayed}
    problems = redis_topology.out_of_sync(deployment, {"nodes": others, "sentinels": have["sentinels"]}, primary)
    if problems:
        raise Refused("; ".join(problems))
    priorities = {
        endpoint: state["priority"] % MARK for endpoint, state in have["nodes"].items() if endpoint != primary
    }
    candidates = [endpoint for endpoint in hosts if priorities.get(endpoint)]
    if target and target not in candidates:
        raise Refused(f"{hosts[target]} has replica-priority 0, which means that it is never to be primary")
    if not candidates:
        raise Refused(f"{deployment['name']} has no replica that may become primary")
    if modes.of_deployment(deployment).has_sentinels:
        return steps + _by_sentinel(deployment, target, have, primary, candidates, priorities)
    best = target or min(candidates, key=lambda endpoint: _rank(have["nodes"][endpoint]))
    return steps + _by_hand(deployment, best, have, primary)


def _leftovers(deployment: Deployment, have: Have, primary: str) -> list[Step]:
    """Return the steps that finish what an interrupted run began."""
    steps: list[Step] = []
    for endpoint, state in have["nodes"].items():
        if not state["answers"]:
            continue
        if endpoint != primary and have["nodes"][primary]["answers"] and state["of"] != primary:
            steps += _follow_again(deployment, have, endpoint, primary)
        if state["priority"] >= MARK:
            steps.append({"do": "lower", "endpoint": endpoint, "to": state["priority"] % MARK})
        for name, value in state["settings"].items():
            if value >= MARK:
                steps.append({"do": "restore", "endpoint": endpoint, "setting": name, "to": value % MARK})
    return steps


def _follow_again(deployment: Deployment, have: Have, endpoint, primary: str) -> list[Step]:
    """What a switchover left shares the primary's history and is not ahead of it; any other is not ours to empty."""
    state, primary_state = have["nodes"][endpoint], have["nodes"][primary]
    shared = set(state["history"]) & set(primary_state["history"]) - {None, "0" * 40}
    if shared and state["offset"] <= primary_state["offset"]:
        return [{"do": "follow", "endpoint": endpoint, "of": primary}]
    hosts = redis_topology.names(deployment)
    raise Refused(
        f"{hosts[endpoint]} is not a replica of {hosts[primary]} and may hold writes of its own; "
        "playbooks/site.yml joins an instance"
    )


def _rank(state):
    """The order in which Sentinel would choose."""
    return state["priority"] % MARK, -state["offset"], state["run_id"]


def _by_sentinel(deployment: Deployment, target, have: Have, primary: str, candidates, priorities) -> list[Step]:
    by = _coordinator(deployment, have, [target] if target else candidates)
    # Sentinel takes the lowest priority, and the offset decides only between equal ones
    rivals = [
        endpoint
        for endpoint in candidates
        if target and endpoint != target and priorities[endpoint] <= priorities[target]
    ]
    last = [
        endpoint
        for endpoint in candidates
        if target and endpoint != target and priorities[endpoint] > priorities[target]
    ]
    steps: list[Step] = [
        {"do": "prefer", "endpoint": endpoint, "to": priorities[endpoint] + MARK, "for": target} for endpoint in rivals
    ]
    if rivals:
        seen = {endpoint: priorities[endpoint] + MARK for endpoint in rivals}
        seen.update({endpoint: priorities[endpoint] for endpoint in [target, *last]})
        steps.append({"do": "wait_priorities", "by": by, "priorities": seen})
    among = [target] if target else sorted(candidates, key=lambda endpoint: _rank(have["nodes"][endpoint]))
    steps += _stop(have, primary, candidates, {"by": by, "for": among[0]})
    steps += [
        {"do": "fail over", "by": by, "among": among},
        {"do": "follow", "endpoint": primary, "of": target},
        {"do": "resume", "endpoint": primary},
    ]
    steps += [{"do": "lower", "endpoint": endpoint, "to": priorities[endpoint]} for endpoint in rivals]
    return [*steps, {"do": "wait_in_sync"}]


def _by_hand(deployment: Deployment, target, have: Have, primary: str) -> list[Step]:
    names = [endpoint for endpoint in redis_topology.names(deployment) if endpoint not in (primary, target)]
    others: list[Step] = [{"do": "follow", "endpoint": endpoint, "of": target} for endpoint in names]
    return [
        *_stop(have, primary, [target]),
        {"do": "promote", "endpoint": target},
        # the old primary first: until then there are two, of which neither takes writes
        {"do": "follow", "endpoint": primary, "of": target},
        *others,
        {"do": "resume", "endpoint": primary},
        {"do": "wait_in_sync"},
    ]


def _stop(have: Have, primary: str, candidates, moment=None) -> list[Step]:
    return [
        {
            "do": "pause" if can_pause(have["nodes"][primary]["version"]) else "close",
            "endpoint": primary,
            "moment": moment,
        },
        {"do": "catch up", "among": candidates},
    ]


def can_pause(version):
    """Before 6.2 a pause holds every command, and then lets a write that waited through."""
    return [int(part) for part in version.split(".")[:2]] >= [6, 2]


def _coordinator(deployment: Deployment, have: Have, needed):
    """Return the Sentinel to ask for the failover: it has its quorum, and would take one of these replicas.

    The last of them that can: the one that leads is the last to name the new primary to clients, which ask the first.
    """
    hosts, problems = redis_topology.names(deployment), []
    for sentinel in reversed(deployment["sentinels"]):
        endpoint = redis_topology.endpoint_of(sentinel)
        state, name = have["sentinels"][endpoint], f"the Sentinel of {sentinel['host']}"
        unseen = [hosts[each] for each in needed if not _good(state.get("knows", {}).get(each))]
        if not state["answers"]:
            problems.append(f"{name} does not answer ({state['why']})")
        elif state["primary"] != have["primary"]:
            problems.append(f"{name} does not watch {deployment['name']}")
        elif state["quorum"]:
            problems.append(f"{name} says: {state['quorum']}")
        elif state["tilt"]:
            problems.append(
                f"{name} is in TILT mode, since its clock or its machine stood still, and acts again in 30 s"
            )
        elif strangers := [each for each, seen in state["knows"].items() if each not in hosts and _good(seen)]:
            problems.append(
                f"{name} could choose {', '.join(strangers)}, a replica that the inventory lacks: stop its server and "
                "make the Sentinels forget it, or add its host"
            )
        elif unseen:
            problems.append(f"{name} does not see {', '.join(unseen)} as a good replica")
        else:
            return endpoint
    raise NotYet("no Sentinel can take the switchover: " + "; ".join(problems))


def _good(seen):
    return bool(seen) and not {"s_down", "o_down", "disconnected"} & set(seen["flags"])


def describe(step: Step, hosts, took=None) -> str:
    """Return a step as a sentence."""
    host, among = hosts.get(step.get("endpoint")), [hosts[each] for each in step.get("among", [])]
    if step["do"] == "prefer":
        return (
            f"set replica-priority of {host} to {step['to']} for now, so that the Sentinels choose {hosts[step['for']]}"
        )
    if step["do"] == "lower":
        return f"set replica-priority of {host} back to {step['to']}"
    if step["do"] == "restore":
        return f"set {step['setting']} of {host} back to {step['to']}"
    if step["do"] == "fail over":
        return f"fail over to {among[0] if len(among) == 1 else 'the best of ' + ', '.join(among)}"
    if step["do"] == "follow":
        return f"make {host} a replica of {hosts.get(step['of'], 'the new primary')}"
    if step["do"] == "resume":
        return "let writes go on" + (f" after {took:.1f} s" if took is not None else "")
    return {
        "wait_priorities": "wait until the Sentinels know these priorities",
        "pause": f"pause writes at {host}",
        "close": f"refuse writes at {host}",
        "catch up": f"wait until {', '.join(among)} {'have' if len(among) > 1 else 'has'} every write",
        "promote": f"make {host} primary",
        "wait_in_sync": "wait until every instance is in line",
    }[step["do"]]
