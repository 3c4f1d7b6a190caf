#!/usr/bin/python
"""Take a server off this machine: an instance that leaves its deployment, or a Sentinel that nobody needs any more."""

import glob
import os
import shutil

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.host import files, systemd
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology

DOCUMENTATION = r"""
module: redis_remove
short_description: Take an instance or a Sentinel off this machine
description:
  - Stops and disables the unit, sets its configuration aside as C(.removed) and deletes the files of the unit.
  - The data stays, unless O(data=true). Packages and kernel settings stay.
  - Refuses to stop an instance that is primary while others of its deployment stay.
author: Cistern (@cistern)
version_added: 0.1.0
options:
  unit: {description: The systemd unit., type: str, required: true}
  conf: {description: Its configuration file., type: path, required: true}
  files: {description: Other files that were made for it., type: list, elements: path, default: []}
  data: {description: Whether the data is deleted., type: bool, default: false}
  data_dir: {description: Folder of the data., type: path, default: ''}
  deployment:
    description: The deployment as it will be without the instance, and C(me), its place. Empty where all of it goes.
    type: dict
    default: {}
  password: {description: Password of the instances., type: str, default: ''}
  sentinel_password: {description: Password of the Sentinels., type: str, default: ''}
"""
EXAMPLES = r"""
- name: Stop an instance and keep its data
  cistern.core.redis_remove:
    unit: redis-server.service
    conf: /etc/redis/redis.conf
"""
RETURN = r"""
steps: {description: "What was done or, in check mode, would be done, in order.", type: list, returned: always}
notes: {description: What was left., type: list, returned: always}
"""

SPEC = {
    "unit": {"type": "str", "required": True},
    "conf": {"type": "path", "required": True},
    "files": {"type": "list", "elements": "path", "default": []},
    "data": {"type": "bool", "default": False},
    "data_dir": {"type": "path", "default": ""},
    "deployment": {"type": "dict", "default": {}},
    "password": {"type": "str", "default": "", "no_log": True},
    "sentinel_password": {"type": "str", "default": "", "no_log": True},
}


class Refused(Exception):
    """A removal that would stop a deployment."""


def observe(want):
    """Return what there is of it on this machine, and who is primary of its deployment."""
    text = files.observe([want["conf"]])[want["conf"]]
    conf = text["text"] if text else ""
    have = {
        "unit": systemd.observe(want["unit"]),
        "files": [path for path in [want["conf"], *want["files"]] if os.path.lexists(path)],
        "data": data(want["data_dir"], conf) if want["data_dir"] else [],
        "decision": None,
    }
    if want["deployment"]:
        passwords = [want["password"], redis_conf.value(conf, "requirepass")]
        _seen, have["decision"] = redis_topology.settle(
            lambda: _look(want["deployment"], passwords, want["sentinel_password"]), want["deployment"]
        )
    return have


def _look(deployment, passwords, sentinel_password):
    """This instance is asked like the others: that it stays no more does not make another one primary."""
    address, port = deployment["me"].split(" ")
    me = {"host": "this instance", "address": address, "port": port, "place": deployment["me"]}
    whole = {**deployment, "me": None, "nodes": [*deployment["nodes"], me]}
    return redis_topology.view(whole, passwords, sentinel_password)


def data(folder, text):
    """Return the files of data of an instance; other instances may have theirs below the same folder."""
    named = {"dbfilename": "dump.rdb", "appenddirname": "appendonlydir", "appendfilename": "appendonly.aof"}
    patterns = [redis_conf.value(text, name, usual) for name, usual in named.items()]
    return sorted(path for pattern in patterns for path in glob.glob(os.path.join(folder, pattern)))


def plan(want, have):
    """Return the steps, in order."""
    decision = have["decision"]
    if decision and have["unit"]["active"] == "active":
        if not decision.settled:
            raise Refused(f"{decision.why}. Nothing was removed; run again when that has ended.")
        if decision.primary == want["deployment"]["me"]:
            name = want["deployment"]["name"]
            raise Refused(
                f"It is the primary of {name}. Make another one primary first: "
                f"ansible-playbook playbooks/redis_failover.yml -e redis_failover={name}"
            )
    steps = []
    if have["unit"]["active"] not in ("inactive", "failed"):
        steps.append({"do": "stop", "what": want["unit"]})
    if have["unit"]["enabled"] == "enabled":
        steps.append({"do": "disable", "what": want["unit"]})
    steps += [{"do": "set aside" if path == want["conf"] else "delete", "what": path} for path in have["files"]]
    if set(have["files"]) & set(want["files"]):
        steps.append({"do": "reload units", "what": ""})
    return steps + [{"do": "delete", "what": path} for path in have["data"] if want["data"]]


def apply(step):
    """Take one step."""
    do, what = step["do"], step["what"]
    if do in ("stop", "disable"):
        systemd.do(do, what)
    elif do == "reload units":
        systemd.do("daemon-reload")
    elif do == "set aside":
        os.replace(what, what + ".removed")
    elif os.path.isdir(what):
        shutil.rmtree(what)
    else:
        os.unlink(what)


def describe(step):
    return f"{step['do']} {step['what']}".strip()


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    want = module.params
    try:
        have = observe(want)
        steps = plan(want, have)
        for step in steps if not module.check_mode else []:
            apply(step)
        if not module.check_mode:
            have = observe({**want, "deployment": {}})
            left = [describe(step) for step in plan({**want, "deployment": {}}, have)]
            if left:
                module.fail_json(msg="After the run this is still there: " + "; ".join(left))
    except (Refused, redis_server.RedisError, OSError, RuntimeError) as error:
        module.fail_json(msg=str(error))
    notes = [f"the data stays: {', '.join(have['data'])}"] if have["data"] and not want["data"] else []
    module.exit_json(changed=bool(steps), steps=[describe(step) for step in steps], notes=notes)


if __name__ == "__main__":
    main()
