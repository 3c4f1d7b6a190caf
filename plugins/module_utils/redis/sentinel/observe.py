"""What there is of a Sentinel on this machine: files, unit, what it watches, what it accepts. Reads only."""

import os

from ansible_collections.cistern.core.plugins.module_utils.host import files, systemd
from ansible_collections.cistern.core.plugins.module_utils.host import names as host_names
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.module_utils.redis import shadow as redis_shadow
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology
from ansible_collections.cistern.core.plugins.module_utils.redis import users as redis_users
from ansible_collections.cistern.core.plugins.module_utils.redis.client import Link
from ansible_collections.cistern.core.plugins.module_utils.redis.connection import pairs
from ansible_collections.cistern.core.plugins.module_utils.redis.contract import Deployment
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel import conf
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.contract import Have, Want

BINARY = "/usr/bin/redis-sentinel"


def installed_version():
    """Return the version of the program, or '' where there is none that could be asked."""
    return redis_server.version_of(BINARY) if os.path.exists(BINARY) else ""


def observe(want: Want, link: Link) -> Have:
    """Return what there is; without a running Sentinel, its file says what it watches.

    `link` gets the connection to the Sentinel, where it runs.
    """
    link.client = None
    path = want["conf"]["path"]
    found = files.observe([path, *[file["path"] for file in want["files"]]])
    text = found[path]["text"] if found[path] else None
    reported = conf.read(text)
    have: Have = {
        "files": found,
        "unit": systemd.observe(want["unit"]),
        "text": text,
        "ours": text is not None and redis_conf.MARK in text,
        "first": text is None or files.as_packaged(path, text),
        "version": installed_version(),
        "running_version": None,
        "settings": reported["settings"],
        "own": {**conf.OWN_DEFAULTS, **reported["own"]},
        "monitors": reported["monitors"],
        "passwords": reported["passwords"],
        "passwords_on_disk": reported["passwords"],
        "knows": {},
        "flags": {},
        "quorum": {},
        "lost": {},
        "expected": {each["name"]: _expected(each) for each in want["deployments"]},
        # where each deployment's primary is, as far as it was asked; which must not be touched, and which nobody knows
        "primaries": {each["name"]: each["initial"] for each in want["deployments"]},
        "blocked": {},
        "unknown": {},
        "no_password": redis_users.missing(want["users"]),
        "users": {},
        "users_running": {},
        "users_on_disk": True,
    }
    if have["unit"]["active"] in ("active", "reloading") and have["version"]:
        _observe_sentinel(want, have, reported, link)
    if have["version"] and conf.live(have["running_version"] or have["version"]):
        _observe_users(want, have, link)
    return have


def _observe_users(want: Want, have: Have, link: Link):
    """Observe the users that are ours, wanted and running, as a Sentinel puts their rules; '' is one that lacks."""
    in_file = redis_users.in_file(have["text"] or "")
    there = redis_users.of_server(link.client) if link.client else {}
    names = redis_users.ours([*there, *in_file], want["users"])
    if not names:
        return
    rules = {("wanted", user["name"]): redis_users.rules(user) for user in want["users"]}
    meanings = redis_shadow.of_a_sentinel({**rules, **{("file", name): words for name, words in in_file.items()}})
    if not link.client:
        there = {name: meanings["file", name] for name in in_file}
    # one that waits for its restart into another version reports rights in another way
    same = not link.client or have["running_version"] == have["version"]
    for name in names:
        wanted = meanings.get(("wanted", name), "") + (redis_users.NOBODY if name in have["no_password"] else "")
        have["users"][redis_users.KEY + name] = wanted
        have["users_running"][redis_users.KEY + name] = there.get(name, "") if same or name not in there else wanted
        have["users_on_disk"] &= meanings.get(("file", name), "") == wanted


def reach(want: Want, reported, seconds=10):
    """Return a client of this machine's Sentinel; its file knows where it listens and what it accepted before."""
    wanted = conf.read(want["conf"]["content"])["settings"]
    had = reported["settings"]
    old = [reported["own"].get("sentinel-pass"), " ".join(had.get("requirepass", [])), ""]
    return redis_server.connect(
        had.get("bind", [])[:1] + wanted["bind"][:1],
        [*had.get("port", []), *wanted["port"]],
        [want["password"], *[each for each in old if each is not None]],
        seconds,
    )


def _observe_sentinel(want: Want, have: Have, reported, link: Link):
    client = reach(want, reported)
    info = client.info()
    if int(info["process_id"]) != have["unit"]["pid"]:
        raise ConnectionError(f"process {info['process_id']} answers in place of {want['unit']}")
    link.client = client
    have["running_version"] = info["redis_version"]
    if conf.live(have["running_version"]):
        own = pairs(client.execute_command("SENTINEL", "CONFIG", "GET", "*"))
        have["own"] = {**have["own"], **{name: str(value) for name, value in own.items()}}
        user = pairs(client.execute_command("ACL", "GETUSER", "default"))
        have["passwords"] = list(user["passwords"])
    have["monitors"] = {}
    for entry in client.execute_command("SENTINEL", "MASTERS"):
        master = pairs(entry)
        name = master["name"]
        in_file = reported["monitors"].get(name, conf.DEFAULTS)
        hooks = dict.fromkeys(conf.HOOKS, "")
        # the password is not in SENTINEL MASTER, but every change of it is written into the file
        have["monitors"][name] = {**in_file, **hooks, **{key: str(value) for key, value in master.items()}}
        have["flags"][name], have["quorum"][name] = master["flags"].split(","), quorum(client, name)
        others = {"replica": known(client, "REPLICAS", name), "sentinel": known(client, "SENTINELS", name)}
        have["knows"][name] = {kind: list(endpoints) for kind, endpoints in others.items()}
        have["lost"][name] = {
            kind: [endpoint for endpoint, each in endpoints.items() if {"s_down", "disconnected"} & set(each)]
            for kind, endpoints in others.items()
        }
        if "failover_in_progress" in have["flags"][name]:
            have["blocked"][name] = f"a failover of {name} is in progress"


def quorum(client, name):
    """Return why the Sentinels could not agree on a failover, '' where they could (SENTINEL CKQUORUM)."""
    try:
        client.execute_command("SENTINEL", "CKQUORUM", name)
        return ""
    except redis_server.RedisError as error:
        return str(error)


def known(client, kind, name):
    """Return {endpoint: flags} of the replicas or the other Sentinels that a Sentinel knows."""
    found = map(pairs, client.execute_command("SENTINEL", kind, name))
    return {endpoint_of_reply(each): each["flags"].split(",") for each in found}


def endpoint_of_reply(reported):
    return redis_topology.endpoint_key(reported["ip"], reported["port"])


def _expected(deployment):
    return {"replica": spellings(deployment["nodes"]), "sentinel": spellings(deployment["sentinels"])}


def spellings(endpoints):
    """Return how Sentinel may report {address, port}: a name also as what it stands for."""
    found, answers = set(), host_names.resolve([each["address"] for each in endpoints])
    for each in endpoints:
        resolved = answers[each["address"]]["addresses"]
        found |= {redis_topology.endpoint_key(address, each["port"]) for address in [each["address"], *resolved]}
    return found


def settle(want: Want, have: Have, names, seconds=30):
    """Ask who is primary of these deployments; where that is about to change, wait for it for so long."""
    for each in want["deployments"]:
        if each["name"] not in names:
            continue
        deployment: Deployment = {
            "name": each["name"],
            "mode": each["mode"],
            "me": None,
            "initial": each["initial"],
            "nodes": each["nodes"],
            "sentinels": each["sentinels"],
        }
        nodes = list(dict.fromkeys([each["auth_pass"], have["monitors"].get(each["name"], {}).get("auth-pass", "")]))

        def look(deployment=deployment, nodes=nodes):
            return redis_topology.view(deployment, nodes, want["password"])

        seen, decision = redis_topology.settle(look, deployment, seconds)
        flags_of_all = [state["flags"] for state in seen["sentinels"].values()]
        if any("failover_in_progress" in each for each in flags_of_all):
            have["blocked"][each["name"]] = (
                f"A failover of {each['name']} is in progress, and after {seconds} s it is not over: "
                "its monitor is left as it is. Run again when it is over."
            )
        else:
            have["blocked"].pop(each["name"], None)
        state = seen["nodes"].get(decision.primary or "", {"answers": True})
        if decision.primary is None:
            have["unknown"][each["name"]] = f"The monitor of {each['name']} is not added: {decision.why}."
        elif not state["answers"] and not want["check"]:
            have["unknown"][each["name"]] = (
                f"The monitor of {each['name']} is not added: its primary {decision.primary} does not answer "
                f"({state['why']})."
            )
        else:
            have["primaries"][each["name"]] = decision.primary
