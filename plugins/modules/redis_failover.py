#!/usr/bin/python
"""Make another instance of a deployment primary, without losing a write."""

import os
import signal

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.host.converge import settled
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology
from ansible_collections.cistern.core.plugins.module_utils.redis.contract import Deployment
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.apply import Failed, take
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.observe import ERRORS, Servers
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.plan import describe, plan

DOCUMENTATION = r"""
module: redis_failover
short_description: Make another instance of a deployment primary, without losing a write
description:
  - Pauses writes at the primary, waits until every candidate has all of them, lets Sentinel fail over or, without
    Sentinel, changes the parts itself, makes the old primary a replica, and lets writes go on.
  - Nothing is touched unless every instance is in line. Where a step fails, what was changed is put back.
  - A run that was interrupted is finished by the next one.
  - Runs on one host, and reaches all instances and Sentinels over the network.
author: Cistern (@cistern)
version_added: 0.1.0
options:
  deployment:
    description: The deployment.
    type: dict
    required: true
    suboptions:
      name: {description: Its name; that of its primary for the Sentinels., type: str, required: true}
      mode:
        description: Who changes the parts.
        type: str
        choices: [replication, sentinel]
        required: true
      initial: {description: Where the first primary is reached., type: str}
      nodes:
        description: Its instances, each with C(host), C(address) and C(port).
        type: list
        elements: dict
        required: true
      sentinels:
        description: Its Sentinels, each with C(host), C(address) and C(port).
        type: list
        elements: dict
        default: []
  to: {description: The inventory host that becomes primary; the best where it is empty., type: str, default: ''}
  password: {description: Password of the instances., type: str, required: true}
  sentinel_password: {description: Password of the Sentinels., type: str, default: ''}
"""
EXAMPLES = r"""
- name: Make redis2 primary
  cistern.core.redis_failover:
    deployment: "{{ __redis_check.deployments.cache }}"
    to: redis2
    password: "{{ redis_password }}"
    sentinel_password: "{{ redis_sentinel_password }}"
  run_once: true
"""
RETURN = r"""
steps: {description: "What was done or, in check mode, would be done, in order.", type: list, returned: always}
primary: {description: The inventory host that is primary at the end., type: str, returned: always}
"""

SPEC = {
    "deployment": {
        "type": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "mode": {"type": "str", "choices": [*modes.REPLICATED], "required": True},
            "initial": {"type": "str"},
            "nodes": {"type": "list", "elements": "dict", "required": True},
            "sentinels": {"type": "list", "elements": "dict", "default": []},
        },
    },
    "to": {"type": "str", "default": ""},
    "password": {"type": "str", "required": True, "no_log": True},
    "sentinel_password": {"type": "str", "default": "", "no_log": True},
}


def stopped(number, _frame):
    """A run that is told to end puts back what it changed."""
    raise Failed(f"the run was ended by {signal.Signals(number).name}")


def run(module):
    deployment: Deployment = {**module.params["deployment"], "me": None}
    hosts = redis_topology.names(deployment)
    endpoints = {host: endpoint for endpoint, host in hosts.items()}
    to = module.params["to"]
    if to and to not in endpoints:
        raise Refused(f"{to} is no instance of {deployment['name']}; these are: {', '.join(endpoints)}")
    servers = Servers(deployment, [module.params["password"]], module.params["sentinel_password"])
    have, steps = servers.ready(endpoints.get(to))
    sentences = [describe(step, hosts) for step in steps]
    primary = have["primary"] or ""
    if steps and not module.check_mode:
        sentences = []
        try:
            primary = take(servers, steps, have, sentences.append)
            left = plan({"deployment": deployment, "target": endpoints.get(to, primary)}, servers.observe())
        except (Failed, Refused) as error:
            module.fail_json(msg=sentence(error), steps=sentences)
        settled(module, left, lambda step: describe(step, hosts), {"steps": sentences})
    module.exit_json(changed=bool(steps), steps=sentences, primary=hosts[primary])


def sentence(error):
    text = str(error)
    return text[:1].upper() + text[1:] + "."


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, stopped)
    try:
        run(module)
    except (Refused, Failed) as error:
        module.fail_json(msg=f"No switchover, and nothing was changed: {error}.", steps=[])
    except ERRORS as error:
        module.fail_json(msg=sentence(error), steps=[])


if __name__ == "__main__":
    main()
