#!/usr/bin/python
"""Drop cached keys by pattern at the primary of a deployment."""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.cache import client as connection
from ansible_collections.cistern.core.plugins.module_utils.cache import invalidate
from ansible_collections.cistern.core.plugins.module_utils.cache.inspect.survey import databases
from ansible_collections.cistern.core.plugins.module_utils.cache.key_patterns import Pattern

DOCUMENTATION = r"""
module: cache_invalidate
short_description: Drop cached keys by pattern at the primary of a deployment
description:
  - Finds the keys of each target with SCAN and takes them with UNLINK, in bounded batches, in every database that has
    keys. Other keys stay.
  - Runs on every host of a deployment; an instance that is a replica does nothing, its primary tells it.
author: Cistern (@cistern)
version_added: 0.1.0
extends_documentation_fragment:
  - cistern.core.redis_connection
options:
  targets:
    description: What is dropped, in this order.
    type: list
    elements: dict
    default: []
    suboptions:
      family: {description: Name of the key family., type: str, required: true}
      pattern: {description: "Key pattern, such as C(user_messages:{user1}:*).", type: str, required: true}
      values:
        description: Values of its placeholders; those without one match anything but a colon.
        type: dict
        default: {}
  flush: {description: Drops every key of database 0 instead., type: bool, default: false}
"""
EXAMPLES = r"""
- name: Drop what a message makes stale
  cistern.core.cache_invalidate:
    targets:
      - {family: unread_count, pattern: 'unread_count:{user2}', values: {user2: 42}}
    addresses: [127.0.0.1]
    port: 6379
    password: "{{ redis_password }}"
"""
RETURN = r"""
steps: {description: "What was dropped or, in check mode, would be, by pattern.", type: list, returned: always}
role: {description: "primary or replica; a replica drops nothing itself.", type: str, returned: always}
dropped: {description: Keys dropped by family., type: dict, returned: always}
"""

# Seconds that the server may take for one step, such as dropping all keys.
PATIENCE = 120

SPEC = {
    "targets": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "family": {"type": "str", "required": True},
            "pattern": {"type": "str", "required": True},
            "values": {"type": "dict", "default": {}},
        },
    },
    "flush": {"type": "bool", "default": False},
    "addresses": {"type": "list", "elements": "str", "required": True},
    "port": {"type": "int", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
}


def run(module):
    options = module.params

    def connect(number):
        # keys are bytes of any kind
        connection_args = options["addresses"], options["port"], options["password"]
        return connection.connect(*connection_args, db=number, seconds=PATIENCE)

    client = connect(0)
    if client.execute_command("ROLE")[0] != b"master":
        module.exit_json(changed=False, steps=[], role="replica", dropped={})
    steps, dropped = [], {}
    if options["flush"]:
        keys = client.dbsize()
        steps = [f"FLUSHDB: drop all {keys} keys"] if keys else []
        dropped = {"*": keys} if keys else {}
        if keys and not module.check_mode:
            client.flushdb(asynchronous=True)
    targets = options["targets"]
    for database in databases(client) if targets else ():
        client = connect(database)
        for index, target in enumerate(targets):
            if module.check_mode:
                number, some = invalidate.count(client, target, targets[:index])
            else:
                number, some = invalidate.drop(client, target)
            if number:
                dropped[target["family"]] = dropped.get(target["family"], 0) + number
                steps.append(
                    f"{target['family']}: drop {number} of {step_text(target, database)}: {shown(number, some)}"
                )
    module.exit_json(changed=bool(dropped), steps=steps, role="primary", dropped=dropped)


def step_text(target, database):
    text = Pattern(target["pattern"]).filled(target["values"])
    return f"{text} in database {database}" if database else text


def shown(number, some):
    return ", ".join(key.decode(errors="backslashreplace") for key in some) + (", ..." if number > 3 else "")


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    if connection.redis is None:
        module.fail_json(msg=connection.MISSING, steps=[])
    try:
        run(module)
    except (connection.redis.RedisError, OSError) as error:
        module.fail_json(msg=f"The cache could not be asked: {error}", steps=[])


if __name__ == "__main__":
    main()
