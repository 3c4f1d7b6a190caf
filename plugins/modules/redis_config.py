#!/usr/bin/python
"""Converge one Redis instance: its files, its unit, the values it runs with."""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils import files, kernel, redis_conf, redis_server, systemd
from ansible_collections.cistern.core.plugins.module_utils.redis_plan import Refused, plan
from ansible_collections.cistern.core.plugins.module_utils.redis_report import describe, diffs, notes
from ansible_collections.cistern.core.plugins.module_utils.redis_state import observe

DOCUMENTATION = r"""
module: redis_config
short_description: Converge one Redis instance, live where the server allows it
description:
  - Compares what the inventory wants with the files on the host and with the values the server runs with. Values are
    compared as the server takes them, so V(256mb) equals V(268435456) and a file rewritten by C(CONFIG REWRITE) is no
    difference.
  - A difference that the server can take while running is set with C(CONFIG SET), in one atomic call from Redis 7.0 on.
    A restart happens only for what it cannot, and names those directives.
  - The new redis.conf is read by the installed server before it replaces the old one.
  - AOF is switched while the server runs, never by a restart, so that no key is lost.
  - Used through the action of the same name, which renders the files.
options:
  unit: {description: The systemd unit of the instance., type: str, required: true}
  conf:
    description: The file redis.conf.
    type: dict
    required: true
    options: &file
      path: {description: Where it goes., type: path, required: true}
      secret_content: {description: The text., type: str, required: true}
      owner: {description: Its owner., type: str, required: true}
      group: {description: Its group., type: str, required: true}
      mode: {description: Its mode in four octal digits., type: str, required: true}
  files:
    description: Other files and folders of the instance and its machine; without C(content) it is a folder.
    type: list
    elements: dict
    default: []
    options:
      path: {description: Where it goes., type: path, required: true}
      content: {description: The text., type: str}
      owner: {description: Its owner., type: str, required: true}
      group: {description: Its group., type: str, required: true}
      mode: {description: Its mode in four octal digits., type: str, required: true}
      unit: {description: Takes effect when the unit restarts., type: bool, default: false}
      absent: {description: Whether it must not be there., type: bool, default: false}
  kernel: {description: Kernel settings and their values., type: dict, default: {}}
  addresses: {description: Addresses to reach the server on., type: list, elements: str, required: true}
  port: {description: Port to reach the server on., type: int, required: true}
  password: {description: Password of the default user., type: str, required: true}
  immutable:
    description: For each series of the server, such as C(7.0), the directives that it takes only at its start.
    type: dict
    required: true
  aliases: {description: Other names of directives., type: dict, default: {}}
  phase:
    description:
      - V(change) does everything but a restart, and tells in C(pending) what waits for one.
      - V(restart) restarts if something waits for it, so that a play can let one instance go after the other.
    type: str
    choices: [change, restart]
    default: change
"""
EXAMPLES = r"""
- name: Write the configuration and make the server run with it
  cistern.core.redis_config:
    unit: redis-server.service
    # the rest comes from the role's vars/main.yml
"""
RETURN = r"""
steps: {description: "What was done or, in check mode, would be done, in order.", type: list, returned: always}
pending: {description: What waits for a restart., type: list, returned: always}
notes: {description: "What differs and is not ours, such as the kernel of a container.", type: list, returned: always}
version: {description: The version that runs., type: str, returned: always}
"""

FILE = {
    "path": {"type": "path", "required": True},
    "owner": {"type": "str", "required": True},
    "group": {"type": "str", "required": True},
    "mode": {"type": "str", "required": True},
}
SPEC = {
    "unit": {"type": "str", "required": True},
    "conf": {
        "type": "dict",
        "required": True,
        "options": {**FILE, "secret_content": {"type": "str", "required": True, "no_log": True}},
    },
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            **FILE,
            "content": {"type": "str"},
            "unit": {"type": "bool", "default": False},
            "absent": {"type": "bool", "default": False},
        },
    },
    "kernel": {"type": "dict", "default": {}},
    "addresses": {"type": "list", "elements": "str", "required": True},
    "port": {"type": "int", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "immutable": {"type": "dict", "required": True},
    "aliases": {"type": "dict", "default": {}},
    "phase": {"type": "str", "choices": ["change", "restart"], "default": "change"},
}


def apply(step, want, have):
    """Take one step."""
    do = step["do"]
    if do == "kernel":
        kernel.apply(step["name"], step["want"])
    elif do == "write":
        files.write(_file(step, want, have), step.get("modified"))
    elif do == "reload units":
        systemd.do("daemon-reload")
    elif do == "enable":
        systemd.do("enable", step["unit"])
    elif do == "start":
        systemd.do("reset-failed", step["unit"])
        systemd.do("start", step["unit"])
    elif do == "set":
        redis_server.set_live(have["client"], step["want"], have["running_version"])
    elif do == "append only":
        redis_server.switch_append_only(have["client"] or _reconnect(want), step["to"])
    elif do == "restart":
        _restart(step, want, have)


def _file(step, want, have):
    if step["path"] != want["conf"]["path"]:
        return next(file for file in want["files"] if file["path"] == step["path"])
    on_disk = have["files"][step["path"]]
    text = want["conf"]["content"]
    if "appendonly" in step:
        text = redis_conf.without(text, ["appendonly"]) + f"appendonly {step['appendonly']}\n"
    if on_disk is None:
        return {**want["conf"], "content": text}
    if redis_conf.MARK not in on_disk["text"]:
        # the package's file, or one that an operator wrote by hand: kept once, beside ours
        original = step["path"] + ".before-cistern"
        if not os.path.exists(original):
            files.write({**want["conf"], "path": original, "content": on_disk["text"]})
    return {**want["conf"], "content": redis_conf.with_server_lines(text, on_disk["text"])}


def _reconnect(want):
    client = redis_server.connect(want["addresses"], [want["port"]], [want["password"]])
    redis_server.wait_loaded(client)
    return client


def _restart(step, want, have):
    """Restart the unit. A server without persistence would come back empty, so its keys travel in a snapshot."""
    state = have["client"].info("persistence")
    broken = [name for name in ("rdb_last_bgsave_status", "aof_last_write_status") if state.get(name, "ok") != "ok"]
    if broken:
        raise RuntimeError(
            f"not restarted, since the keys could not be written to disk ({', '.join(broken)} is not ok; see the log)"
        )
    snapshot = os.path.join(have["running"]["dir"], have["running"]["dbfilename"])
    travels = step.get("carry") and not os.path.exists(snapshot)
    if step.get("carry"):
        # with a save point, the server writes its keys when systemd stops it, after the last client has been served
        have["client"].execute_command("CONFIG", "SET", "save", "3600 1")
    systemd.do("restart", step["unit"])
    _reconnect(want)
    if travels and os.path.exists(snapshot):
        # left behind, it would bring old keys back after a crash
        os.unlink(snapshot)


def immutable(by_series, version):
    """Return the directives that this version takes only at its start: those of the newest series that is not newer."""
    known = [series for series in by_series if version and _series(series) <= _series(version)]
    return by_series[max(known, key=_series)] if known else []


def _series(version):
    return [int(part) for part in version.split(".")[:2]]


def main():
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    want = dict(module.params)
    want["conf"] = {**want["conf"], "content": want["conf"].pop("secret_content")}
    want["restart"] = want["phase"] == "restart"
    try:
        have = observe(want)
        want["immutable"] = immutable(want["immutable"], have["running_version"] or have["version"])
        steps = plan(want, have)
        # in check mode the first phase has told the rest already
        actions = [
            step for step in steps if step["do"] != "report" and (not want["restart"] or step["do"] == "restart")
        ]
        result = {"diff": diffs(actions, want, have), "notes": notes(want, have)}
        if actions and not module.check_mode:
            for step in actions:
                apply(step, want, have)
            have = observe(want)
            left = [describe(step) for step in plan(want, have) if step["do"] != "report"]
            if left:
                module.fail_json(
                    msg="After the run this still differs: " + "; ".join(left),
                    steps=[describe(step) for step in actions],
                )
    except redis_server.Unusable as error:
        module.fail_json(
            msg=f"The installed Redis refuses the new {want['conf']['path']}, so nothing was replaced: {error}"
        )
    except redis_server.WrongPassword as error:
        module.fail_json(
            msg=f"The server of {want['unit']} refuses the password of the inventory and that of its file ({error}). "
            "Write the password it has into redis_password, run, and change it from there."
        )
    except (Refused, OSError, RuntimeError, redis_server.RedisError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=bool(actions),
        steps=[describe(step) for step in actions],
        pending=[describe(step) for step in steps if step["do"] == "report"],
        version=have["running_version"] or have["version"],
        **result,
    )


if __name__ == "__main__":
    main()
