"""What to do so that a Redis instance is what the inventory says: pure, so that each decision is a test case."""

from ansible_collections.cistern.core.plugins.module_utils.host import files, kernel, secrets
from ansible_collections.cistern.core.plugins.module_utils.host.contract import WantedFile
from ansible_collections.cistern.core.plugins.module_utils.host.errors import LosesData
from ansible_collections.cistern.core.plugins.module_utils.redis import acl_file as redis_acl_file
from ansible_collections.cistern.core.plugins.module_utils.redis import users as redis_users
from ansible_collections.cistern.core.plugins.module_utils.redis.instance import replication as redis_roles
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.contract import Have, Settings, Step, Want

# Changed by a procedure, never by a value in a file and a restart: that would start with an empty AOF.
APPEND_ONLY = "appendonly"
# Lines that the server reads at its start and does not report by CONFIG GET; observed by what they bring about.
AT_START = ("rename-command", "loadmodule")
# Steps that take an instance away for a moment.
RESTART = ("switch over", "restart")
# What the server keeps for itself (CONFIG_MIN_RESERVED_FDS in its src/server.h).
OWN_DESCRIPTORS = 32


def differences(want: Settings, have: Settings, aliases):
    """Return {directive: (have, want)}. A directive with two names counts once, by its present name."""
    old = {other for other, name in aliases.items() if name in want}
    return {
        name: (have.get(name), wanted)
        for name, wanted in sorted(want.items())
        if name not in old and have.get(name) != wanted
    }


def plan(want: Want, have: Have) -> list[Step]:
    """Return the steps, in order. Empty means that all is as it should be."""
    steps = _kernel(want, have) + [{"do": "make password", "name": name} for name in have["no_password"]]
    changed = [file for file in want["files"] if files.differs(file, have["files"].get(file["path"]))]
    steps += [
        {"do": "remove" if file.get("absent") else "write", "path": file["path"], **_unmodified(file, have)}
        for file in changed
    ]
    if have["unit"]["reload"] or any(file.get("unit") or file.get("manager") for file in changed):
        steps.append({"do": "reload units"})
    conf = _conf(want, have)
    running = have["running"]
    return steps + (_start(want, have, conf) if running is None else _change(want, have, running, conf))


def _unmodified(file: WantedFile, have: Have):
    """Return the time a unit's file keeps where only its comments change: nobody restarts for a comment."""
    found = have["files"].get(file["path"])
    if not found or not file.get("unit") or file.get("absent"):
        return {}
    same = files.meaning(file.get("content")) == files.meaning(found["text"])
    return {"modified": found["mtime"]} if same else {}


def _kernel(want: Want, have: Have) -> list[Step]:
    if have["container"]:
        return []
    return [
        {"do": "kernel", "name": name, "have": have["kernel"][name], "want": value}
        for name, value in want["kernel"].items()
        if name in have["kernel"] and not kernel.enough(name, have["kernel"][name], value)
    ]


def _conf(want: Want, have: Have) -> list[Step]:
    """Return the step that writes redis.conf, or none: a file is compared by what the server makes of it."""
    attributes = files.differs({**want["conf"], "content": None}, have["files"].get(want["conf"]["path"]))
    same = have["on_disk"] is not None and not differences(have["wanted"], have["on_disk"], want["aliases"])
    follow = redis_roles.follow(want, have)
    if have["wrong_default"] or (follow is not None and follow != have["replicaof"]):
        same = False
    step: Step = {"do": "write", "path": want["conf"]["path"]}
    if follow is not None:
        step["replicaof"] = follow
    return [] if same and not attributes else [step]


def _start(want: Want, have: Have, conf: list[Step]) -> list[Step]:
    steps = list(conf)
    enable: list[Step] = [] if have["unit"]["enabled"] == "enabled" else [{"do": "enable", "unit": want["unit"]}]
    start: list[Step] = [{"do": "start", "unit": want["unit"]}]
    if not have["version"]:
        return steps + start + enable
    if have["acl_default"]:
        redis_acl_file.refuse_other_password(have["acl_file"], have["acl_default"], want["password"])
    before = (have["on_disk"] or {}).get(APPEND_ONLY, "no")
    after = have["wanted"][APPEND_ONLY]
    _refuse_moved_data(have["wanted"], have["on_disk"] or {}, have["stored"])
    if have["stored"] and before != after:
        # The data lies where the old value put it: start with that, then switch while the server runs.
        return [{**conf[0], "appendonly": before}, *start, *enable, {"do": "append only", "to": after}, *conf]
    return steps + start + enable + (_users(have, {}) if have["acl_file"] else [])


def _default(want: Want, have: Have, running: Settings, drift) -> list[Step]:
    """Return the steps about who may log in as `default`, beyond what a changed requirepass does by itself."""
    state = have["acl_default"]
    if state:
        if running["aclfile"] != have["acl_file"]:
            redis_acl_file.refuse_other_password(have["acl_file"], state, want["password"])
            return []
        same = redis_acl_file.digest(want["password"]) in state["digests"]
        step: list[Step] = [{"do": "default password"}, {"do": "save users", "path": have["acl_file"]}]
        return [] if same and not have["open"] else step
    if have["open"] and "requirepass" not in drift and not running.get("aclfile"):
        # somebody opened it by ACL SETUSER; a requirepass that is the same would change nothing
        return [{"do": "default password"}]
    return []


def _users(have: Have, running) -> list[Step]:
    """Return the steps about local users; with a file of their own, the server keeps them there."""
    steps = redis_users.differ(have["wanted"], running)
    return steps + ([{"do": "save users", "path": have["acl_file"]}] if steps and have["acl_file"] else [])


def _change(want: Want, have: Have, running: Settings, conf: list[Step]) -> list[Step]:
    drift = differences(have["wanted"], running, want["aliases"])
    _refuse_moved_data(have["wanted"], running, have["keys"])
    _refuse_lost_databases(drift, have)
    steps: list[Step] = []
    live = {
        name: pair
        for name, pair in drift.items()
        if name in running and not _needs_restart(name, pair, want, have) and not _by_procedure(name)
    }
    if live:
        steps.append(
            {
                "do": "set",
                "have": {name: pair[0] for name, pair in live.items()},
                "want": {name: pair[1] for name, pair in live.items()},
            }
        )
    if APPEND_ONLY in drift:
        steps.append({"do": "append only", "to": drift[APPEND_ONLY][1]})
    steps += _default(want, have, running, drift) + _users(have, running) + redis_roles.steps(want, have) + conf
    if have["unit"]["enabled"] != "enabled":
        steps.append({"do": "enable", "unit": want["unit"]})
    return steps + _restart(want, have, running, drift)


def _by_procedure(name):
    return name == APPEND_ONLY or name.startswith(redis_users.KEY)


def _needs_restart(name, pair, want: Want, have: Have):
    """Whether the server takes a value only at its start; more clients than it has descriptors for are such a value."""
    return (
        name in want["immutable"]
        or name in AT_START
        or (name == "maxclients" and int(pair[1]) + OWN_DESCRIPTORS > have["descriptors"])
    )


def _restart(want: Want, have: Have, running: Settings, drift) -> list[Step]:
    """Return the restart, with its reasons; where it is not ours to do now, a step that only reports it."""
    why = [
        name if name in AT_START else f"{name}: {secrets.shown(name, pair[0])} -> {secrets.shown(name, pair[1])}"
        for name, pair in drift.items()
        if name in running and _needs_restart(name, pair, want, have)
    ]
    if have["version"] != have["running_version"]:
        why.append(f"version: {have['running_version']} -> {have['version']}")
    elif have["unit"]["replaced"]:
        why.append("its program was replaced by an upgrade")
    for file in want["files"]:
        found = have["files"].get(file["path"])
        changed = files.differs(file, found) and not _unmodified(file, have)
        if file.get("unit") and (changed or (found and found["mtime"] > have["unit"]["started"])):
            why.append(file["path"])
    if want["force_restart"]:
        why.append("asked for")
    if not why:
        return []
    if not want["restart"]:
        return [{"do": "report", "unit": want["unit"], "why": why}]
    restart: Step = {"do": "restart", "unit": want["unit"], "why": why}
    if redis_roles.switches(want, have):
        return [{"do": "switch over"}, restart]
    is_primary = not have["state"] or have["state"]["role"] == "primary"
    if is_primary and have["keys"] and running["save"] == "" and running[APPEND_ONLY] == "no":
        restart["carry"] = True
    return [restart]


def restarts(steps: list[Step], want: Want, with_file=True) -> list[Step]:
    """Return the steps of a restart, none where nothing restarts.

    The file that it reads is among them: a CONFIG REWRITE, as at each switchover, has put back what runs. A restart
    that is forced takes the file as it is.
    """
    if not any(step["do"] in RESTART for step in steps):
        return []
    files_read = [want["conf"]["path"]] if with_file and not want["force_restart"] else []
    return [step for step in steps if step["do"] in RESTART or step.get("path") in files_read]


def _refuse_moved_data(wanted, present, holds):
    for name, variable in (
        ("dir", "redis_data_dir"),
        ("dbfilename", "dbfilename in redis_config"),
        ("appenddirname", "appenddirname in redis_config"),
        ("appendfilename", "appendfilename in redis_config"),
    ):
        before = present.get(name)
        if name.startswith("append") and present.get(APPEND_ONLY) != "yes":
            continue
        if holds and before not in (None, "", wanted.get(name)):
            raise LosesData(
                f"{variable} is {wanted.get(name)}, and the data lies under {name} {before}: a restart would start "
                f"empty. Move the data while the server is stopped, or write {before}."
            )


def _refuse_lost_databases(drift, have: Have):
    if "databases" not in drift:
        return
    used = max(have["databases"], default=-1) + 1
    if int(drift["databases"][1]) < used:
        raise LosesData(
            f"databases is {drift['databases'][1]} in redis_config, and database {used - 1} holds keys: the server "
            f"could not start with them. Write at least {used}, or empty that database first."
        )
