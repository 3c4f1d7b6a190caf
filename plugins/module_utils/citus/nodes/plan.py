"""How a cluster's nodes become those of the inventory, and when that is refused: pure, so that each decision is a test.

want  {coordinator, nodes, rebalance, shard_transfer_mode, free_bytes, check}
have  what observe() of citus_cluster found, and `uneven`: the moves that a rebalance would make now
"""

from ansible_collections.cistern.core.plugins.module_utils.citus.cluster import place, size, unmovable
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused

# A shard is copied before its old copy is deleted, and indexes are built beside it.
MARGIN = 1.2
FREE = "citus_node_free_bytes"


def plan(want, have):
    """Return the steps, in order. Empty means that all is as the inventory says."""
    _refuse_here(want, have)
    coordinator = place(want["coordinator"])
    known = {at: node for at, node in have["nodes"].items() if node["group"] != 0}
    emptied = [place(node) for node in _leaving(want, have) if have["shards"][place(node)]["count"]]
    dead = [place(node) for node in _absent(want) if place(node) in known and _empty_and_silent(place(node), have)]
    # first, as the others cannot change while a node does not answer
    steps = [{"do": "forget", "at": at} for at in dead]
    lead = next((at for at, node in have["nodes"].items() if node["group"] == 0), None)
    if any(node["active"] and not node["synced"] for node in known.values()):
        steps.append({"do": "sync"})
    if lead != coordinator:
        steps.append({"do": "coordinator", "at": coordinator, "was": lead})
    for node in _present(want):
        at = place(node)
        if at not in known:
            steps.append({"do": "add", "at": at})
        elif not known[at]["active"]:
            steps.append({"do": "activate", "at": at})
        takes = known.get(at, {"takes": True})["takes"]
        if node["shards"] != takes and at not in emptied:
            steps.append({"do": "release" if takes else "hold", "at": at})
    steps += [{"do": "release", "at": at} for at in emptied if known[at]["takes"]]
    steps += _moves(want, have, steps, emptied)
    steps += [
        {"do": "remove", "at": place(node)}
        for node in _absent(want)
        if place(node) in known and place(node) not in dead
    ]
    if steps and have["job"] and steps[0]["do"] != "wait":
        steps.insert(0, {"do": "wait"})
    problems = _problems(want, have, steps, emptied)
    if problems:
        raise Refused(*problems)
    return steps


def _present(want):
    return [node for node in want["nodes"] if node["state"] == "present"]


def _absent(want):
    return [node for node in want["nodes"] if node["state"] == "absent"]


def _leaving(want, have):
    """Return the nodes that may keep no shard."""
    nodes = [node for node in want["nodes"] if node["state"] == "absent" or not node["shards"]]
    return [node for node in nodes if place(node) in have["nodes"]]


def _empty_and_silent(at, have):
    return not have["answers"][at]["ok"] and not have["shards"][at]["count"]


def _refuse_here(want, have):
    if have["group"] != 0:
        raise Refused(f"this server is a worker (group {have['group']}), and nodes are declared at the coordinator")
    if have["port"] != want["coordinator"]["port"]:
        raise Refused(
            f"this server listens on port {have['port']} and the coordinator is to be reached at port "
            f"{want['coordinator']['port']}: one of the two is wrong"
        )
    places = [place(want["coordinator"]), *[place(node) for node in want["nodes"]]]
    twice = sorted({at for at in places if places.count(at) > 1})
    if twice:
        raise Refused(f"two nodes have one address: {', '.join(twice)}")


def _moves(want, have, steps, emptied):
    """Return the steps that move shards. Moves that are under way are waited for, and then planned anew."""
    some = any(says["count"] for says in have["shards"].values())
    shifted = any(step["do"] in ("add", "hold", "release") for step in steps)
    rebalance = want["rebalance"] and some and bool(shifted or have["uneven"] or have["job"])
    if not emptied and not rebalance:
        return []
    if have["job"] and not shifted:
        return [{"do": "wait"}]
    move = {
        "do": "move",
        "off": emptied,
        "bytes": sum(have["shards"][at]["bytes"] or 0 for at in emptied),
        "rebalance": want["rebalance"],
    }
    return [move, {"do": "wait"}]


def _problems(want, have, steps, emptied):
    """Return what has to be put right before a step is taken."""
    if not steps:
        return []
    forgotten = [step["at"] for step in steps if step["do"] == "forget"]
    problems = [text for text, hard in _silent(want, have, emptied, forgotten) if hard]
    if any(step["do"] == "move" for step in steps) and not problems:
        problems += unmovable(have, want["shard_transfer_mode"], names(want))
    if emptied:
        problems += _no_room(want, have, emptied)
    return problems


def _silent(want, have, emptied, forgotten):
    """Yield (what is wrong with a node, whether it stops the run); in a check run a new node may not be made yet."""
    hosts = names(want)
    for at, says in have["answers"].items():
        if at in forgotten:
            continue
        new = at not in have["nodes"]
        host = hosts.get(at, at)
        if not says["ok"]:
            lost = f", and it holds {have['shards'][at]['count']} shards that nobody else has" if at in emptied else ""
            yield f"{host} does not answer ({says['says']}){lost}", not (new and want["check"])
        elif says["extension"] is None:
            yield (
                f"{host} has no extension citus in this database: CREATE EXTENSION citus there",
                not (new and want["check"]),
            )
        elif new and says["extension"] != have["extension"]:
            yield (
                f"{host} has Citus {says['extension']} and the coordinator {have['extension']}: bring both "
                "to one version",
                True,
            )


def _no_room(want, have, emptied):
    """Return which nodes cannot take what the others give up."""
    hosts, staying = names(want), {place(node) for node in _present(want) if node["shards"]}
    takers = [at for at, node in have["nodes"].items() if at in staying or (node["group"] == 0 and node["takes"])]
    takers += [at for at in staying if at not in have["nodes"]]
    if not takers:
        leaving = ", ".join(hosts[at] for at in emptied)
        verb = "hold" if len(emptied) > 1 else "holds"
        return [f"{leaving} {verb} the last shards, and no other node could take them: add one first"]
    total = [have["shards"].get(at, {"bytes": 0})["bytes"] for at in [*takers, *emptied]]
    if None in total:
        return []
    share, problems = sum(total) / len(takers), []
    for at, has in zip(takers, total):
        needs, free = (share - has) * MARGIN, want["free_bytes"].get(at)
        if free is not None and needs > free:
            problems.append(
                f"{hosts.get(at, at)} has {size(free)} free and would need about {size(needs)} for the shards of "
                f"{', '.join(hosts[each] for each in emptied)}"
            )
    return problems


def names(want):
    """Return {endpoint: inventory name}."""
    return {place(node): node["host"] for node in [want["coordinator"], *want["nodes"]]}


def notes(want, have):
    """Return what an operator should know and a run does not change."""
    hosts, told = names(want), []
    silent = list(_silent(want, have, [], []))
    for at, node in have["nodes"].items():
        if at not in hosts and node["group"] != 0:
            told.append(
                f"{at} is a node that the inventory lacks, with {have['shards'][at]['count']} shards: add its host, "
                "as absent if it is to be removed"
            )
    told += [text for text, _hard in silent]
    idle = [
        hosts[place(node)]
        for node in _present(want)
        if node["shards"] and place(node) in have["nodes"] and not have["shards"][place(node)]["count"]
    ]
    if idle and any(says["count"] for says in have["shards"].values()) and not want["rebalance"]:
        told.append(f"{', '.join(idle)} holds no shards yet: only a rebalance moves those that there are")
    return told


def describe(step, hosts):
    """Return a step as a sentence."""
    at = hosts.get(step.get("at"), step.get("at"))
    if step["do"] == "coordinator":
        return f"set the coordinator's address to {step['at']}" + (f" (was {step['was']})" if step["was"] else "")
    if step["do"] == "move":
        off = f"move every shard off {', '.join(hosts[at] for at in step['off'])} ({size(step['bytes'])})"
        if not step["off"]:
            return "rebalance the shards"
        return off + (" and rebalance the others" if step["rebalance"] else "")
    return {
        "add": f"add {at}",
        "activate": f"activate {at}",
        "sync": "wait until every node has the metadata",
        "hold": f"let {at} hold shards again",
        "release": f"let {at} get no more shards",
        "wait": "wait until the shards have moved",
        "remove": f"remove {at}",
        "forget": f"remove {at}, which holds no shard and does not answer",
    }[step["do"]]


def afterwards(want, have):
    """Return the nodes as they will be."""
    new = {"group": None, "active": True, "synced": True}
    nodes = {at: node for at, node in have["nodes"].items() if node["group"] != 0}
    nodes.update({place(node): {**new, "takes": node["shards"]} for node in _present(want)})
    for node in _absent(want):
        nodes.pop(place(node), None)
    lead = next((node for node in have["nodes"].values() if node["group"] == 0), {"takes": False})
    return {**nodes, place(want["coordinator"]): {**lead, "group": 0, "active": True, "synced": True}}


def shown(nodes, hosts):
    """Return nodes as text, for a diff."""
    return "".join(
        f"{hosts.get(at, at)} {at}: {'coordinator' if node['group'] == 0 else 'worker'}"
        f"{'' if node['active'] else ', inactive'}{', may hold shards' if node['takes'] else ''}\n"
        for at, node in sorted(nodes.items())
    )


def fresh(want):
    """Return the state of a cluster that does not exist yet."""
    unknown = {"ok": True, "says": "", "extension": "", "wal_level": "logical"}
    return {
        "extension": "",
        "group": 0,
        "port": want["coordinator"]["port"],
        "nodes": {},
        "job": None,
        "answers": {},
        "shards": {},
        "bare": [],
        "local": {"name": "", **unknown},
        "uneven": 0,
    }
