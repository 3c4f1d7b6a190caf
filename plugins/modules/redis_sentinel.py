#!/usr/bin/python
"""Converge the Sentinel of a machine: its file, its unit, what it watches and how."""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.host.converge import each, settled
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis.instance import prove as redis_prove
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel import observe as redis_sentinel_state
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.apply import apply
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.contract import Step, Want
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.describe import (
    describe,
    diffs,
    notes,
    waiting,
)
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.drift import FAILURES, planned
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.options import SENTINEL, wanted
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.plan import PHASES

DOCUMENTATION = r"""
module: redis_sentinel
short_description: Converge a Sentinel while it runs
description:
  - Writes sentinel.conf on the first day. Afterwards the file is Sentinel's own, and differences are set with
    C(SENTINEL MONITOR), C(SENTINEL SET), C(SENTINEL REMOVE), C(SENTINEL CONFIG SET) and C(ACL SETUSER).
  - A monitor is added for the primary of that moment, asked from the servers. A Sentinel that watches the deployment
    already is never told who is primary.
  - What only a start can change is put into the file while the unit is stopped. All that Sentinel keeps there stays.
  - A monitor is left alone while its deployment fails over.
  - Used through the action of the same name, which renders the files.
author: Cistern (@cistern)
version_added: 0.1.0
extends_documentation_fragment:
  - cistern.core.file.secret_conf
  - cistern.core.file.of_a_unit
  - cistern.core.redis_connection.users
options:
  unit: {description: The systemd unit., type: str, required: true}
  conf: {description: The file sentinel.conf without its monitors.}
  files: {description: Other files and folders; without C(content) it is a folder.}
  password: {description: Password of this Sentinel and towards the others., type: str, required: true}
  hooks: {description: "Each hook and the path of its program, empty for none.", type: dict, default: {}}
  me: {description: "Address and port at which the others reach this Sentinel.", type: str, default: ''}
  deployments:
    description: What it watches; a monitor of anything else is removed.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {description: Name of the deployment and of its monitor., type: str, required: true}
      mode: {description: Mode of the deployment., type: str, required: true}
      quorum: {description: Sentinels that have to agree that the primary is down., type: int, required: true}
      auth_pass: {description: Password of the instances., type: str, required: true}
      settings: {description: Settings of the monitor in Sentinel's own spelling., type: dict, default: {}}
      initial: {description: "Address and port of the first day's primary.", type: str, required: true}
      nodes:
        description: The instances, each a mapping of C(host), C(address) and C(port).
        type: list
        elements: dict
        required: true
      sentinels:
        description: The Sentinels, each a mapping of C(host), C(address) and C(port).
        type: list
        elements: dict
        required: true
  phase:
    description:
      - V(change) does what can be done while the Sentinel runs, and tells in C(phases) what is left to the others.
      - V(rotate) makes it use a new password, V(finish) makes it forget the old one. All Sentinels have to finish
        a phase before the next, so that they keep talking to each other.
      - V(restart) restarts if something waits for it, so that a play can let one Sentinel go after the other.
      - V(forget) makes it forget replicas and Sentinels that the inventory lacks; one Sentinel after the other.
      - V(prove) opens its connections to instances and Sentinels anew, waits until it has its quorum, and fails with
        what refuses it.
    type: str
    choices: [change, rotate, restart, finish, forget, prove]
    default: change
  playing: {description: "Hosts that this run goes through, in phase V(prove).", type: list, elements: str, default: []}
"""
EXAMPLES = r"""
- name: Make the Sentinel what the inventory says
  cistern.core.redis_sentinel: {unit: redis-sentinel.service}  # the rest comes from the role's vars/sentinel.yml
"""
RETURN = r"""
steps: {description: "What was done or, in check mode, would be done, in order.", type: list, returned: always}
pending: {description: What waits for a restart., type: list, returned: always}
phases: {description: Later phases that have something to do., type: list, returned: always}
notes: {description: "What Sentinel knows and the inventory lacks.", type: list, returned: always}
version: {description: The version that runs., type: str, returned: always}
health: {description: What is not whole of each deployment., type: dict, returned: in phase prove}
"""

SPEC = {
    **SENTINEL,
    "phase": {"type": "str", "choices": [*PHASES, "prove"], "default": "change"},
    "playing": {"type": "list", "elements": "str", "default": []},
}
STEP_FAILURES = (redis_server.RedisError, OSError, RuntimeError)


def of_phase(steps: list[Step], phase) -> list[Step]:
    """Return the steps of a phase. A program that a Sentinel still wants to run is not removed before its restart."""
    waits = any(step["do"] == "restart" for step in steps)
    return [step for step in steps if step["phase"] == phase and not (waits and step["do"] == "remove")]


def take(module, want: Want):
    """Take the steps of the phase, look again, and fail if one is left."""
    phase = want["phase"]
    link = redis_server.Link()
    have, steps = planned(want, link)
    actions = of_phase(steps, phase)
    result = {
        "diff": diffs(actions, want, have),
        "notes": notes(want, have),
        "steps": [describe(step) for step in actions],
    }
    if actions and not module.check_mode:
        each(lambda step: apply(step, want, have, link), describe, STEP_FAILURES)(actions)
        have, steps = planned(want, link)
        settled(module, of_phase(steps, phase), describe, result)
    later = [step for step in steps if PHASES.index(step["phase"]) > PHASES.index(phase)]
    result["phases"] = [each for each in PHASES if any(step["phase"] == each for step in later)]
    result["pending"] = [waiting(step) for step in later if step["do"] == "restart"]
    unwatched = [text for name, text in have["unknown"].items() if name not in have["monitors"]]
    problems = [*have["blocked"].values(), *unwatched]
    if problems:
        module.fail_json(msg=" ".join(problems), changed=bool(actions), **result)
    module.exit_json(changed=bool(actions), version=have["running_version"] or have["version"], **result)


def prove(module, want: Want):
    health, left = redis_prove.sentinel(want, lambda: redis_sentinel_state.observe(want, redis_server.Link()))
    if left:
        module.fail_json(msg=f"The run leaves a deployment that is not whole. {'; '.join(left)}", health=health)
    module.exit_json(changed=False, health=health)


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    want = wanted(module.params, module.params["phase"], module.check_mode)
    try:
        if want["phase"] == "prove":
            prove(module, want)
        take(module, want)
    except redis_server.WrongPassword as error:
        module.fail_json(
            msg=f"The Sentinel of {want['unit']} refuses the passwords of the inventory and of its file ({error}). "
            "Write the password it has into redis_sentinel_password, run, and change it from there."
        )
    except FAILURES as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
