"""Who is primary of a deployment: observed at its servers and Sentinels, decided from what they report.

An endpoint is where an instance is reached by the others, as "address port". A deployment is
{name, mode, me, initial, nodes, sentinels}: `me` and `initial` are endpoints, `nodes` and `sentinels` are lists of
{host, address, port}. What is seen of it is a view, {nodes, sentinels}, each {endpoint: its state}.
"""

import time
import typing
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import Endpoint
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis.connection import pairs
from ansible_collections.cistern.core.plugins.module_utils.redis.contract import (
    Deployment,
    Node,
    NodeState,
    SentinelState,
    View,
)

# An answer takes milliseconds; a host that does not answer must not hold a run up.
TIMEOUT = 2
FIRST_DAY = "nobody is primary yet"


class Decision(typing.NamedTuple):
    """`primary` is an endpoint, None where nobody can say; not `settled` means that the servers are about to change it.

    `named` is what the Sentinels name, settled or not.
    """

    primary: typing.Optional[str]
    settled: bool
    why: str
    named: typing.Optional[str] = None


def endpoint_key(address, port) -> str:
    """Return where an instance is reached, as one word."""
    return Endpoint(address, port).key()


def endpoint_of(each: Node) -> str:
    return endpoint_key(each["address"], each["port"])


def names(deployment: Deployment) -> dict[str, str]:
    """Return {endpoint: inventory host} of the instances."""
    return {endpoint_of(node): node["host"] for node in deployment["nodes"]}


# -- what the servers say


def view(deployment: Deployment, passwords, sentinel_password, own=None) -> View:
    """Ask every instance and every Sentinel, all at once.

    `own` is the state of the instance on this machine, None where it does not run; it is not observed over the net.
    """
    nodes = [node for node in deployment["nodes"] if endpoint_of(node) != deployment["me"]]
    with ThreadPoolExecutor(max_workers=16) as pool:
        states = pool.map(lambda node: observe_node(node, passwords), nodes)
        sentinels = pool.map(
            # one whose password is only just being changed may still have that of the instances
            lambda each: observe_sentinel(each, deployment["name"], [sentinel_password, *passwords]),
            deployment["sentinels"],
        )
        found = {endpoint_of(node): state for node, state in zip(nodes, states)}
        found_sentinels = {endpoint_of(each): state for each, state in zip(deployment["sentinels"], sentinels)}
    if deployment["me"]:
        silent: NodeState = {"answers": False, "why": "it does not run"}
        found[deployment["me"]] = own or silent
    return {"nodes": found, "sentinels": found_sentinels}


def observe_node(node: Node, passwords) -> NodeState:
    """Return the state of an instance, {answers: False, why} where it does not."""
    try:
        client = redis_server.reach(node["address"], node["port"], passwords, TIMEOUT)
        return node_state(client.info())
    except (redis_server.RedisError, redis_server.WrongPassword, OSError) as error:
        return {"answers": False, "why": str(error)}


def node_state(info) -> NodeState:
    """Return what INFO reports of an instance's part in a deployment; offsets are in bytes of the replication stream.

    `history` is the identity of its data, and the one before it was promoted, valid up to the offset `shared`.
    """
    replica = info["role"] == "slave"
    attached = [info[key] for key in info if key.startswith("slave") and key[5:].isdigit()]
    return {
        "answers": True,
        "role": "replica" if replica else "primary",
        "of": endpoint_key(info["master_host"], info["master_port"]) if replica else None,
        "link": info.get("master_link_status") == "up",
        "syncs": bool(int(info.get("master_sync_in_progress", 0))),
        "loading": bool(int(info.get("loading", 0))),
        "offset": int(info["slave_repl_offset" if replica else "master_repl_offset"]),
        "keys": sum(value["keys"] for key, value in info.items() if key.startswith("db") and key[2:].isdigit()),
        "history": [info.get("master_replid"), info.get("master_replid2")],
        "shared": int(info.get("second_repl_offset", -1)),
        "priority": int(info.get("slave_priority", 100)),
        "replicas": [endpoint_key(each["ip"], each["port"]) for each in attached if each.get("state") == "online"],
        "version": info["redis_version"],
        "run_id": info["run_id"],
    }


def observe_sentinel(sentinel: Node, name, passwords) -> SentinelState:
    """Return the state of a deployment by a Sentinel; `primary` is None where it does not watch it."""
    try:
        client = redis_server.reach(sentinel["address"], sentinel["port"], passwords, TIMEOUT)
        try:
            state = pairs(client.execute_command("SENTINEL", "MASTER", name))
        except redis_server.RedisError:
            return {"answers": True, "primary": None, "flags": [], "replicas": []}
        replicas = [pairs(each) for each in client.execute_command("SENTINEL", "REPLICAS", name)]
        return {
            "answers": True,
            "primary": endpoint_key(state["ip"], state["port"]),
            "flags": state["flags"].split(","),
            "replicas": [endpoint_key(each["ip"], each["port"]) for each in replicas],
        }
    except (redis_server.RedisError, redis_server.WrongPassword, OSError) as error:
        return {"answers": False, "why": str(error), "primary": None, "flags": [], "replicas": []}


# -- what follows


def decide(deployment: Deployment, seen: View) -> Decision:
    """Return who is primary: as the Sentinels say, or else the servers; as the inventory says only on the first day."""
    knowing = {endpoint: state for endpoint, state in seen["sentinels"].items() if state["primary"]}
    if knowing:
        return _by_sentinels(deployment, seen, knowing)
    return _by_servers(deployment, seen)


def _by_sentinels(deployment: Deployment, seen: View, knowing) -> Decision:
    hosts = names(deployment)
    primaries = sorted({state["primary"] for state in knowing.values()})
    names_text = ", ".join(hosts.get(each, each) for each in primaries)
    if any("failover_in_progress" in state["flags"] for state in knowing.values()):
        return Decision(None, False, f"a failover of {deployment['name']} is in progress")
    if len(primaries) > 1:
        return Decision(None, False, f"the Sentinels of {deployment['name']} do not agree on the primary: {names_text}")
    primary = primaries[0]
    if primary not in seen["nodes"]:
        return Decision(None, True, f"the Sentinels of {deployment['name']} name {primary}, which the inventory lacks")
    state = seen["nodes"][primary]
    if state["answers"] and state["role"] != "primary":
        return Decision(
            None, False, f"the Sentinels of {deployment['name']} name {names_text}, which is not primary yet"
        )
    if not state["answers"]:
        # also where its Sentinels have not noticed yet
        why = (
            f"the primary {names_text} of {deployment['name']} does not answer ({state['why']}), and a failover is due"
        )
        return Decision(None, False, why, primary)
    return Decision(primary, True, "the Sentinels say so", primary)


def _by_servers(deployment: Deployment, seen: View) -> Decision:
    nodes = {endpoint: state for endpoint, state in seen["nodes"].items() if state["answers"]}
    follows = {state["of"] for state in nodes.values() if state["role"] == "replica"}
    primaries = [endpoint for endpoint, state in nodes.items() if state["role"] == "primary"]
    followed = [endpoint for endpoint in primaries if endpoint in follows or nodes[endpoint]["replicas"]]
    if len(followed) > 1:
        hosts = names(deployment)
        both = " and ".join(hosts[endpoint] for endpoint in sorted(followed))
        why = f"{deployment['name']} has more than one primary with replicas, {both}: make one a replica of the other"
        return Decision(None, False, why)
    if followed:
        return Decision(followed[0], True, "its replicas say so")
    if follows:
        # they wait for a primary that does not answer; one that has their data was promoted in its place
        waiting = {each for state in nodes.values() if state["role"] == "replica" for each in state["history"][:1]}
        promoted = [endpoint for endpoint in primaries if waiting & set(nodes[endpoint]["history"])]
        if len(promoted) == 1:
            return Decision(promoted[0], True, "it was promoted")
        known = follows & set(seen["nodes"])
        return Decision(known.pop() if len(known) == 1 else None, True, "its replicas wait for it")
    holding = [endpoint for endpoint in primaries if nodes[endpoint]["keys"]]
    if len(holding) == 1:
        return Decision(holding[0], True, "it alone holds keys")
    return Decision(deployment["initial"], True, FIRST_DAY)


def out_of_sync(deployment: Deployment, seen: View, primary, behind=1 << 20) -> list[str]:
    """Return what keeps a deployment from losing an instance for a moment, as sentences; none means that it may.

    A replica is in line when it has its data, its link to the primary is up, and it is at most `behind` bytes back.
    """
    hosts, problems = names(deployment), []
    primary_state = seen["nodes"].get(primary, {"answers": False, "why": "nobody can say who is primary"})
    if not primary_state["answers"] or primary_state["role"] != "primary":
        return [f"the primary {hosts.get(primary, primary)} does not answer as such"]
    for endpoint, state in seen["nodes"].items():
        if endpoint == primary:
            continue
        if not state["answers"]:
            problems.append(f"{hosts[endpoint]} does not answer ({state['why']})")
        elif state["loading"] or state["syncs"]:
            problems.append(f"{hosts[endpoint]} still loads its data")
        elif state["role"] != "replica" or state["of"] != primary:
            problems.append(f"{hosts[endpoint]} is not a replica of {hosts[primary]}")
        elif not state["link"]:
            problems.append(f"{hosts[endpoint]} has no link to its primary {hosts[primary]}")
        elif primary_state["offset"] - state["offset"] > behind:
            problems.append(
                f"{hosts[endpoint]} is {primary_state['offset'] - state['offset']} bytes behind {hosts[primary]}"
            )
    return problems


def settle(look, deployment: Deployment, seconds=30) -> tuple[View, Decision]:
    """Look until the servers agree on a primary, at most so long. Returns (what was seen, the decision)."""
    until = time.monotonic() + seconds
    while True:
        seen = look()
        decision = decide(deployment, seen)
        if decision.settled or time.monotonic() > until:
            return seen, decision
        time.sleep(0.5)


def wait_in_sync(look, deployment: Deployment, primary, seconds):
    """Wait until every instance is in line; raise TimeoutError that says what is not."""
    until = time.monotonic() + seconds
    while True:
        problems = out_of_sync(deployment, look(), primary)
        if not problems:
            return
        if time.monotonic() > until:
            raise TimeoutError(f"after {seconds} s: {'; '.join(problems)}")
        time.sleep(0.2)
