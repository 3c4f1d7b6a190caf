#!/usr/bin/python
"""Converge one Redis instance: its files, its unit, the values it runs with."""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.host.converge import settled
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused, Unusable
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis.instance import health as redis_health
from ansible_collections.cistern.core.plugins.module_utils.redis.instance import prove as redis_prove
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.apply import (
    STEP_FAILURES,
    take_steps,
    wait_linked,
)
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.contract import Want
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.describe import describe, diffs, notes
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.drift import UNUSABLE, planned, role
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.observe import observe
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.options import INSTANCE, wanted
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.plan import restarts

DOCUMENTATION = r"""
module: redis_config
short_description: Converge one Redis instance, live where the server allows it
description:
  - Compares what the inventory wants with the files on the host and with the values the server runs with. Values are
    compared as the server takes them, so V(256mb) equals V(268435456) and a file rewritten by C(CONFIG REWRITE) is no
    difference.
  - A difference that the server can take while running is set with C(CONFIG SET), in one atomic call from Redis 7.0 on.
    A restart happens only for what it cannot, and names those directives.
  - The new redis.conf is read by the installed server before it replaces the old one.
  - AOF is switched while the server runs, never by a restart, so that no key is lost.
  - Used through the action of the same name, which renders the files.
author: Cistern (@cistern)
version_added: 0.1.0
extends_documentation_fragment:
  - cistern.core.file.secret_conf
  - cistern.core.file.of_an_instance
  - cistern.core.redis_connection
  - cistern.core.redis_connection.users
options:
  unit: {description: The systemd unit of the instance., type: str, required: true}
  conf: {description: The file redis.conf.}
  files:
    description: Other files and folders of the instance and its machine; without C(content) it is a folder.
  kernel: {description: Kernel settings and their values., type: dict, default: {}}
  password: {description: Password of the default user.}
  immutable:
    description: For each series of the server, such as C(7.0), the directives that it takes only at its start.
    type: dict
    required: true
  aliases: {description: Other names of directives., type: dict, default: {}}
  phase:
    description:
      - V(change) does everything but a restart, and tells in C(pending) what waits for one.
      - V(join) waits until a replica has the data of its primary.
      - V(prove) opens the connections that its deployment lives on anew, and fails with what refuses one.
      - V(restart) restarts if something waits for it, so that a play can let one instance go after the other. It waits
        until the deployment is in line, before and after; a primary under Sentinel hands its part over first.
    type: str
    choices: [change, join, restart, prove]
    default: change
  force_restart: {description: Whether to restart even if nothing waits for it., type: bool, default: false}
  deployment:
    description:
      - The deployment of a replicated instance, its C(name), C(mode), C(nodes) and C(sentinels), its C(initial) primary
        and C(me), the endpoint of this instance; empty for one of its own. Who is primary is asked of the servers.
    type: dict
    default: {}
  sentinel_password: {description: Password of the Sentinels., type: str, default: ''}
  playing: {description: "Hosts that this run goes through, in phase V(prove).", type: list, elements: str, default: []}
"""
EXAMPLES = r"""
- name: Write the configuration and make the server run with it
  cistern.core.redis_config: {unit: redis-server.service}  # the rest comes from the role's vars/main/
"""
RETURN = r"""
steps: {description: "What was done or, in check mode, would be done, in order.", type: list, returned: always}
pending: {description: What waits for a restart., type: list, returned: always}
notes: {description: "What differs and is not ours, such as the kernel of a container.", type: list, returned: always}
version: {description: The version that runs., type: str, returned: always}
role: {description: "The part of the instance, C(primary) or C(replica).", type: str, returned: when it is replicated}
health:
  description: "What is not whole of the C(instance) and, as it sees it, of its C(deployment): lists of sentences."
  type: dict
  returned: in phases join and prove, and in each phase of an instance of its own
"""

SPEC = {
    **INSTANCE,
    "phase": {"type": "str", "choices": ["change", "join", "restart", "prove"], "default": "change"},
    "force_restart": {"type": "bool", "default": False},
    "playing": {"type": "list", "elements": "str", "default": []},
}
FAILURES = (*UNUSABLE, Refused, Unusable, redis_server.WrongPassword, *STEP_FAILURES)


def take(module, want: Want):
    """Take the steps of the phase, look again, and fail if one is left."""
    link = redis_server.Link()
    have, steps = planned(want, link)
    if want["restart"]:
        # in check mode the first phase has reported the file, and has not written it
        steps = restarts(steps, want, with_file=not module.check_mode)
    actions = [step for step in steps if step["do"] != "report"]
    result = {
        "diff": diffs(actions, want, have),
        "notes": notes(want, have),
        "steps": [describe(step) for step in actions],
    }
    if actions and not module.check_mode:
        take_steps(actions, want, have, planned, link)
        have, steps = planned({**want, "force_restart": False}, link)
        # a forced restart takes the file as it is
        settled(
            module, [step for step in steps if step["do"] != "report" and not want["force_restart"]], describe, result
        )
    result["pending"] = [describe(step) for step in steps if step["do"] == "report"]
    if link.client and not want["deployment"] and not module.check_mode:
        # nobody else takes part, so that there is nothing to wait for: no exchange of its own proves it
        try:
            redis_prove.prove(redis_prove.of_instance(want, have, []))
        except Refused as error:
            module.fail_json(msg=str(error), **result)
        result["health"] = redis_health.of_instance(want, have)
    module.exit_json(changed=bool(actions), version=have["running_version"] or have["version"], **role(have), **result)


def join(module, want: Want):
    """Wait until a replica has the data of its primary; to prove it, open every connection of the deployment too."""
    link = redis_server.Link()
    have = observe(want, link)
    if link.client and not module.check_mode:
        wait_linked(link.client)
        if want["phase"] == "prove":
            redis_prove.prove(redis_prove.of_instance(want, have, want["playing"]))
            have = observe(want, link)
    module.exit_json(changed=False, health=redis_health.of_instance(want, have))


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    want = wanted(module.params, module.params["phase"])
    try:
        if want["phase"] in ("join", "prove"):
            join(module, want)
        take(module, want)
    except Unusable as error:
        module.fail_json(
            msg=f"The installed Redis refuses the new {want['conf']['path']}, so nothing was replaced: {error}"
        )
    except redis_server.WrongPassword as error:
        module.fail_json(
            msg=f"The server of {want['unit']} refuses the password of the inventory and that of its file ({error}). "
            "Write the password it has into redis_password, run, and change it from there."
        )
    except FAILURES as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
