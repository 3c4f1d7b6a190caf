#!/usr/bin/python
"""Make the nodes of a Citus cluster those of the inventory, in both directions."""

import os
import time
import typing

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.citus import client as citus_sql
from ansible_collections.cistern.core.plugins.module_utils.citus import cluster as citus_cluster
from ansible_collections.cistern.core.plugins.module_utils.citus import health as citus_health
from ansible_collections.cistern.core.plugins.module_utils.citus import shard_moves as citus_moves
from ansible_collections.cistern.core.plugins.module_utils.citus.cluster import endpoint_of, refusal
from ansible_collections.cistern.core.plugins.module_utils.citus.nodes.contract import Have, Step, Want
from ansible_collections.cistern.core.plugins.module_utils.citus.nodes.drift import observe
from ansible_collections.cistern.core.plugins.module_utils.citus.nodes.options import NODES
from ansible_collections.cistern.core.plugins.module_utils.citus.nodes.plan import (
    afterwards,
    describe,
    fresh,
    names,
    notes,
    plan,
    shown,
)
from ansible_collections.cistern.core.plugins.module_utils.host.converge import settled
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Failed, Refused

DOCUMENTATION = r"""
module: citus_node
short_description: Make the nodes of a Citus cluster those of the inventory
description:
  - Adds and activates the nodes that are V(present). Empties those that are V(absent), waits until their shards have
    moved, and removes them. A node that the inventory lacks is told in C(notes) and left alone.
  - Nothing is touched unless every node answers and the shards that have to move can be moved.
  - Shards move in the background of the server. A run that is interrupted is finished by the next one. Where a move
    fails or the time is over, the moves are ended, and the node that was to be emptied may hold shards again.
  - Runs on the coordinator's host, as root or as O(user). Used through the action of the same name, which runs it again
    every O(poll) seconds and prints how far the moves are.
author: Cistern (@cistern)
version_added: 0.1.0
extends_documentation_fragment:
  - cistern.core.postgres_connection
  - cistern.core.postgres_connection.moves
options:
  coordinator:
    description: Where the workers reach the coordinator.
    type: dict
    required: true
    suboptions:
      host: {description: Its inventory name., type: str, required: true}
      address: {description: Its address., type: str, required: true}
      port: {description: Its port., type: int, default: 5432}
  nodes:
    description: The workers.
    type: list
    elements: dict
    required: true
    suboptions:
      host: {description: Its inventory name., type: str, required: true}
      address: {description: Its address., type: str, required: true}
      port: {description: Its port., type: int, default: 5432}
      state: {description: Whether it is a node., type: str, choices: [present, absent], default: present}
      shards: {description: Whether it may hold shards., type: bool, default: true}
  rebalance: {description: Whether shards are moved until they are even., type: bool, default: false}
  free_bytes: {description: "Free bytes on the disk of each node, by its C(address port).", type: dict, default: {}}
  prove: {description: Whether every node shall open a connection to every other anew., type: bool, default: false}
"""
EXAMPLES = r"""
- name: Declare the nodes
  cistern.core.citus_node:
    database: chat
    coordinator: {host: citus1, address: 10.0.0.10}
    nodes:
      - {host: citus2, address: 10.0.0.11}
      - {host: citus3, address: 10.0.0.12}
      - {host: citus4, address: 10.0.0.13, state: absent}
    rebalance: true
  become: true
"""
RETURN = r"""
steps: {description: "What was done or, in check mode, would be done, in order.", type: list, returned: always}
notes: {description: What was found and left alone., type: list, returned: on success}
health: {description: "What is not whole, as sentences.", type: list, returned: on success}
moving:
  description: How far the shard moves are, with C(done), C(total) and C(message); the next run follows them.
  type: dict
  returned: while shards move
"""

SPEC = NODES
# A rebalance is planned from sizes, which change while it moves: after it, it may be worth another one.
ROUNDS = 4


def apply(connection, step: Step, want: Want, until):
    """Take one step; return how far the shard moves are where they are still under way."""
    do, address = step["do"], citus_cluster.parts(step["endpoint"]) if "endpoint" in step else None
    if do == "coordinator":
        citus_sql.run(connection, "SELECT pg_catalog.citus_set_coordinator_host(%s, %s)", address)
        wait_for_sync(connection)
    elif do == "sync":
        wait_for_sync(connection)
    elif do == "add":
        citus_sql.run(connection, "SELECT pg_catalog.citus_add_node(%s, %s)", address)
    elif do == "activate":
        citus_sql.run(connection, "SELECT pg_catalog.citus_activate_node(%s, %s)", address)
    elif do in ("take_shards", "drain"):
        citus_moves.set_shards(connection, step["endpoint"], do == "take_shards")
    elif do == "move":
        citus_moves.start(connection, want["shard_transfer_mode"], drain_only=not step["rebalance"])
    elif do == "wait":
        job = citus_cluster.job(connection)
        pause = time.monotonic() + want["poll"]
        return citus_moves.wait(connection, job["id"], until, pause, names(want)) if job else None
    elif do == "forget":
        citus_sql.run(connection, "SELECT pg_catalog.citus_disable_node(%s, %s, synchronous := true)", address)
        citus_sql.run(connection, "SELECT pg_catalog.citus_remove_node(%s, %s)", address)
    elif do == "remove":
        # what a move left on this node could not be deleted once it is gone
        citus_sql.run(connection, "CALL pg_catalog.citus_cleanup_orphaned_resources()")
        citus_sql.run(connection, "SELECT pg_catalog.citus_remove_node(%s, %s)", address)
    return None


def _lags(node):
    return node["active"] and not node["synced"]


def wait_for_sync(connection, seconds=60):
    """The server lets the others know of a move within some seconds, and refuses every change until then."""
    until = time.monotonic() + seconds
    while late := [name for name, node in citus_cluster.nodes(connection).items() if _lags(node)]:
        if time.monotonic() > until:
            raise Failed(f"{', '.join(late)} has not got the metadata within {seconds} s")
        time.sleep(0.2)


def put_back(connection, want: Want):
    """End the moves, and let the nodes that were to be emptied hold shards again: new tables would spare them."""
    citus_moves.stop(connection)
    found = citus_cluster.nodes(connection)
    for node in want["nodes"]:
        endpoint = endpoint_of(node)
        if node["state"] == "absent" and endpoint in found and not found[endpoint]["takes"]:
            citus_moves.set_shards(connection, endpoint, True)


def take(module, connection, want: Want):
    """Take the steps, look again, and go on until none is left; return {steps, notes, diff, moving}."""
    hosts, until = names(want), time.monotonic() + want["seconds"]
    result: dict = {"steps": []}
    for _round in range(ROUNDS):
        have = observe(connection, want)
        steps = plan(want, have)
        result["diff"] = result.get("diff") or diff(want, have)
        result.update(notes=notes(want, have), health=citus_health.health(have, hosts))
        if module.check_mode:
            return {**result, "steps": [describe(step, hosts) for step in steps]}
        if not steps:
            return result
        for step in steps:
            text = describe(step, hosts)
            result["steps"] += [] if text in result["steps"] else [text]
            try:
                moving = apply(connection, step, want, until)
            except (citus_sql.Error, Failed) as error:
                undone = ""
                if step["do"] in ("drain", "move", "wait"):
                    put_back(connection, want)
                    undone = " The moves were ended; what has moved stays, and the next run goes on from there."
                module.fail_json(msg=f"To {text}: {citus_sql.sentence(error)}.{undone}", changed=True, **result)
            if moving:
                return {**result, "moving": moving}
    settled(module, plan(want, observe(connection, want)), lambda step: describe(step, hosts), result)
    return result


def prove(module, connection, want: Want, result):
    """After a change, fail with the connections that are refused: those that stand say nothing of the next one."""
    if module.check_mode or "moving" in result or not (want["prove"] or result["steps"]):
        return
    closed = citus_health.refused(connection, names(want))
    if closed:
        text = f"The change is made, and a connection that the cluster lives on is refused: {'; '.join(closed)}."
        module.fail_json(msg=f"{text} The log of the second says why.", changed=bool(result["steps"]), **result)


def diff(want: Want, have: Have):
    before, after = (shown(nodes, names(want)) for nodes in (have["nodes"], afterwards(want, have)))
    return [{"before_header": "nodes", "after_header": "nodes", "before": before, "after": after}]


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    want = typing.cast("Want", {**module.params, "check": module.check_mode})
    try:
        with citus_sql.connected(module) as connection:
            result = take(module, connection, want)
            prove(module, connection, want, result)
    except citus_sql.Absent as error:
        if not module.check_mode:
            module.fail_json(msg=f"No cluster: {error}.", steps=[])
        have = fresh(want)
        result = {"steps": [describe(step, names(want)) for step in plan(want, have)], "diff": diff(want, have)}
        result["notes"] = [f"everything is new: {error}"]
    except Refused as error:
        module.fail_json(msg=refusal(error), steps=[])
    except (citus_sql.Error, citus_sql.Busy, Failed, OSError, RuntimeError) as error:
        module.fail_json(msg=f"{citus_sql.sentence(error)}.", steps=[])
    module.exit_json(changed=bool(result["steps"]), **result)


if __name__ == "__main__":
    main()
