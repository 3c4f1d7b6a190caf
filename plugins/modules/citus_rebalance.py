#!/usr/bin/python
"""Move the shards of a Citus cluster until they are even, or end what moves them."""

import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.citus import client as citus_sql
from ansible_collections.cistern.core.plugins.module_utils.citus import cluster as citus_cluster
from ansible_collections.cistern.core.plugins.module_utils.citus import shard_moves as citus_moves
from ansible_collections.cistern.core.plugins.module_utils.citus.cluster import refusal
from ansible_collections.cistern.core.plugins.module_utils.citus.options import CONNECTION, TRANSFER_MODES
from ansible_collections.cistern.core.plugins.module_utils.citus.rebalance.contract import Have, Step, Want
from ansible_collections.cistern.core.plugins.module_utils.citus.rebalance.plan import describe, evenness, names, plan
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Failed, Refused

DOCUMENTATION = r"""
module: citus_rebalance
short_description: Move the shards of a Citus cluster until they are even
description:
  - Starts a rebalance in the background of the server and follows it. Moves that are under way are followed first.
  - In check mode it tells the moves that the server would make.
  - Where a move fails or the time is over, the moves are ended; a shard that has moved stays where it is.
  - Runs on the coordinator's host, as root or as O(user). Used through the action of the same name, which runs it again
    every O(poll) seconds and prints how far the moves are.
author: Cistern (@cistern)
version_added: 0.1.0
extends_documentation_fragment:
  - cistern.core.postgres_connection
  - cistern.core.postgres_connection.moves
options:
  nodes:
    description: The nodes by name, each with C(host), C(address) and C(port), so that moves are told by these.
    type: list
    elements: dict
    default: []
  stop: {description: End the moves that are under way instead., type: bool, default: false}
  strategy: {description: Strategy of the server; its default where it is empty., type: str, default: ''}
"""
EXAMPLES = r"""
- name: Rebalance the shards
  cistern.core.citus_rebalance:
    database: chat
    seconds: 7200
  become: true

- name: End what moves shards
  cistern.core.citus_rebalance:
    database: chat
    stop: true
  become: true
"""
RETURN = r"""
steps: {description: "What was done or, in check mode, would be done, in order.", type: list, returned: always}
notes: {description: What each node holds., type: list, returned: on success}
moves: {description: "Each with C(tables), C(bytes), C(from) and C(to).", type: list, returned: on success}
moving:
  description: How far the shard moves are, with C(done), C(total) and C(message); the next run follows them.
  type: dict
  returned: while shards move
"""

SPEC = {
    **CONNECTION,
    "nodes": {"type": "list", "elements": "dict", "default": []},
    "stop": {"type": "bool", "default": False},
    "strategy": {"type": "str", "default": ""},
    "shard_transfer_mode": {"type": "str", "choices": list(TRANSFER_MODES), "default": "auto"},
    "seconds": {"type": "int", "default": 3600},
    "poll": {"type": "int", "default": 5},
}
# It is planned from sizes, which change while shards move: after a rebalance it may be worth another one.
ROUNDS = 4


def observe(connection, want: Want) -> Have:
    have = citus_cluster.observe(connection, [])
    can_plan = have["group"] == 0 and citus_cluster.reachable(have) and not have["job"] and not want["stop"]
    return {**have, "moves": citus_cluster.planned(connection, want["strategy"] or None) if can_plan else []}


def apply(connection, step: Step, want: Want, until):
    """Take one step; return how far the shard moves are where they are still under way."""
    if step["do"] == "start":
        citus_moves.start(connection, want["shard_transfer_mode"], want["strategy"] or None)
    elif step["do"] == "stop":
        citus_moves.stop(connection)
    elif step["do"] == "wait":
        job = citus_cluster.job(connection)
        pause = time.monotonic() + want["poll"]
        return citus_moves.wait(connection, job["id"], until, pause, names(want)) if job else None
    return None


def take(module, connection, want: Want):
    """Take the steps, look again, and go on until none is left; return {steps, notes, moves, moving}."""
    hosts, until = names(want), time.monotonic() + want["seconds"]
    result: dict = {"steps": [], "moves": []}
    for _round in range(ROUNDS):
        have = observe(connection, want)
        steps = plan(want, have)
        result["steps"] += [describe(step, hosts) for step in steps]
        result["moves"] += have["moves"]
        result["notes"] = evenness(have, hosts)
        if not steps or module.check_mode:
            break
        for step in steps:
            try:
                moving = apply(connection, step, want, until)
            except (citus_sql.Error, Failed) as error:
                citus_moves.stop(connection)
                text = f"To {describe(step, hosts)}: {citus_sql.sentence(error)}. The moves were ended."
                module.fail_json(msg=text, changed=True, **result)
            if moving:
                return {**result, "moving": moving}
    return result


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    try:
        with citus_sql.connected(module) as connection:
            result = take(module, connection, module.params)
    except Refused as error:
        module.fail_json(msg=refusal(error), steps=[])
    except (citus_sql.Absent, citus_sql.Error, citus_sql.Busy, Failed, OSError, RuntimeError) as error:
        module.fail_json(msg=f"{citus_sql.sentence(error)}.", steps=[])
    module.exit_json(changed=bool(result["steps"]), **result)


if __name__ == "__main__":
    main()
