#!/usr/bin/python
"""Converge the PostgreSQL server of one Citus node: its cluster, its files, the settings it runs with."""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.citus.server.apply import apply
from ansible_collections.cistern.core.plugins.module_utils.citus.server.contract import Step
from ansible_collections.cistern.core.plugins.module_utils.citus.server.drift import FAILURES, look, sentence
from ansible_collections.cistern.core.plugins.module_utils.citus.server.options import NODE
from ansible_collections.cistern.core.plugins.module_utils.citus.server.plan import describe, notes, plan
from ansible_collections.cistern.core.plugins.module_utils.host import files
from ansible_collections.cistern.core.plugins.module_utils.host.converge import each, settled

DOCUMENTATION = r"""
module: citus_server
short_description: Converge the PostgreSQL server of one Citus node, by a reload where that is enough
description:
  - Makes a database cluster of its own, writes its settings, C(pg_hba.conf), C(pg_ident.conf) and certificates, and
    lets the server read them again.
  - Memory and connections follow from the machine and from the number of nodes; the inventory is laid over that.
  - New settings are read by the installed server, libraries included, before they replace anything.
  - A restart happens only where the server says that a setting waits for one.
  - Used through the action of the same name, which renders the files.
author: Cistern (@cistern)
version_added: 0.1.0
extends_documentation_fragment:
  - cistern.core.file.conf
  - cistern.core.file.beside
options:
  version: {description: Major version of PostgreSQL., type: str, required: true}
  cluster: {description: Name of the database cluster., type: str, required: true}
  data_dir: {description: Folder of its data., type: path, required: true}
  port: {description: Its TCP port., type: int, required: true}
  address: {description: Address at which the other nodes reach it., type: str, required: true}
  addresses: {description: Addresses it listens on., type: list, elements: str, required: true}
  nodes: {description: How many nodes there are., type: int, required: true}
  clients: {description: Connections of the application to one node., type: int, required: true}
  layers:
    description: Settings that are laid over the baseline, in this order; null takes one away.
    type: list
    elements: dict
    default: []
  conf: {description: "The file of settings, with its header as content."}
  files: {description: Other files of the node; without content it is a folder.}
  tls:
    description:
      - Its certificate. C(ca), C(certificate) and C(key) are paths, C(ca_content) the CAs it trusts, C(authority) the
        one that signs, C(names) what the certificate has to name, C(days_left) when a new one is due, C(rotate) whether
        one is due in any case, and C(certificate_content) the one that the CA has given.
    type: dict
    required: true
  database: {description: "The application's C(name) and C(role).", type: dict, required: true}
  password: {description: Password of the application's role., type: str, required: true}
  phase:
    description:
      - V(change) does everything but a restart, and tells in C(pending) what waits for one.
      - V(trust) writes the CAs that are trusted, so that all nodes know a new one before any shows a certificate of it.
      - V(restart) restarts if something waits for it, so that a play can let one node go after the other.
    type: str
    choices: [trust, change, restart]
    default: change
  packages: {description: Packages to look for., type: list, elements: str, default: []}
  upgrades:
    description: Packages that apt is about to replace, each with the version that it C(gets).
    type: dict
    default: {}
  other_files: {description: Files to look for., type: list, elements: str, default: []}
  claims: {description: What the machine must have free., type: dict, default: {}}
"""
EXAMPLES = r"""
- name: Write the settings and make the server run with them
  cistern.core.citus_server: {version: '15', cluster: citus}  # the rest comes from the role's vars/main/
"""
RETURN = r"""
steps: {description: "What was done or, in check mode, would be done, in order.", type: list, returned: always}
pending: {description: What waits for a restart., type: list, returned: always}
notes: {description: What differs and is not ours., type: list, returned: always}
"""

SPEC = {
    **NODE,
    "phase": {"type": "str", "choices": ["trust", "change", "restart"], "default": "change"},
    "upgrades": {"type": "dict", "default": {}},
}


def restarting(steps: list[Step], reports_only) -> list[Step]:
    """Return the steps of a restart, none where nothing restarts. After an upgrade its files may be due too.

    In check mode the first phase has reported them.
    """
    if not any(step["do"] == "restart" for step in steps):
        return []
    return [step for step in steps if step["do"] == "restart" or not (reports_only or step["do"] == "reload")]


def trust(module):
    """Write the CAs that are trusted, and let a server that runs read them."""
    want, have = look(module.params)
    due = not have["tls"]["trusts"]
    steps: list[Step] = [{"do": "write", "path": want["tls"]["ca"]}] if due else []
    if due and have["running"]:
        steps.append({"do": "reload"})
    want["files"] = [file for file in want["files"] if file["path"] == want["tls"]["ca"]]
    if not module.check_mode:
        for step in steps:
            apply(step, want, have)
    module.exit_json(changed=due, steps=[describe(step, want) for step in steps])


def take(module):
    want, have = look(module.params)
    if module.check_mode and want["tls"]["authority"] and not have["tls"]["trusts"]:
        # the phase of trust has told of it
        want["files"] = [file for file in want["files"] if file["path"] != want["tls"]["ca"]]
    steps = plan(want, have)
    if want["restart"]:
        steps = restarting(steps, module.check_mode)
    actions = [step for step in steps if step["do"] != "report"]
    result = {
        "steps": [describe(step, want) for step in actions],
        "diff": [
            files.diff(file, have["files"].get(file["path"]))
            for file in [want["conf"], *want["files"]]
            if any(step.get("path") == file["path"] for step in actions)
        ],
        "notes": notes(want, have),
    }
    if actions and not module.check_mode:
        each(lambda step: apply(step, want, have), lambda step: describe(step, want), FAILURES)(actions)
        module.params["tls"]["rotate"] = False
        want, have = look(module.params)
        steps = plan(want, have)
        left = [step for step in steps if step["do"] != "report"]
        settled(module, left, lambda step: describe(step, want), result)
    result["pending"] = [describe(step, want) for step in steps if step["do"] == "report"]
    module.exit_json(changed=bool(actions), **result)


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    try:
        (trust if module.params["phase"] == "trust" else take)(module)
    except FAILURES as error:
        module.fail_json(msg=sentence(error, module.params))


if __name__ == "__main__":
    main()
