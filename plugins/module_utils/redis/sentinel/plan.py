"""What to do so that a Sentinel is what the inventory says: pure, so that each decision is a test case.

A step belongs to a phase. All Sentinels finish one before any begins the next, so they keep talking to each other while
their password changes: each accepts both, then each uses the new one, then each forgets the old one.
"""

import typing

from ansible_collections.cistern.core.plugins.module_utils.host import files
from ansible_collections.cistern.core.plugins.module_utils.host.contract import WantedFile
from ansible_collections.cistern.core.plugins.module_utils.redis import users as redis_users
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel import conf
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.contract import (
    Have,
    Monitor,
    Reason,
    Step,
    Want,
    Watched,
)
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.refused import refuse

PHASES = ("change", "rotate", "restart", "finish", "forget")
PASSWORD = "requirepass"


def plan(want: Want, have: Have) -> list[Step]:
    """Return the steps, in order. Empty means that all is as it should be."""
    refuse(want, have)
    text = want["conf"]["content"]
    wanted = conf.read(conf.known_to(text, have["running_version"] or have["version"]))
    steps = [_step("make password", name=name) for name in have["no_password"]] + _files(want, have)
    why = _only_at_start(want, have, wanted)
    changes = _changes(want, have, wanted, [reason["name"] for reason in why])
    enable = [] if have["unit"]["enabled"] == "enabled" else [_step("enable", unit=want["unit"])]
    if have["running_version"] is None:
        start = [_step("start", unit=want["unit"])]
        if have["first"]:
            monitors = [_monitor(each, have) for each in want["deployments"] if _may_add(each["name"], have)]
            steps.append(_step("write", path=want["conf"]["path"], monitors=monitors))
            return steps + start + enable + _users(want, have)
        edit = [_step("edit", path=want["conf"]["path"], why=why)] if why else _attributes(want, have)
        return steps + edit + start + enable + changes + _users(want, have)
    steps += _attributes(want, have) + changes + enable + _users(want, have) + _passwords(want, have, wanted)
    if why and not have["blocked"]:
        steps.append(_step("restart", phase="restart", unit=want["unit"], why=why))
    steps += _removed(want, have) + (_forgotten(want, have) if want["forget"] else [])
    return sorted(steps, key=lambda step: PHASES.index(step["phase"]))


def needed(want: Want, have: Have) -> list[str]:
    """Return the deployments whose servers have to be asked before the steps are taken."""
    names = {each["name"] for each in want["deployments"]}
    steps = plan(want, have)
    if any(step["do"] in ("restart", "write") for step in steps):
        return sorted(names)
    return sorted({step["name"] for step in steps if "name" in step and step["name"] in names})


def _step(do, phase="change", **more) -> Step:
    return typing.cast("Step", {"do": do, "phase": phase, **more})


# -- files


def _files(want: Want, have: Have) -> list[Step]:
    changed = [file for file in want["files"] if files.differs(file, have["files"].get(file["path"]))]
    steps = [_step("write", path=file["path"], **_unmodified(file, have)) for file in changed if not file.get("absent")]
    if have["unit"]["reload"] or any(file.get("unit") for file in changed):
        steps.append(_step("reload units"))
    return steps


def _unmodified(file: WantedFile, have: Have):
    """Return the time a file of the unit keeps where only its comments change: nobody restarts for a comment."""
    found = have["files"].get(file["path"])
    if not found or not file.get("unit"):
        return {}
    same = files.meaning(file["content"]) == files.meaning(found["text"])
    return {"modified": found["mtime"]} if same else {}


def _removed(want: Want, have: Have) -> list[Step]:
    """Return the steps that remove files; last, since a Sentinel whose hook is missing does not start."""
    return [
        _step("remove", phase="finish", path=file["path"])
        for file in want["files"]
        if file.get("absent") and have["files"].get(file["path"])
    ]


def strangers(each: Watched, have: Have) -> dict[str, list[str]]:
    """Return what a Sentinel knows of a deployment and the inventory lacks, as {kind: endpoints}."""
    knows, expected = have["knows"].get(each["name"], {}), have["expected"][each["name"]]
    return {kind: [endpoint for endpoint in knows.get(kind, []) if endpoint not in expected[kind]] for kind in expected}


def _forgotten(want: Want, have: Have) -> list[Step]:
    """Return the steps that make the Sentinel forget what left; it counts them otherwise for ever."""
    found = {each["name"]: strangers(each, have) for each in want["deployments"] if each["name"] not in have["blocked"]}
    return [
        _step("forget", phase="forget", name=name, endpoints=sorted(left["replica"] + left["sentinel"]))
        for name, left in found.items()
        if any(left.values())
    ]


def _attributes(want: Want, have: Have) -> list[Step]:
    found = have["files"].get(want["conf"]["path"])
    differs = found and files.differs({**want["conf"], "content": None}, found)
    return [_step("attributes", path=want["conf"]["path"])] if differs else []


# -- what only a start can change


def _only_at_start(want: Want, have: Have, wanted) -> list[Reason]:
    """Return what differs and needs a start, as {name, have, want}."""
    if have["first"] and have["running_version"] is None:
        return []
    stands = have["running_version"] is not None and conf.live(have["running_version"])
    why: list[Reason] = [] if have["ours"] else [{"name": f"{want['conf']['path']} was not written by Cistern"}]
    why += [
        _reason(name, have["settings"].get(name), args)
        for name, args in wanted["settings"].items()
        if name != PASSWORD and not conf.same(name, args, have["settings"].get(name), have["version"])
    ]
    moved = any(reason["name"] in ("port", "bind") for reason in why)
    why += [
        {"name": option, "have": have["own"].get(option), "want": value}
        for option, value in wanted["own"].items()
        if have["own"].get(option) != value
        and (not stands or (moved and option.startswith("announce-") and option != "announce-hostnames"))
    ]
    if not stands and have["passwords"] != [conf.digest(want["password"])]:
        why.append({"name": PASSWORD, "have": "", "want": ""})
    for each in want["deployments"]:
        there = have["monitors"].get(each["name"], {})
        why += [
            {"name": f"{each['name']} {option}", "have": there.get(option, ""), "want": path}
            for option, path in want["hooks"].items()
            if there.get(option, "") != path
        ]
    return why + _of_the_unit(want, have)


def _reason(name, before, after) -> Reason:
    return {"name": name, "have": None if before is None else " ".join(before), "want": " ".join(after)}


def _of_the_unit(want: Want, have: Have) -> list[Reason]:
    if have["running_version"] is None:
        return []
    why: list[Reason] = []
    if have["version"] != have["running_version"]:
        why.append({"name": "version", "have": have["running_version"], "want": have["version"]})
    elif have["unit"]["replaced"]:
        why.append({"name": "its program was replaced by an upgrade"})
    for file in want["files"]:
        found = have["files"].get(file["path"])
        changed = files.differs(file, found) and not _unmodified(file, have)
        if file.get("unit") and (changed or (found and found["mtime"] > have["unit"]["started"])):
            why.append({"name": file["path"]})
    return why


# -- what changes while it runs


def _may_add(name, have: Have) -> bool:
    return name not in have["blocked"] and name not in have["unknown"]


def _monitor(each: Watched, have: Have) -> Monitor:
    address, port = have["primaries"][each["name"]].rsplit(" ", 1)
    return {"name": each["name"], "address": address, "port": port, "quorum": each["quorum"], "set": _settings(each)}


def _settings(each: Watched) -> dict[str, str]:
    return {"auth-pass": each["auth_pass"], **{name: str(value) for name, value in each["settings"].items()}}


def _changes(want: Want, have: Have, wanted, at_start) -> list[Step]:
    """Return what is set by SENTINEL REMOVE, CONFIG SET, MONITOR and SET, names before the monitors that need them."""
    names = [each["name"] for each in want["deployments"]]
    steps = [
        _step("unmonitor", name=name) for name in have["monitors"] if name not in names and name not in have["blocked"]
    ]
    own = {
        option: value
        for option, value in wanted["own"].items()
        if have["own"].get(option) != value and option != "sentinel-pass" and option not in at_start
    }
    if own:
        steps.append(_step("set own", have={option: have["own"].get(option) for option in own}, want=own))
    for each in want["deployments"]:
        there = have["monitors"].get(each["name"])
        if there is None:
            steps += [_step("monitor", **_monitor(each, have))] if _may_add(each["name"], have) else []
        elif each["name"] not in have["blocked"]:
            steps += _set(each, there)
    return steps


def _set(each: Watched, there) -> list[Step]:
    wanted = {"quorum": str(each["quorum"]), **_settings(each)}
    # taken out of the inventory: back to Sentinel's own default
    for option in ("auth-user", "master-reboot-down-after-period"):
        if there.get(option, conf.DEFAULTS[option]) != conf.DEFAULTS[option]:
            wanted.setdefault(option, conf.DEFAULTS[option])
    drift = {option: value for option, value in wanted.items() if there.get(option, "") != value}
    if not drift:
        return []
    return [_step("set", name=each["name"], have={option: there.get(option, "") for option in drift}, want=drift)]


def _users(want: Want, have: Have) -> list[Step]:
    """Return the steps about local users; Sentinel writes its file after each."""
    steps = [_step(**step) for step in redis_users.differ(have["users"], have["users_running"])]
    return steps if steps or have["users_on_disk"] else [_step("flush", path=want["conf"]["path"])]


def _passwords(want: Want, have: Have, wanted) -> list[Step]:
    """Return how the password of the Sentinel itself changes, where that can be done while it runs."""
    if not conf.live(have["running_version"]):
        return []
    new, steps = conf.digest(want["password"]), []
    if new not in have["passwords"]:
        steps.append(_step("accept"))
    elif sorted(have["passwords"]) != sorted(have["passwords_on_disk"]):
        steps.append(_step("flush", path=want["conf"]["path"]))
    if have["own"].get("sentinel-pass") != wanted["own"]["sentinel-pass"]:
        pair = {"sentinel-pass": have["own"].get("sentinel-pass")}
        steps.append(_step("set own", phase="rotate", have=pair, want={"sentinel-pass": want["password"]}))
    if [each for each in have["passwords"] if each != new]:
        steps.append(_step("accept only", phase="finish"))
    return steps
