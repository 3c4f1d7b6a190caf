#!/usr/bin/python
"""Take a server off this machine: an instance that leaves its deployment, or a Sentinel that nobody needs any more."""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.host.converge import converge, each
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis.removal.apply import apply
from ansible_collections.cistern.core.plugins.module_utils.redis.removal.contract import Want
from ansible_collections.cistern.core.plugins.module_utils.redis.removal.observe import observe
from ansible_collections.cistern.core.plugins.module_utils.redis.removal.plan import describe, plan

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
    description: The deployment as it will be without the instance, and C(me), its endpoint. Empty where all of it goes.
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


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    want: Want = module.params
    try:
        have = observe(want)
        steps = plan(want, have)
        alone: Want = {**want, "deployment": {}}
        converge(module, steps, each(apply, describe), lambda: plan(alone, observe(alone)), describe, {"steps": []})
    except (Refused, redis_server.RedisError, OSError, RuntimeError) as error:
        module.fail_json(msg=str(error))
    notes = [f"the data stays: {', '.join(have['data'])}"] if have["data"] and not want["data"] else []
    module.exit_json(changed=bool(steps), steps=[describe(step) for step in steps], notes=notes)


if __name__ == "__main__":
    main()
