#!/usr/bin/python
"""Ask a machine, in one exchange, what it is and whether what runs on it is what the inventory says."""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.citus.nodes.options import NODES
from ansible_collections.cistern.core.plugins.module_utils.citus.server.options import NODE
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.options import TABLES
from ansible_collections.cistern.core.plugins.module_utils.host import facts
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.options import INSTANCE
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.options import wanted as wanted_instance
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.options import SENTINEL
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.options import wanted as wanted_sentinel
from ansible_collections.cistern.core.plugins.module_utils.units.options import UNITS

DOCUMENTATION = r"""
module: observe
short_description: Ask a machine what it is, and whether what runs there is what the inventory says
description:
  - Reads only. It reports the facts of the machine, and of each part that is named whether a run would change it.
  - What cannot be planned now counts as a difference; the module that makes the change reports why.
  - Used through the action of the same name, which renders the files.
author: Cistern (@cistern)
version_added: 0.1.0
options:
  packages: {description: Packages to look for., type: list, elements: str, default: []}
  files: {description: Files to look for., type: list, elements: str, default: []}
  claims: {description: What the machine must have free., type: dict, default: {}}
  instance: {description: A Redis instance. Its options are those of M(cistern.core.redis_config)., type: dict}
  sentinel: {description: A Sentinel. Its options are those of M(cistern.core.redis_sentinel)., type: dict}
  node: {description: A Citus node. Its options are those of M(cistern.core.citus_server)., type: dict}
  cluster: {description: "Nodes, on the coordinator. Its options are those of M(cistern.core.citus_node).", type: dict}
  tables: {description: "Tables, on the coordinator. Its options are those of M(cistern.core.citus_table).", type: dict}
  cache: {description: Programs of a cache. Its options are those of M(cistern.core.systemd_units)., type: dict}
  exporters: {description: What watches. Its options are those of M(cistern.core.systemd_units)., type: dict}
"""
EXAMPLES = r"""
- name: Observe the machine
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
node:
  description: "C(differs), C(notes), its own C(facts), C(tls), C(database), C(free_bytes)."
  type: dict
  returned: where one is named
cluster: {description: "C(differs), C(notes), C(health).", type: dict, returned: where one is named}
tables: {description: "C(differs), C(notes).", type: dict, returned: where they are named}
cache: {description: "C(differs), C(notes), C(health).", type: dict, returned: where they are named}
exporters: {description: "C(differs), C(notes), C(health).", type: dict, returned: where they are named}
notes: {description: What differs and is not ours., type: list, returned: always}
"""

SPEC = {
    "packages": {"type": "list", "elements": "str", "default": []},
    "files": {"type": "list", "elements": "str", "default": []},
    "claims": {"type": "dict", "default": {}},
    "instance": {"type": "dict", "options": INSTANCE},
    "sentinel": {"type": "dict", "options": SENTINEL},
    "node": {"type": "dict", "options": NODE},
    "cluster": {"type": "dict", "options": NODES},
    "tables": {"type": "dict", "options": TABLES},
    "cache": {"type": "dict", "options": UNITS},
    "exporters": {"type": "dict", "options": UNITS},
}


def instance(params, _check):
    from ansible_collections.cistern.core.plugins.module_utils.redis.instance.drift import drift

    return drift(wanted_instance(params, "observe"))


def sentinel(params, check):
    from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.drift import drift

    return drift(wanted_sentinel(params, "observe", check))


def node(params, _check):
    from ansible_collections.cistern.core.plugins.module_utils.citus.server.drift import FAILURES, drift, sentence

    try:
        return drift(params)
    except FAILURES as error:
        raise RuntimeError(sentence(error, params)) from error


def cluster(params, _check):
    from ansible_collections.cistern.core.plugins.module_utils.citus.nodes.drift import drift

    return drift(params)


def tables(params, _check):
    from ansible_collections.cistern.core.plugins.module_utils.citus.tables.drift import drift

    return drift(params)


def units(params, _check):
    from ansible_collections.cistern.core.plugins.module_utils.units.drift import drift

    return drift(params)


# Each imports its domain itself: a host pays for what runs there.
PARTS = {
    "instance": instance,
    "sentinel": sentinel,
    "node": node,
    "cluster": cluster,
    "tables": tables,
    "cache": units,
    "exporters": units,
}


def main():
    os.umask(0o022)  # the session's may keep the shadow server from what is made for it
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    params = module.params
    try:
        found = {
            name: observe_part(params[name], module.check_mode) for name, observe_part in PARTS.items() if params[name]
        }
    except RuntimeError as error:
        module.fail_json(msg=str(error))
    of_machine = facts.observe(params["packages"], params["files"], params["claims"])
    of_machine["paths"] = found.get("instance", {}).pop("paths", {})
    of_machine["wrong"] = found.get("instance", {}).pop("wrong", [])
    notes = [text for part in found.values() for text in part["notes"]]
    module.exit_json(changed=False, facts=of_machine, notes=notes, **found)


if __name__ == "__main__":
    main()
