"""Take one step of a plan for a Sentinel. No thinking here: that is redis/sentinel/plan.py."""

import grp
import os
import pwd
import re
import time

from ansible_collections.cistern.core.plugins.module_utils.host import files, systemd, unit_start
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology
from ansible_collections.cistern.core.plugins.module_utils.redis import users as redis_users
from ansible_collections.cistern.core.plugins.module_utils.redis.client import Link
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel import conf
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.contract import Have, Step, Want
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.forget import forget
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.observe import quorum, reach


def apply(step: Step, want: Want, have: Have, link: Link):
    """Take one step."""
    do = step["do"]
    if do in ("write", "remove") and "monitors" not in step:
        files.write(next(file for file in want["files"] if file["path"] == step["path"]), step.get("modified"))
    elif do == "write":
        files.write({**want["conf"], "content": conf.first(_content(want, have), step["monitors"], want["hooks"])})
    elif do == "edit":
        _edit(want, have)
    elif do == "attributes":
        file = want["conf"]
        os.chown(file["path"], pwd.getpwnam(file["owner"]).pw_uid, grp.getgrnam(file["group"]).gr_gid)
        os.chmod(file["path"], int(file["mode"], 8))
    elif do == "reload units":
        systemd.do("daemon-reload")
    elif do == "enable":
        systemd.do("enable", step["unit"])
    elif do == "start":
        unit_start.run("start", step["unit"], _log(want))
        link.client = _reconnect(want)
    elif do == "restart":
        _restart(step, want, have, link)
    elif do == "make password":
        redis_users.apply(step, want["users"], None)
    elif do in ("user", "remove user"):
        redis_users.apply(step, want["users"], link.client)
        link.client.execute_command("SENTINEL", "FLUSHCONFIG")
    elif do == "forget":
        _forget(step, want, have, link)
    else:
        log = _log(want) if conf.logs_passwords(have["running_version"] or have["version"]) else ""
        before = os.path.getsize(log) if log and os.path.exists(log) else 0
        try:
            _change(step, want, link.client)
        finally:
            # also where a later word of the same command was refused
            hide(log, before, step.get("set", step.get("want", {})).get("auth-pass"))


def hide(log, before, password):
    """Take a password out of what was logged beyond `before` bytes: in place, for Sentinel keeps appending to it."""
    if not (log and password):
        return
    secret = password.encode()
    with open(log, "r+b") as file:
        file.seek(before if before <= os.path.getsize(log) else 0)
        start, text = file.tell(), file.read()
        for found in re.finditer(re.escape(b" auth-pass " + secret), text):
            file.seek(start + found.end() - len(secret))
            file.write(b"*" * len(secret))


def _forget(step: Step, want: Want, have: Have, link: Link):
    deployment = next(each for each in want["deployments"] if each["name"] == step["name"])
    nodes, sentinels = (
        {redis_topology.endpoint_of(each) for each in deployment[key]} for key in ("nodes", "sentinels")
    )
    forget(link.client, step["name"], nodes - {have["primaries"][step["name"]]}, sentinels - {want["me"]})


def _change(step: Step, want: Want, client):
    """Change a Sentinel that runs. It writes its file at each of these, except for users."""
    do = step["do"]
    if do == "unmonitor":
        client.execute_command("SENTINEL", "REMOVE", step["name"])
    elif do == "monitor":
        client.execute_command("SENTINEL", "MONITOR", step["name"], step["address"], step["port"], step["quorum"])
        client.execute_command("SENTINEL", "SET", step["name"], *_words(step["set"]))
    elif do == "set":
        client.execute_command("SENTINEL", "SET", step["name"], *_words(step["want"]))
    elif do == "set own":
        for name, value in step["want"].items():
            client.execute_command("SENTINEL", "CONFIG", "SET", name, value)
    elif do in ("accept", "accept only"):
        rules = ["on", ">" + want["password"]]
        client.execute_command("ACL", "SETUSER", "default", *(["resetpass"] if do == "accept only" else []), *rules)
        client.execute_command("SENTINEL", "FLUSHCONFIG")
    elif do == "flush":
        client.execute_command("SENTINEL", "FLUSHCONFIG")


def _words(pairs):
    return [word for pair in pairs.items() for word in pair]


def _log(want: Want):
    return conf.log_file(want["conf"]["content"])


def _content(want: Want, have: Have):
    return conf.known_to(want["conf"]["content"], have["version"])


def _edit(want: Want, have: Have):
    """Put our settings into the file of a Sentinel that does not run; keep once what an operator wrote."""
    path = want["conf"]["path"]
    on_disk = files.observe([path])[path]
    text = on_disk["text"] if on_disk else ""
    original = path + ".before-cistern"
    if on_disk and redis_conf.MARK not in text and not os.path.exists(original):
        files.write({**want["conf"], "path": original, "content": text})
    names = [each["name"] for each in want["deployments"]]
    files.write({**want["conf"], "content": conf.edited(text, _content(want, have), names, want["hooks"])})
    return text


def _reconnect(want: Want):
    with open(want["conf"]["path"], encoding="utf-8", errors="surrogateescape") as file:
        return reach(want, conf.read(file.read()))


def _restart(step: Step, want: Want, have: Have, link: Link):
    """Stop, edit, start, and wait until it has its quorum again. A file that does not start is put back."""
    client, unit = link.client, step["unit"]
    quorate = [name for name in have["monitors"] if not quorum(client, name)]
    client.execute_command("SENTINEL", "FLUSHCONFIG")
    systemd.do("stop", unit)
    before = _edit(want, have)
    try:
        unit_start.run("start", unit, _log(want))
    except RuntimeError:
        systemd.do("stop", unit)
        files.write({**want["conf"], "content": before})
        systemd.do("start", unit)
        raise
    link.client = _reconnect(want)
    until = time.monotonic() + 20
    while any(quorum(link.client, name) for name in quorate):
        if time.monotonic() > until:
            raise RuntimeError("after 20 s it still does not reach enough other Sentinels for a failover")
        time.sleep(0.2)
