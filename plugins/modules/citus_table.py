#!/usr/bin/python
"""Distribute the tables of a Citus database as the inventory says."""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.citus import client as citus_sql
from ansible_collections.cistern.core.plugins.module_utils.citus.cluster import refusal
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.contract import Step
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.drift import observe
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.options import TABLES
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.plan import describe, notes, plan
from ansible_collections.cistern.core.plugins.module_utils.host.converge import settled
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused

DOCUMENTATION = r"""
module: citus_table
short_description: Distribute the tables of a Citus database as the inventory says
description:
  - Distributes a local table, or makes it a reference table, one statement each, in the order that foreign keys and
    colocation ask for. Keys, columns and foreign keys of all of them are checked before the first.
  - A table that is distributed differently is refused, with the statement that changes it; nothing is undistributed.
  - A table that is not there yet is told in C(notes).
  - Runs on the coordinator's host, as root or as O(user).
author: Cistern (@cistern)
version_added: 0.1.0
extends_documentation_fragment:
  - cistern.core.postgres_connection
options:
  tables:
    description:
      - The tables by name, with their schema if it is not C(public). Each has a C(type), which is C(distributed) (the
        default), C(reference) or C(local).
      - A distributed one has a C(column), and may have C(colocate_with) and C(shard_count).
      - C(colocate_with) is C(default) or C(none) as Citus means it, the name of a table, or any other name, which holds
        the tables that have it together.
    type: dict
    required: true
"""
EXAMPLES = r"""
- name: Distribute the tables
  cistern.core.citus_table:
    database: chat
    tables:
      countries: {type: reference}
      users: {column: user_id, shard_count: 32, colocate_with: none}
      conversations: {column: conversation_id, colocate_with: conversation, shard_count: 32}
      messages: {column: conversation_id, colocate_with: conversation}
      settings: {type: local}
  become: true
"""
RETURN = r"""
steps: {description: "What was done or, in check mode, would be done, in order.", type: list, returned: always}
notes: {description: What was found and left alone., type: list, returned: on success}
"""

SPEC = TABLES


def apply(connection, step: Step):
    """Take one step, in a transaction of its own."""
    for name, value in step["settings"].items():
        citus_sql.run(connection, "SELECT pg_catalog.set_config(%s, %s, false)", (name, value))
    if step["do"] == "reference":
        citus_sql.run(connection, "SELECT pg_catalog.create_reference_table(%s::oid::regclass)", (step["oid"],))
        return
    citus_sql.run(
        connection,
        "SELECT pg_catalog.create_distributed_table(%s::oid::regclass, %s, colocate_with := %s, shard_count := %s)",
        (step["oid"], step["column"], step["with"], step["shards"]),
    )


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    want, done = module.params["tables"], []
    try:
        with citus_sql.connected(module) as connection:
            have = observe(connection)
            steps = plan(want, have)
            for step in steps if not module.check_mode else []:
                done.append(describe(step))
                apply(connection, step)
            if steps and not module.check_mode:
                have = observe(connection)
                settled(module, plan(want, have), describe, {"steps": done})
    except citus_sql.Absent as error:
        if not module.check_mode:
            module.fail_json(msg=f"No cluster: {error}.", steps=[])
        module.exit_json(changed=False, steps=[], notes=[f"no table is there yet: {error}"])
    except Refused as error:
        module.fail_json(msg=refusal(error), steps=done)
    except (citus_sql.Error, citus_sql.Busy, OSError, RuntimeError) as error:
        where = f"To {done[-1]}: " if done else ""
        module.fail_json(msg=f"{where}{citus_sql.sentence(error)}.", steps=done, changed=bool(done))
    module.exit_json(changed=bool(steps), steps=[describe(step) for step in steps], notes=notes(want, have))


if __name__ == "__main__":
    main()
