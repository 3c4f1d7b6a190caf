#!/usr/bin/python
"""Tell what is in a cache, and how its servers do."""

import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.cache import client as connection
from ansible_collections.cistern.core.plugins.module_utils.cache.inspect import server_facts as facts
from ansible_collections.cistern.core.plugins.module_utils.cache.inspect.election import elect, sync_probe
from ansible_collections.cistern.core.plugins.module_utils.cache.inspect.survey import survey

DOCUMENTATION = r"""
module: cache_report
short_description: Tell what is in a cache, and how its servers do
description:
  - Runs on every host of a deployment. Each instance tells of itself; one of them is walked with C(SCAN), a replica
    where there is one. Nothing is written, and no value is read.
  - Used through the action of the same name, which knows the deployment.
author: Cistern (@cistern)
version_added: 0.1.0
extends_documentation_fragment:
  - cistern.core.redis_connection
options:
  policy: {description: The key families of the deployment., type: dict, required: true}
  host: {description: Inventory host of this instance., type: str, required: true}
  nodes:
    description: All instances of the deployment, each with C(host) and with C(address) and C(port) for the others.
    type: list
    elements: dict
    required: true
  rate:
    description: Keys a second that the walk takes at most; a primary is walked at a quarter of it.
    type: int
    default: 20000
  seconds: {description: How long lookups and evictions are watched at least., type: int, default: 5}
"""
EXAMPLES = r"""
- name: Report what is in the cache
  cistern.core.cache_report:
    deployment: ''
    policies: "{{ __cache_check.policies }}"
    instances: "{{ __cache_check.instances }}"
    password: "{{ redis_password }}"
"""
RETURN = r"""
role: {description: "primary or replica; empty where the server does not answer.", type: str, returned: always}
walked: {description: Whether this instance was walked., type: bool, returned: always}
why: {description: Why it was or was not., type: str, returned: always}
facts: {description: What the server says of itself., type: dict, returned: always}
found: {description: How the walk went and what it found in each database., type: dict, returned: where it was walked}
"""

SPEC = {
    "policy": {"type": "dict", "required": True},
    "host": {"type": "str", "required": True},
    "nodes": {"type": "list", "elements": "dict", "required": True},
    "addresses": {"type": "list", "elements": "str", "required": True},
    "port": {"type": "int", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "rate": {"type": "int", "default": 20000},
    "seconds": {"type": "int", "default": 5},
}
# A primary answers the application: it is walked more slowly.
PRIMARY = 4


def run(module):
    options = module.params

    def connect(number):
        return connection.connect(options["addresses"], options["port"], options["password"], db=number)

    client = connect(0)
    begun = time.monotonic()
    before = facts.read(client)
    # before the walk, whose own pages are no news
    slow_log = facts.slow_log(client)
    election = elect(before["info"], options["host"], options["nodes"], sync_probe(options["password"]))
    found = {}
    if election.mine:
        os.nice(10)
        part = PRIMARY if election.role == "primary" else 1
        found["found"] = survey(connect, options["policy"], options["rate"] / part)
    time.sleep(max(0, begun + options["seconds"] - time.monotonic()))
    found_facts = facts.facts(before, facts.read(client))
    found_facts["slow_log"] = slow_log
    found_facts["latency"] = facts.latency(client)
    found_facts["snapshots"] = facts.setting(client, "save")
    module.exit_json(
        changed=False, role=election.role, walked=election.mine, why=election.why, facts=found_facts, **found
    )


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    if connection.redis is None:
        module.exit_json(changed=False, role="", walked=False, why=connection.MISSING, facts={})
    try:
        run(module)
    except (connection.redis.RedisError, OSError) as error:
        # the others go on, and the report tells of it
        module.exit_json(changed=False, role="", walked=False, why=f"the server does not answer: {error}", facts={})


if __name__ == "__main__":
    main()
