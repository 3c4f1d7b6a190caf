#!/usr/bin/python
"""Ask a machine, in one exchange, what it is and whether what runs on it is what the inventory says."""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.host import facts
from ansible_collections.cistern.core.plugins.module_utils.redis import reader
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.options import INSTANCE
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.options import wanted as wanted_instance
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.options import SENTINEL
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.options import wanted as wanted_sentinel

DOCUMENTATION = r"""
module: observe
short_description: Ask a machine what it is, and whether what runs there is what the inventory says
description:
  - Reads only. It tells the facts of the machine, and of each part that is named whether a run would change it.
  - What cannot be planned now counts as a difference; the module that makes the change tells why.
  - Used through the action of the same name, which renders the files.
options:
  packages: {description: Packages to look for., type: list, elements: str, default: []}
  other_files: {description: Files to look for., type: list, elements: str, default: []}
  claims: {description: What the machine must have free., type: dict, default: {}}
  instance: {description: A Redis instance. Its options are those of M(cistern.core.redis_config)., type: dict}
  sentinel: {description: A Sentinel. Its options are those of M(cistern.core.redis_sentinel)., type: dict}
"""
EXAMPLES = r"""
- name: Ask the machine
  cistern.core.observe:
    packages: [redis-server, redis-tools]
"""
RETURN = r"""
facts: {description: What the machine is and has., type: dict, returned: always}
instance:
  description: "C(differs), C(notes), C(health), C(role) in its deployment."
  type: dict
  returned: where one is named
sentinel: {description: "C(differs), C(notes), C(health).", type: dict, returned: where one is named}
notes: {description: What differs and is not ours., type: list, returned: always}
"""

SPEC = {
    "packages": {"type": "list", "elements": "str", "default": []},
    "other_files": {"type": "list", "elements": "str", "default": []},
    "claims": {"type": "dict", "default": {}},
    "instance": {"type": "dict", "options": INSTANCE},
    "sentinel": {"type": "dict", "options": SENTINEL},
}


def instance(params, _check):
    from ansible_collections.cistern.core.plugins.module_utils.redis.instance.drift import drift

    return drift(wanted_instance(params, "observe"))


def sentinel(params, check):
    from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.drift import drift

    return drift(wanted_sentinel(params, "observe", check))


# Each imports its domain itself: a host pays for what runs there.
PARTS = {"instance": instance, "sentinel": sentinel}


def main():
    os.umask(0o022)  # the session's may keep the shadow server from what is made for it
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    params = module.params
    reader.alone = True
    found = {name: ask(params[name], module.check_mode) for name, ask in PARTS.items() if params[name]}
    of_machine = facts.observe(params["packages"], params["other_files"], params["claims"])
    of_machine["paths"] = found.get("instance", {}).pop("paths", {})
    of_machine["wrong"] = found.get("instance", {}).pop("wrong", [])
    notes = [text for part in found.values() for text in part["notes"]]
    module.exit_json(changed=False, facts=of_machine, notes=notes, **found)


if __name__ == "__main__":
    main()
