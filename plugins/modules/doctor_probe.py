#!/usr/bin/python
"""Gather what there is to know of a host, for the doctor: one run, reads only, with tight limits of time."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.doctor import application as doctor_app
from ansible_collections.cistern.core.plugins.module_utils.doctor import citus as doctor_citus
from ansible_collections.cistern.core.plugins.module_utils.doctor import machine as doctor_machine
from ansible_collections.cistern.core.plugins.module_utils.doctor import redis as doctor_redis
from ansible_collections.cistern.core.plugins.module_utils.doctor import sentinel as doctor_sentinel
from ansible_collections.cistern.core.plugins.module_utils.doctor import service as doctor_unit

DOCUMENTATION = r"""
module: doctor_probe
short_description: Gather what there is to know of a host, for the doctor
description:
  - Tells what the machine, its Redis, its Sentinel, its C(.env) and its node of Citus are, as far as the host has them.
  - Reads only, in check mode too. What does not answer is told as such; no call waits for more than seconds.
  - Nothing that it tells is a secret. What the host has is compared on the host with what it should be.
  - Used through the action of the same name, which works out from the inventory what the host has.
author: Cistern (@cistern)
version_added: 0.1.0
options:
  folders: {description: Folders whose disks are told., type: list, elements: path, default: []}
  redis:
    description: The instance of the host.
    type: dict
    suboptions:
      unit: {description: The systemd unit., type: str, required: true}
      conf: {description: Its redis.conf., type: path, required: true}
      log: {description: Its log file., type: str, default: ''}
      folder: {description: The folder of its data., type: path, required: true}
      addresses: {description: Where clients connect., type: list, elements: str, required: true}
      port: {description: Its port., type: int, required: true}
      password: {description: The password of the inventory., type: str, required: true}
  sentinel:
    description: The Sentinel of the host.
    type: dict
    suboptions:
      unit: {description: The systemd unit., type: str, required: true}
      conf: {description: Its sentinel.conf., type: path, required: true}
      log: {description: Its log file., type: str, default: ''}
      addresses: {description: Where clients connect., type: list, elements: str, required: true}
      port: {description: Its port., type: int, required: true}
      password: {description: The password of the inventory., type: str, required: true}
  app:
    description: The file of the application.
    type: dict
    suboptions:
      path: {description: Its path., type: path, required: true}
      values: {description: "What it should say of Redis, by key.", type: dict, required: true}
      secrets: {description: "The same, of what nobody may see.", type: dict, required: true}
  citus:
    description: The node of the host.
    type: dict
    suboptions:
      unit: {description: The systemd unit., type: str, required: true}
      log: {description: Its log file., type: str, default: ''}
      addresses: {description: Where clients connect., type: list, elements: str, required: true}
      port: {description: Its port., type: int, required: true}
      certificates: {description: Files of certificates., type: list, elements: path, required: true}
"""
EXAMPLES = r"""
- name: Look at the host
  cistern.core.doctor_probe:
  register: __doctor_probed
"""
RETURN = r"""
evidence:
  description: "What there is: C(machine), C(redis), C(sentinel), C(app) and C(citus), each as far as the host has it."
  type: dict
  returned: always
"""

SERVER = {
    "unit": {"type": "str", "required": True},
    "conf": {"type": "path", "required": True},
    "log": {"type": "str", "default": ""},
    "addresses": {"type": "list", "elements": "str", "required": True},
    "port": {"type": "int", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
}
SPEC = {
    "folders": {"type": "list", "elements": "path", "default": []},
    "redis": {"type": "dict", "options": {**SERVER, "folder": {"type": "path", "required": True}}},
    "sentinel": {"type": "dict", "options": SERVER},
    "app": {
        "type": "dict",
        "options": {
            "path": {"type": "path", "required": True},
            "values": {"type": "dict", "required": True},
            "secrets": {"type": "dict", "required": True, "no_log": True},
        },
    },
    "citus": {
        "type": "dict",
        "options": {
            "unit": {"type": "str", "required": True},
            "log": {"type": "str", "default": ""},
            "addresses": {"type": "list", "elements": "str", "required": True},
            "port": {"type": "int", "required": True},
            "certificates": {"type": "list", "elements": "path", "required": True},
        },
    },
}


def observe(params):
    """Return the evidence; the parts wait for their servers at the same time."""
    begun = time.time()
    sockets = doctor_unit.listening()
    parts = {"machine": lambda: doctor_machine.observe(params["folders"])}
    if params["redis"]:
        parts["redis"] = lambda: doctor_redis.observe(params["redis"], sockets)
    if params["sentinel"]:
        parts["sentinel"] = lambda: doctor_sentinel.observe(params["sentinel"], sockets)
    if params["app"]:
        parts["app"] = lambda: doctor_app.observe(params["app"])
    if params["citus"]:
        parts["citus"] = lambda: doctor_citus.observe(params["citus"], sockets)
    with ThreadPoolExecutor(max_workers=len(parts)) as pool:
        futures = {name: pool.submit(part) for name, part in parts.items()}
        evidence = {name: future.result() for name, future in futures.items()}
    evidence["machine"]["clock"].update(begun=begun, ended=time.time())
    return evidence


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    module.exit_json(changed=False, evidence=observe(module.params))


if __name__ == "__main__":
    main()
