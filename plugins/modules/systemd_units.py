#!/usr/bin/python
"""Make units of systemd run with the files that they need, all of it in one exchange."""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.host import facts as machine
from ansible_collections.cistern.core.plugins.module_utils.host import files
from ansible_collections.cistern.core.plugins.module_utils.host.claims import judge
from ansible_collections.cistern.core.plugins.module_utils.host.claims import observe as claims
from ansible_collections.cistern.core.plugins.module_utils.host.converge import converge, each
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.units import health as units_health
from ansible_collections.cistern.core.plugins.module_utils.units import validate as units_checks
from ansible_collections.cistern.core.plugins.module_utils.units.apply import apply
from ansible_collections.cistern.core.plugins.module_utils.units.observe import observe
from ansible_collections.cistern.core.plugins.module_utils.units.options import UNITS, wanted
from ansible_collections.cistern.core.plugins.module_utils.units.plan import describe, plan, reported

DOCUMENTATION = r"""
module: systemd_units
short_description: Make units of systemd run with the files that they need, all of it in one exchange
description:
  - Writes the files, makes the users that files in C(/etc/sysusers.d) tell of, lets units start at boot, starts them,
    and restarts those whose files are newer than their start. A run that was interrupted is finished by the next one.
  - Files are validated by the program that reads them before one of them replaces anything.
  - Used through the action of the same name, which renders the files.
author: Cistern (@cistern)
version_added: 0.1.0
extends_documentation_fragment:
  - cistern.core.file.any
options:
  users: {description: System users that the files tell of., type: list, elements: str, default: []}
  units:
    description: The units.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: Name of the unit., type: str, required: true}
      files: {description: Paths whose change restarts it., type: list, elements: str, default: []}
      reloads: {description: Paths whose change reloads it., type: list, elements: str, default: []}
      ready: {description: An address that answers when it has started., type: str, default: ''}
      absent: {description: Whether it must not run., type: bool, default: false}
  sweep:
    description: Patterns of paths of units; those that are there and not among O(files) are stopped and removed.
    type: list
    elements: str
    default: []
  where:
    description: A path; where it is not, the units are not of this toolkit, and nothing is done.
    type: path
  mark:
    description: One of O(files); where it is not yet, files that are to change are somebody else's, and are set aside.
    type: path
  checks:
    description: What has to succeed before O(files) are written.
    type: list
    elements: dict
    default: []
    suboptions:
      command:
        description: The words of a command; V({root}) is the folder below which the candidates lie as on the host.
        type: list
        elements: str
        required: true
      files: {description: Beginnings of the paths that it is about., type: list, elements: str, required: true}
  waits: {description: Whether nothing is done while one of O(packages) is missing., type: bool, default: false}
  packages: {description: Packages to look for., type: list, elements: str, default: []}
  claims: {description: What the machine must have free. Where it is taken nothing is done., type: dict, default: {}}
"""
EXAMPLES = r"""
- name: Run a timer
  cistern.core.systemd_units:
    files:
      - {template: etc/systemd/system/a.j2, path: /etc/systemd/system/a.service, owner: root, group: root, mode: '0644'}
      - {template: etc/systemd/system/b.j2, path: /etc/systemd/system/a.timer, owner: root, group: root, mode: '0644'}
    units:
      - {name: a.timer, files: [/etc/systemd/system/a.timer]}
"""
RETURN = r"""
steps: {description: "What was done or, in check mode, would be done, in order.", type: list, returned: always}
health: {description: Units that have failed., type: list, returned: when observed}
refused: {description: "What is in the way of O(claims), as sentences.", type: list, returned: always}
missing: {description: Those of O(packages) that are not installed., type: list, returned: always}
unseen: {description: Why nobody can tell before a run what would come of them., type: str, returned: always}
"""

SPEC = UNITS


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    want, secret = wanted(module.params)
    missing = machine.missing(want["packages"])
    apt = {"missing": missing, "unseen": machine.unseen(missing)}
    refused = judge.problems(want["claims"], claims.observe(want["claims"]))
    if refused or (want["where"] and not os.path.exists(want["where"])) or (want["waits"] and missing):
        module.exit_json(changed=False, steps=[], refused=refused, **apt)
    have = observe(want)
    steps = plan(want, have)
    result = {
        "health": units_health.sentences(want),
        "steps": reported(steps),
        "diff": [files.diff(step["file"], have["files"][step["path"]]) for step in steps if shown(step, secret)],
        **apt,
        "refused": [],
    }
    try:
        changed = [step["path"] for step in steps if "path" in step]
        units_checks.validate(units_checks.due(want["checks"], changed), want["files"], module.check_mode)
    except Refused as error:
        module.fail_json(msg=f"Nothing was replaced: {error}", **{**result, "steps": [], "diff": []})
    try:
        converge(module, steps, each(apply, describe), lambda: plan(want, observe(want)), describe, result)
    except RuntimeError as error:
        module.fail_json(msg=f"To {error}", changed=True, steps=result["steps"], **apt)
    module.exit_json(changed=bool(steps), **result)


def shown(step, secret):
    return step["do"] == "write" and step["path"] not in secret


if __name__ == "__main__":
    main()
