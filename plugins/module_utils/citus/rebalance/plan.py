"""What a rebalance of a Citus cluster does, and when it is refused: pure, so that each decision is a test case."""

from ansible_collections.cistern.core.plugins.module_utils.citus.cluster import endpoint_of, unmovable
from ansible_collections.cistern.core.plugins.module_utils.citus.rebalance.contract import Have, Step, Want
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.host.formatting import pg_size


def plan(want: Want, have: Have) -> list[Step]:
    """Return the steps, in order. Moves that are under way are waited for first, and then it is planned anew."""
    if have["group"] != 0:
        raise Refused(f"this server is a worker (group {have['group']}); shards are moved from the coordinator")
    if want["stop"]:
        return [{"do": "stop", "job": have["job"]["id"]}] if have["job"] else []
    if have["job"]:
        return [{"do": "wait"}]
    hosts = names(want)
    silent = [
        f"{hosts.get(endpoint, endpoint)} does not answer ({answer['message']})"
        for endpoint, answer in have["answers"].items()
        if not answer["ok"]
    ]
    if silent:
        raise Refused(*silent)
    if not have["moves"]:
        return []
    problems = unmovable(have, want["shard_transfer_mode"], hosts)
    if problems:
        raise Refused(*problems)
    moves: list[Step] = [{"do": "move", **move} for move in have["moves"]]
    return [{"do": "start"}, *moves, {"do": "wait"}]


def names(want: Want) -> dict[str, str]:
    """Return {endpoint: inventory name}, as far as they are told."""
    return {endpoint_of(node): node["host"] for node in want["nodes"]}


def describe(step: Step, hosts) -> str:
    """Return a step as a sentence."""
    if step["do"] == "move":
        endpoint, to = (hosts.get(step[end], step[end]) for end in ("from", "to"))
        return f"move a shard of {', '.join(sorted(step['tables']))} ({pg_size(step['bytes'])}) from {endpoint} to {to}"
    return {
        "start": "start a rebalance",
        "stop": f"end the shard moves of job {step.get('job')}",
        "wait": "wait until the shards have moved",
    }[step["do"]]


def evenness(have: Have, hosts) -> list[str]:
    """Return what each node holds, as sentences."""
    found = []
    for endpoint, answer in have["shards"].items():
        if answer["count"] or have["nodes"][endpoint]["takes"]:
            size_text = "" if answer["bytes"] is None else f", {pg_size(answer['bytes'])}"
            found.append(f"{hosts.get(endpoint, endpoint)} holds {answer['count']} shards{size_text}")
    return found
