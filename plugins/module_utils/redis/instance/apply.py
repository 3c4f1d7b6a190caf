"""Take one step of a plan for a Redis instance. No thinking here: that is redis/instance/plan.py."""

import os
import time

from ansible_collections.cistern.core.plugins.module_utils.host import files, kernel, systemd, unit_start
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Failed
from ansible_collections.cistern.core.plugins.module_utils.redis import acl_file as redis_acl_file
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology
from ansible_collections.cistern.core.plugins.module_utils.redis import users as redis_users
from ansible_collections.cistern.core.plugins.module_utils.redis.client import Link
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.contract import Have, Step, Want
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.describe import describe
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.observe import look
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.plan import restarts

# A replica that starts has its link up within seconds; one that needs all data anew says that it syncs.
IN_SYNC_SECONDS = 120
STEP_FAILURES = (redis_server.RedisError, Failed, OSError, RuntimeError)


def take_steps(steps: list[Step], want: Want, have: Have, planned, link: Link):
    """Take the steps; a restart only while the whole deployment is in line, and until it is so again.

    `planned(want, link)` returns what there is by then and the steps that are left, after a switchover; `link` is the
    connection to the server. Raises RuntimeError.
    """
    if want["restart"]:
        wait_in_sync(want, have, link, seconds=30)
    for step in steps:
        try:
            apply(step, want, have, link)
        except STEP_FAILURES as error:
            raise RuntimeError(f"{describe(step)}: {error}") from error
        if step["do"] == "switch over":
            have, left = planned(want, link)
            take_steps(restarts(left, want), want, have, planned, link)
            return
    if want["restart"]:
        wait_in_sync(want, have, link)


def apply(step: Step, want: Want, have: Have, link: Link):
    """Take one step."""
    do = step["do"]
    if do == "kernel":
        kernel.apply(step["name"], step["want"])
    elif do in ("write", "remove"):
        files.write(_file(step, want, have), step.get("modified"))
    elif do == "reload units":
        systemd.do("daemon-reload")
    elif do == "enable":
        systemd.do("enable", step["unit"])
    elif do == "start":
        unit_start.run("start", step["unit"], have["wanted"].get("logfile", ""))
    elif do == "set":
        redis_server.set_live(link.client, step["want"], have["running_version"])
    elif do == "append only":
        redis_server.switch_append_only(link.client or _reconnect(want), step["to"])
    elif do == "make password":
        redis_users.apply(step, want["users"], None)
    elif do in ("user", "remove user"):
        redis_users.apply(step, want["users"], link.client or _reconnect(want))
    elif do == "default password":
        if have["acl_file"]:
            # what cannot be kept is not begun
            _save_users(link.client, have["acl_file"])
        rules = ["resetpass", "#" + redis_acl_file.digest(want["password"])]
        link.client.execute_command("ACL", "SETUSER", redis_acl_file.USER, *rules)
    elif do == "save users":
        _save_users(link.client or _reconnect(want), step["path"])
    elif do == "replicate":
        link.client.execute_command("REPLICAOF", *step["of"].split(" "))
    elif do == "switch over":
        # few runs need it, and the host of each would compile five more files
        from ansible_collections.cistern.core.plugins.module_utils.redis.switchover import apply as redis_switchover

        deployment = want["deployment"]
        redis_switchover.switch(deployment, have["passwords"], want["sentinel_password"])
    elif do == "restart":
        _restart(step, want, have, link)


def _save_users(client, path):
    try:
        client.execute_command("ACL", "SAVE")
    except redis_server.RedisError as error:
        raise RuntimeError(
            f"the server cannot write {path} ({error}): its folder must be one that {redis_server.USER} may write to, "
            "and that the unit lets it write to (ReadWritePaths); /etc/redis is both"
        ) from error


def _file(step: Step, want: Want, have: Have):
    if step["path"] != want["conf"]["path"]:
        return next(file for file in want["files"] if file["path"] == step["path"])
    on_disk = have["files"][step["path"]]
    text = want["conf"]["content"] or ""
    if "appendonly" in step:
        text = redis_conf.without(text, ["appendonly"]) + f"appendonly {step['appendonly']}\n"
    # with a file of their own, users must not be in redis.conf
    text += "".join(redis_users.line(user) + "\n" for user in want["users"] if not have["acl_file"])
    follow = step.get("replicaof")
    if on_disk is None:
        return {**want["conf"], "content": redis_conf.with_server_lines(text, "", follow)}
    there = on_disk["text"] or ""
    if redis_conf.MARK not in there and not files.as_packaged(step["path"], there):
        # an operator wrote it by hand: kept once, beside ours
        original = step["path"] + ".before-cistern"
        if not os.path.exists(original):
            files.write({**want["conf"], "path": original, "content": there})
    had = (have["running"] or have["on_disk"] or {}).get("aclfile", "")
    before = redis_acl_file.with_users(there, had, have["acl_file"])
    ours = redis_users.ours(redis_users.in_file(before), want["users"])
    return {**want["conf"], "content": redis_conf.with_server_lines(text, before, follow, ours)}


def _reconnect(want: Want):
    client = redis_server.connect(want["addresses"][:1], [want["port"]], [want["password"]])
    redis_server.wait_loaded(client)
    return client


def _restart(step: Step, want: Want, have: Have, link: Link):
    """Restart the unit. A server without persistence would come back empty, so its keys travel in a snapshot."""
    state = link.client.info("persistence")
    broken = [name for name in ("rdb_last_bgsave_status", "aof_last_write_status") if state.get(name, "ok") != "ok"]
    if broken:
        raise RuntimeError(
            f"not restarted, since the keys could not be written to disk ({', '.join(broken)} is not ok; see the log)"
        )
    running = have["running"] or {}
    snapshot = os.path.join(running["dir"], running["dbfilename"])
    travels = step.get("carry") and not os.path.exists(snapshot)
    if step.get("carry"):
        # with a save point, the server writes its keys when systemd stops it, after the last client has been served
        link.client.execute_command("CONFIG", "SET", "save", "3600 1")
    unit_start.run("restart", step["unit"], have["wanted"].get("logfile", ""))
    link.client = _reconnect(want)
    if travels and os.path.exists(snapshot):
        # left behind, it would bring old keys back after a crash
        os.unlink(snapshot)


def wait_in_sync(want: Want, have: Have, link: Link, seconds=IN_SYNC_SECONDS):
    """Wait until the whole deployment is in line, so that the next of its instances may go."""
    deployment = want["deployment"]
    if deployment:
        _seen, decision = redis_topology.settle(lambda: look(want, have, link), deployment)
        redis_topology.wait_in_sync(lambda: look(want, have, link), deployment, decision.primary, seconds)


def wait_linked(client, seconds=60):
    """Wait until this instance, if it is a replica, has the data of its primary; copying it may take long."""
    until = time.monotonic() + seconds
    while True:
        state = redis_topology.node_state(client.info())
        if state["role"] == "primary" or (state["link"] and not state["syncs"]):
            return
        if state["syncs"]:
            until = time.monotonic() + seconds
        if time.monotonic() > until:
            raise TimeoutError(f"after {seconds} s it has no link to its primary {state['of']}; its log says why")
        time.sleep(0.2)
