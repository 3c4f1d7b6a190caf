"""How a cluster's nodes become those of the inventory, and when that is refused: pure, so each decision is a test."""

from ansible_collections.cistern.core.plugins.module_utils.citus.cluster import endpoint_of, unmovable
from ansible_collections.cistern.core.plugins.module_utils.citus.contract import NodeState
from ansible_collections.cistern.core.plugins.module_utils.citus.nodes.contract import Have, Step, Want, Worker
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.host.formatting import pg_size

# A shard is copied before its old copy is deleted, and indexes are built beside it.
MARGIN = 1.2
FREE = "citus_node_free_bytes"


def plan(want: Want, have: Have) -> list[Step]:
    """Return the steps, in order. Empty means that all is as the inventory says."""
    _refuse_here(want, have)
    coordinator = endpoint_of(want["coordinator"])
    known = {endpoint: node for endpoint, node in have["nodes"].items() if node["group"] != 0}
    emptied = [endpoint_of(node) for node in _leaving(want, have) if have["shards"][endpoint_of(node)]["count"]]
    absent = [endpoint_of(node) for node in _absent(want)]
    dead = [endpoint for endpoint in absent if endpoint in known and _empty_and_silent(endpoint, have)]
    # first, as the others cannot change while a node does not answer
    steps: list[Step] = [{"do": "forget", "endpoint": endpoint} for endpoint in dead]
    registered = next((endpoint for endpoint, node in have["nodes"].items() if node["group"] == 0), None)
    if any(node["active"] and not node["synced"] for node in known.values()):
        steps.append({"do": "sync"})
    if registered != coordinator:
        steps.append({"do": "coordinator", "endpoint": coordinator, "was": registered})
    for node in _present(want):
        endpoint = endpoint_of(node)
        if endpoint not in known:
            steps.append({"do": "add", "endpoint": endpoint})
        elif not known[endpoint]["active"]:
            steps.append({"do": "activate", "endpoint": endpoint})
        takes = known.get(endpoint, {"takes": True})["takes"]
        if node["shards"] != takes and endpoint not in emptied:
            steps.append({"do": "drain" if takes else "take_shards", "endpoint": endpoint})
    steps += [{"do": "drain", "endpoint": endpoint} for endpoint in emptied if known[endpoint]["takes"]]
    steps += _moves(want, have, steps, emptied)
    steps += [{"do": "remove", "endpoint": each} for each in absent if each in known and each not in dead]
    if steps and have["job"] and steps[0]["do"] != "wait":
        steps.insert(0, {"do": "wait"})
    problems = _problems(want, have, steps, emptied)
    if problems:
        raise Refused(*problems)
    return steps


def _present(want: Want) -> list[Worker]:
    return [node for node in want["nodes"] if node["state"] == "present"]


def _absent(want: Want) -> list[Worker]:
    return [node for node in want["nodes"] if node["state"] == "absent"]


def _leaving(want: Want, have: Have) -> list[Worker]:
    """Return the nodes that may keep no shard."""
    nodes = [node for node in want["nodes"] if node["state"] == "absent" or not node["shards"]]
    return [node for node in nodes if endpoint_of(node) in have["nodes"]]


def _empty_and_silent(endpoint, have: Have):
    return not have["answers"][endpoint]["ok"] and not have["shards"][endpoint]["count"]


def _refuse_here(want: Want, have: Have):
    if have["group"] != 0:
        raise Refused(f"this server is a worker (group {have['group']}), and nodes are declared at the coordinator")
    if have["port"] != want["coordinator"]["port"]:
        raise Refused(
            f"this server listens on port {have['port']} and the coordinator is to be reached at port "
            f"{want['coordinator']['port']}: one of the two is wrong"
        )
    endpoints = [endpoint_of(want["coordinator"]), *[endpoint_of(node) for node in want["nodes"]]]
    twice = sorted({endpoint for endpoint in endpoints if endpoints.count(endpoint) > 1})
    if twice:
        raise Refused(f"two nodes have one address: {', '.join(twice)}")


def _moves(want: Want, have: Have, steps: list[Step], emptied) -> list[Step]:
    """Return the steps that move shards. Moves that are under way are waited for, and then planned anew."""
    some = any(answer["count"] for answer in have["shards"].values())
    shifted = any(step["do"] in ("add", "take_shards", "drain") for step in steps)
    rebalance = want["rebalance"] and some and bool(shifted or have["uneven"] or have["job"])
    if not emptied and not rebalance:
        return []
    if have["job"] and not shifted:
        return [{"do": "wait"}]
    move: Step = {
        "do": "move",
        "off": emptied,
        "bytes": sum(have["shards"][endpoint]["bytes"] or 0 for endpoint in emptied),
        "rebalance": want["rebalance"],
    }
    return [move, {"do": "wait"}]


def _problems(want: Want, have: Have, steps: list[Step], emptied) -> list[str]:
    """Return what has to be put right before a step is taken."""
    if not steps:
        return []
    forgotten = [step["endpoint"] for step in steps if step["do"] == "forget"]
    problems = [text for text, hard in _silent(want, have, emptied, forgotten) if hard]
    if any(step["do"] == "move" for step in steps) and not problems:
        problems += unmovable(have, want["shard_transfer_mode"], names(want))
    if emptied:
        problems += _no_room(want, have, emptied)
    return problems


def _silent(want: Want, have: Have, emptied, forgotten):
    """Yield (what is wrong with a node, whether it stops the run); in a check run a new node may not be made yet."""
    hosts = names(want)
    for endpoint, answer in have["answers"].items():
        if endpoint in forgotten:
            continue
        new = endpoint not in have["nodes"]
        host = hosts.get(endpoint, endpoint)
        if not answer["ok"]:
            lost = (
                f", and it holds {have['shards'][endpoint]['count']} shards that nobody else has"
                if endpoint in emptied
                else ""
            )
            yield f"{host} does not answer ({answer['message']}){lost}", not (new and want["check"])
        elif answer["extension"] is None:
            yield (
                f"{host} has no extension citus in this database: CREATE EXTENSION citus there",
                not (new and want["check"]),
            )
        elif new and answer["extension"] != have["extension"]:
            yield (
                f"{host} has Citus {answer['extension']} and the coordinator {have['extension']}: bring both "
                "to one version",
                True,
            )


def _no_room(want: Want, have: Have, emptied):
    """Return which nodes cannot take what the others give up."""
    hosts, staying = names(want), {endpoint_of(node) for node in _present(want) if node["shards"]}
    takers = [
        endpoint
        for endpoint, node in have["nodes"].items()
        if endpoint in staying or (node["group"] == 0 and node["takes"])
    ]
    takers += [endpoint for endpoint in staying if endpoint not in have["nodes"]]
    if not takers:
        leaving = ", ".join(hosts[endpoint] for endpoint in emptied)
        verb = "hold" if len(emptied) > 1 else "holds"
        return [f"{leaving} {verb} the last shards, and no other node could take them: add one first"]
    held = [have["shards"][each]["bytes"] if each in have["shards"] else 0 for each in [*takers, *emptied]]
    total = [each for each in held if each is not None]
    if len(total) < len(held):
        return []
    share, problems = sum(total) / len(takers), []
    for endpoint, has in zip(takers, total):
        needs, free = (share - has) * MARGIN, want["free_bytes"].get(endpoint)
        if free is not None and needs > free:
            problems.append(
                f"{hosts.get(endpoint, endpoint)} has {pg_size(free)} free and would need about {pg_size(needs)} for "
                f"the shards of {', '.join(hosts[each] for each in emptied)}"
            )
    return problems


def names(want: Want) -> dict[str, str]:
    """Return {endpoint: inventory name}."""
    return {endpoint_of(node): node["host"] for node in [want["coordinator"], *want["nodes"]]}


def notes(want: Want, have: Have) -> list[str]:
    """Return what an operator should know and a run does not change."""
    hosts, found = names(want), []
    silent = list(_silent(want, have, [], []))
    for endpoint, node in have["nodes"].items():
        if endpoint not in hosts and node["group"] != 0:
            found.append(
                f"{endpoint} is a node that the inventory lacks, with {have['shards'][endpoint]['count']} shards: add "
                "its host, as absent if it is to be removed"
            )
    found += [text for text, _hard in silent]
    idle = [
        hosts[endpoint_of(node)]
        for node in _present(want)
        if node["shards"] and endpoint_of(node) in have["nodes"] and not have["shards"][endpoint_of(node)]["count"]
    ]
    if idle and any(answer["count"] for answer in have["shards"].values()) and not want["rebalance"]:
        found.append(f"{', '.join(idle)} holds no shards yet: only a rebalance moves those that there are")
    return found


def describe(step: Step, hosts) -> str:
    """Return a step as a sentence."""
    host = hosts.get(step.get("endpoint"), step.get("endpoint"))
    if step["do"] == "coordinator":
        return f"set the coordinator's address to {step['endpoint']}" + (f" (was {step['was']})" if step["was"] else "")
    if step["do"] == "move":
        off = f"move every shard off {', '.join(hosts[each] for each in step['off'])} ({pg_size(step['bytes'])})"
        if not step["off"]:
            return "rebalance the shards"
        return off + (" and rebalance the others" if step["rebalance"] else "")
    return {
        "add": f"add {host}",
        "activate": f"activate {host}",
        "sync": "wait until every node has the metadata",
        "take_shards": f"let {host} hold shards again",
        "drain": f"let {host} get no more shards",
        "wait": "wait until the shards have moved",
        "remove": f"remove {host}",
        "forget": f"remove {host}, which holds no shard and does not answer",
    }[step["do"]]


def afterwards(want: Want, have: Have) -> dict[str, NodeState]:
    """Return the nodes as they will be."""
    nodes = {endpoint: node for endpoint, node in have["nodes"].items() if node["group"] != 0}
    for node in _present(want):
        nodes[endpoint_of(node)] = {"group": None, "active": True, "synced": True, "takes": node["shards"]}
    for node in _absent(want):
        nodes.pop(endpoint_of(node), None)
    takes = next((node["takes"] for node in have["nodes"].values() if node["group"] == 0), False)
    nodes[endpoint_of(want["coordinator"])] = {"group": 0, "active": True, "synced": True, "takes": takes}
    return nodes


def shown(nodes, hosts):
    """Return nodes as text, for a diff."""
    return "".join(
        f"{hosts.get(endpoint, endpoint)} {endpoint}: {'coordinator' if node['group'] == 0 else 'worker'}"
        f"{'' if node['active'] else ', inactive'}{', may hold shards' if node['takes'] else ''}\n"
        for endpoint, node in sorted(nodes.items())
    )


def fresh(want: Want) -> Have:
    """Return the state of a cluster that does not exist yet."""
    return {
        "extension": "",
        "group": 0,
        "port": want["coordinator"]["port"],
        "nodes": {},
        "job": None,
        "answers": {},
        "shards": {},
        "bare": [],
        "local": {"name": "", "ok": True, "message": "", "extension": "", "wal_level": "logical"},
        "uneven": 0,
    }
