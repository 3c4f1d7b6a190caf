"""What a planned switchover does, in which order, and when it is refused: pure, so that each decision is a test case.

want  {deployment, target}: the deployment as in redis_topology, and the place that shall be primary, None for the best
have  what Servers.observe() of redis_switchover_servers found
"""

from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology

# While a switchover is under way a value is raised by this, so that whoever comes later can take it back: it then holds
# what it was. A replica of such a priority is chosen last, and a server that asks for so many replicas takes no writes.
# One that sends a ping each so many seconds sends none.
MARK = 1000000
REPLICAS, LAG, PING = "min-replicas-to-write", "min-replicas-max-lag", "repl-ping-replica-period"


class NotYet(Refused):
    """What the Sentinels do not see yet: after a restart they take some seconds to connect again."""


def plan(want, have):
    """Return the steps, in order. Empty means that the request is fulfilled and that no earlier run left anything."""
    deployment, target, primary = want["deployment"], want["target"], have["primary"]
    hosts = redis_topology.names(deployment)
    if target is not None and target not in hosts:
        raise Refused(f"{target} is no instance of {deployment['name']}; these are: {', '.join(hosts.values())}")
    if primary is None or not have["settled"]:
        raise Refused(f"{have['why']}; run again when it is over" if not have["settled"] else have["why"])
    if primary not in hosts:
        raise Refused(have["why"])
    steps = _leftovers(deployment, have)
    # one that was left paused is no longer in line
    strayed = {step["at"] for step in steps if step["do"] in ("follow", "restore")} - {primary}
    if strayed:
        steps.append({"do": "line"})
    if target == primary:
        return steps
    others = {at: says for at, says in have["nodes"].items() if at not in strayed}
    problems = redis_topology.not_in_line(deployment, {**have, "nodes": others}, primary)
    if problems:
        raise Refused("; ".join(problems))
    priorities = {at: says["priority"] % MARK for at, says in have["nodes"].items() if at != primary}
    candidates = [at for at in hosts if priorities.get(at)]
    if target and target not in candidates:
        raise Refused(f"{hosts[target]} has replica-priority 0, which means that it is never to be primary")
    if not candidates:
        raise Refused(f"{deployment['name']} has no replica that may become primary")
    if deployment["mode"] == "sentinel":
        return steps + _by_sentinel(deployment, target, have, candidates, priorities)
    return steps + _by_hand(deployment, target or min(candidates, key=lambda at: _rank(have["nodes"][at])), have)


def _leftovers(deployment, have):
    """Return the steps that finish what an interrupted run began."""
    steps, primary = [], have["primary"]
    for at, says in have["nodes"].items():
        if not says["answers"]:
            continue
        if at != primary and have["nodes"][primary]["answers"] and says["of"] != primary:
            steps += _follow_again(deployment, have, at)
        if says["priority"] >= MARK:
            steps.append({"do": "lower", "at": at, "to": says["priority"] % MARK})
        for name, value in says["settings"].items():
            if value >= MARK:
                steps.append({"do": "restore", "at": at, "setting": name, "to": value % MARK})
    return steps


def _follow_again(deployment, have, at):
    """What a switchover left shares the primary's history and is not ahead of it; any other is not ours to empty."""
    says, lead = have["nodes"][at], have["nodes"][have["primary"]]
    shared = set(says["history"]) & set(lead["history"]) - {None, "0" * 40}
    if shared and says["offset"] <= lead["offset"]:
        return [{"do": "follow", "at": at, "of": have["primary"]}]
    hosts = redis_topology.names(deployment)
    raise Refused(
        f"{hosts[at]} is not a replica of {hosts[have['primary']]} and may hold writes of its own; "
        "playbooks/site.yml joins an instance"
    )


def _rank(says):
    """The order in which Sentinel would choose."""
    return says["priority"] % MARK, -says["offset"], says["run_id"]


def _by_sentinel(deployment, target, have, candidates, priorities):
    primary = have["primary"]
    by = _coordinator(deployment, have, [target] if target else candidates)
    # Sentinel takes the lowest priority, and the offset decides only between equal ones
    rivals = [at for at in candidates if target and at != target and priorities[at] <= priorities[target]]
    last = [at for at in candidates if target and at != target and priorities[at] > priorities[target]]
    steps = [{"do": "prefer", "at": at, "to": priorities[at] + MARK, "for": target} for at in rivals]
    if rivals:
        seen = {at: priorities[at] + MARK for at in rivals}
        seen.update({at: priorities[at] for at in [target, *last]})
        steps.append({"do": "seen", "by": by, "priorities": seen})
    among = [target] if target else sorted(candidates, key=lambda at: _rank(have["nodes"][at]))
    steps += _stop(have, candidates, {"by": by, "for": among[0]})
    steps += [
        {"do": "fail over", "by": by, "among": among},
        {"do": "follow", "at": primary, "of": target},
        {"do": "go on", "at": primary},
    ]
    steps += [{"do": "lower", "at": at, "to": priorities[at]} for at in rivals]
    return [*steps, {"do": "line"}]


def _by_hand(deployment, target, have):
    primary = have["primary"]
    others = [at for at in redis_topology.names(deployment) if at not in (primary, target)]
    return [
        *_stop(have, [target]),
        {"do": "promote", "at": target},
        # the old primary first: until then there are two, of which neither takes writes
        {"do": "follow", "at": primary, "of": target},
        *[{"do": "follow", "at": at, "of": target} for at in others],
        {"do": "go on", "at": primary},
        {"do": "line"},
    ]


def _stop(have, candidates, moment=None):
    primary = have["primary"]
    return [
        {"do": "pause" if can_pause(have["nodes"][primary]["version"]) else "close", "at": primary, "moment": moment},
        {"do": "catch up", "at": candidates, "with": primary},
    ]


def can_pause(version):
    """Before 6.2 a pause holds every command, and then lets a write that waited through."""
    return [int(part) for part in version.split(".")[:2]] >= [6, 2]


def _coordinator(deployment, have, needed):
    """Return the Sentinel to ask for the failover: it has its quorum, and would take one of these replicas.

    The last of them that can: the one that leads is the last to name the new primary to clients, which ask the first.
    """
    hosts, problems = redis_topology.names(deployment), []
    for sentinel in reversed(deployment["sentinels"]):
        at = redis_topology.place_of(sentinel)
        says, name = have["sentinels"][at], f"the Sentinel of {sentinel['host']}"
        unseen = [hosts[each] for each in needed if not _good(says.get("knows", {}).get(each))]
        if not says["answers"]:
            problems.append(f"{name} does not answer ({says['why']})")
        elif says["primary"] != have["primary"]:
            problems.append(f"{name} does not watch {deployment['name']}")
        elif says["quorum"]:
            problems.append(f"{name} says: {says['quorum']}")
        elif says["tilt"]:
            problems.append(
                f"{name} is in TILT mode, since its clock or its machine stood still, and acts again in 30 s"
            )
        elif strangers := [each for each, seen in says["knows"].items() if each not in hosts and _good(seen)]:
            problems.append(
                f"{name} could choose {', '.join(strangers)}, a replica that the inventory lacks: stop its server and "
                "make the Sentinels forget it, or add its host"
            )
        elif unseen:
            problems.append(f"{name} does not see {', '.join(unseen)} as a good replica")
        else:
            return at
    raise NotYet("no Sentinel can take the switchover: " + "; ".join(problems))


def _good(seen):
    return bool(seen) and not {"s_down", "o_down", "disconnected"} & set(seen["flags"])


def describe(step, hosts, took=None):
    """Return a step as a sentence."""
    at = step.get("at")
    at = ", ".join(hosts[each] for each in at) if isinstance(at, list) else hosts.get(at, at)
    if step["do"] == "prefer":
        return (
            f"set replica-priority of {at} to {step['to']} for now, so that the Sentinels choose {hosts[step['for']]}"
        )
    if step["do"] == "lower":
        return f"set replica-priority of {at} back to {step['to']}"
    if step["do"] == "restore":
        return f"set {step['setting']} of {at} back to {step['to']}"
    if step["do"] == "fail over":
        among = [hosts[each] for each in step["among"]]
        return f"fail over to {among[0] if len(among) == 1 else 'the best of ' + ', '.join(among)}"
    if step["do"] == "follow":
        return f"make {at} a replica of {hosts.get(step['of'], 'the new primary')}"
    if step["do"] == "go on":
        return "let writes go on" + (f" after {took:.1f} s" if took is not None else "")
    return {
        "seen": "wait until the Sentinels know these priorities",
        "pause": f"pause writes at {at}",
        "close": f"refuse writes at {at}",
        "catch up": f"wait until {at} {'have' if len(step.get('at') or []) > 1 else 'has'} every write",
        "promote": f"make {at} primary",
        "line": "wait until every instance is in line",
    }[step["do"]]
