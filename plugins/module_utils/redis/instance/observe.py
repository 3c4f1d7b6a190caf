"""What there is of a Redis instance on this machine: files, unit, kernel, the server's values. Reads only."""

import glob
import os

from ansible_collections.cistern.core.plugins.module_utils.host import files, folders, kernel, systemd
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Unusable
from ansible_collections.cistern.core.plugins.module_utils.redis import acl_file as redis_acl_file
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.module_utils.redis import include as redis_include
from ansible_collections.cistern.core.plugins.module_utils.redis import shadow as redis_shadow
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology
from ansible_collections.cistern.core.plugins.module_utils.redis import users as redis_users
from ansible_collections.cistern.core.plugins.module_utils.redis.client import Link
from ansible_collections.cistern.core.plugins.module_utils.redis.contract import View
from ansible_collections.cistern.core.plugins.module_utils.redis.instance import health as redis_health
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.contract import Have, Want

# Directives that say where the server writes, and the variables that say them.
VARIABLES = {"dir": "redis_data_dir", "logfile": "redis_log_file", "unixsocket": "unixsocket in redis_config"}


def observe(want: Want, link: Link) -> Have:
    """Return what is there: files, unit, kernel, the server's values, and what both versions of redis.conf mean.

    `link` gets the connection to the server, where it runs.
    """
    link.client = None
    path = want["conf"]["path"]
    found = files.observe([path, *[file["path"] for file in want["files"]]])
    have: Have = {
        "files": found,
        "unit": systemd.observe(want["unit"]),
        "kernel": kernel.observe(want["kernel"]),
        "container": kernel.in_container(),
        "version": "",
        "wanted": {},
        "on_disk": None,
        "running": None,
        "running_version": None,
        "keys": 0,
        "databases": [],
        "stored": False,
        "passwords": [],
        "descriptors": 0,
        "unsaved": {},
        "replicaof": None,
        "state": None,
        "seen": None,
        "decision": None,
        "no_password": redis_users.missing(want["users"]),
        "acl_file": "",
        "acl_default": None,
        "wrong_default": False,
        "risks": [],
        "open": [],
    }
    if not redis_server.is_installed():
        _judge_files(want)
        return have
    rules = {user["name"]: redis_users.rules(user) for user in want["users"]}
    have["version"], have["wanted"] = redis_shadow.reported(want["conf"]["content"], rules)
    text = found[path]["text"] if found[path] else None
    have["passwords"] = [want["password"], redis_conf.value(text or "", "requirepass")]
    if text is not None:
        have["on_disk"] = _on_disk(text, want["conf"]["content"], have["wanted"])
        have["replicaof"] = redis_conf.replicaof(text) if redis_conf.MARK in text else None
    _observe_acl(want, have, text or "")
    if have["unit"]["active"] in ("active", "reloading"):
        _observe_server(want, have, text or "", link)
    _observe_users(want, have, text or "", link)
    have["stored"] = _stored(have["on_disk"] or have["wanted"])
    if want["deployment"]:
        have["seen"], have["decision"] = redis_topology.settle(
            lambda: look(want, have, link), want["deployment"], want["patience"]
        )
    return have


def _judge_files(want: Want):
    """Judge the files that the configuration names, as far as it can be known before there is a server."""
    path = redis_conf.value(redis_include.expanded(want["conf"]["content"]), "aclfile")
    if path:
        state = redis_acl_file.of_default(redis_acl_file.read(path))
        redis_acl_file.judge(path, state, (want["deployment"] or {}).get("mode", ""))
        redis_acl_file.refuse_other_password(path, state, want["password"])


def _observe_acl(want: Want, have: Have, text):
    """Tell of the user `default`, as an ACL file or a line of redis.conf makes it. Raises redis_acl_file.Unusable."""
    path = have["acl_file"] = have["wanted"]["aclfile"]
    users = redis_users.in_file(text)
    if not path:
        have["wrong_default"] = redis_acl_file.contradicts(text, want["password"])
        return
    # before 6.2 there are no channels to be denied
    channels = have["wanted"].get("acl-pubsub-default", "allchannels") == "allchannels"
    have["acl_default"] = redis_acl_file.of_default(redis_acl_file.read(path), channels)
    redis_acl_file.judge(path, have["acl_default"], (want["deployment"] or {}).get("mode", ""))
    redis_acl_file.refuse_lost_users(
        want["conf"]["path"], set(users) - set(redis_users.ours(users, want["users"])), path
    )
    have["wrong_default"] = bool(users)
    have["risks"] = redis_acl_file.risks(path)


def unreachable(want: Want) -> list[str]:
    """Return why the server could not reach its data or its log, as sentences: a folder on the way is closed to it."""
    found = {variable: redis_conf.value(want["conf"]["content"], name) for name, variable in VARIABLES.items()}
    return [
        f"{variable}: {text}; let it pass (chmod o+x), or write another path"
        for variable, path in found.items()
        if path and (text := folders.closed_to(path, redis_server.USER))
    ]


def look(want: Want, have: Have, link: Link) -> View:
    """Ask the deployment; the instance on this machine, if it runs, through the connection that there is."""
    own = redis_topology.node_state(link.client.info()) if link.client else None
    have["state"] = own
    return redis_topology.view(want["deployment"], have["passwords"], want["sentinel_password"], own)


def _on_disk(text, content, wanted):
    if text == content:
        return {name: value for name, value in wanted.items() if not name.startswith(redis_users.KEY)}
    try:
        return redis_shadow.meaning(text, redis_users.in_file(text))
    except (Unusable, redis_include.Unreadable, redis_acl_file.Unusable):
        # what it says is replaced by what is wanted, whatever it means
        return None


def _observe_server(want: Want, have: Have, text, link: Link):
    bound = redis_conf.value(text, "bind", "").split()
    client = redis_server.connect(
        want["addresses"][:1] + bound[:1],
        # on the port that is wanted, a stranger may listen who never answers
        [redis_conf.value(text, "port", want["port"]), want["port"]],
        # one that somebody has opened refuses every password, and has to be closed
        [*have["passwords"], ""],
    )
    redis_server.wait_loaded(client)
    info = client.info()
    if int(info["process_id"]) != have["unit"]["pid"]:
        raise ConnectionError(
            f"port {want['port']} is served by process {info['process_id']}, which is not {want['unit']}"
        )
    databases = {
        int(name[2:]): value["keys"] for name, value in info.items() if name.startswith("db") and name[2:].isdigit()
    }
    link.client = client
    have["descriptors"] = systemd.descriptors(have["unit"]["pid"])
    have["running"] = redis_server.running(client)
    have["running_version"] = info["redis_version"]
    have["keys"] = sum(databases.values())
    have["databases"] = list(databases)
    have["open"] = redis_server.open_to_everybody(want["addresses"], want["port"])
    have["unsaved"] = {name: info[name] for name in redis_health.SAVED if info.get(name, "ok") != "ok"}


def _observe_users(want: Want, have: Have, text, link: Link):
    """Let what is wanted, on disk and running have the same users, all of them ours; '' is one that is not there.

    A server that waits for its restart into another version reports rights in another way: what its file says counts.
    """
    running = redis_users.of_server(link.client) if link.client else {}
    names = redis_users.ours([*running, *redis_users.in_file(text)], want["users"])
    for name in names:
        key = redis_users.KEY + name
        have["wanted"][key] = have["wanted"].get(key, "") + (redis_users.NOBODY if name in have["no_password"] else "")
        wanted = have["wanted"][key]
        if have["on_disk"] is not None:
            # with a file of their own, users are not in redis.conf
            have["on_disk"][key] = wanted if have["acl_file"] else have["on_disk"].get(key, "")
        if have["running"] is not None:
            same = have["running_version"] == have["version"] or name not in running
            have["running"][key] = running.get(name, "") if same else wanted


def _stored(settings):
    """Whether a folder of data holds a snapshot or an AOF (a file before 7.0, a folder since)."""
    folder = settings.get("dir") or "/var/lib/redis"
    names = [settings.get(name) for name in ("dbfilename", "appendfilename", "appenddirname")]
    return any(glob.glob(os.path.join(folder, name)) for name in names if name)


def immutable(by_series, version):
    """Return the directives that this version takes only at its start: those of the newest series that is not newer."""
    known = [series for series in by_series if version and _series(series) <= _series(version)]
    return by_series[max(known, key=_series)] if known else []


def _series(version):
    return [int(part) for part in version.split(".")[:2]]
