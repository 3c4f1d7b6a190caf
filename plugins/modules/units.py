#!/usr/bin/python
"""Make units of systemd run with the files that they need, all of it in one exchange."""

import glob
import itertools
import os
import pwd
import subprocess

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.host import facts as machine
from ansible_collections.cistern.core.plugins.module_utils.host import files, folders, systemd
from ansible_collections.cistern.core.plugins.module_utils.host.claims import judge
from ansible_collections.cistern.core.plugins.module_utils.host.claims import observe as claims
from ansible_collections.cistern.core.plugins.module_utils.units import health as units_health
from ansible_collections.cistern.core.plugins.module_utils.units import readiness as units_ready
from ansible_collections.cistern.core.plugins.module_utils.units import validate as units_checks
from ansible_collections.cistern.core.plugins.module_utils.units.plan import KEPT, describe, plan, told

DOCUMENTATION = r"""
module: units
short_description: Make units of systemd run with the files that they need, all of it in one exchange
description:
  - Writes the files, makes the users that files in C(/etc/sysusers.d) tell of, lets units start at boot, starts them,
    and restarts those whose files are newer than their start. A run that was interrupted is finished by the next one.
  - Files are held against the program that reads them before one of them replaces anything.
  - Used through the action of the same name, which renders the files.
author: Cistern (@cistern)
version_added: 0.1.0
options:
  files:
    description: The files; without content it is a folder.
    type: list
    elements: dict
    required: true
    suboptions:
      path: {description: Where it goes., type: path, required: true}
      content: {description: The text., type: str}
      secret_content: {description: "The text, where it holds a secret; no diff is shown.", type: str}
      owner: {description: Its owner., type: str, required: true}
      group: {description: Its group., type: str, required: true}
      mode: {description: Its mode in four octal digits., type: str, required: true}
      absent: {description: Whether it must not be there., type: bool, default: false}
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
  cistern.core.units:
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

FILE = {
    **files.OPTIONS,
    "content": {"type": "str"},
    "secret_content": {"type": "str", "no_log": True},
    "absent": {"type": "bool", "default": False},
}
UNIT = {
    "name": {"type": "str", "required": True},
    "files": {"type": "list", "elements": "str", "default": []},
    "reloads": {"type": "list", "elements": "str", "default": []},
    "ready": {"type": "str", "default": ""},
    "absent": {"type": "bool", "default": False},
}
CHECK = {
    "command": {"type": "list", "elements": "str", "required": True},
    "files": {"type": "list", "elements": "str", "required": True},
}
# Touched when a unit has read its files anew; a reboot takes it away.
STAMPS = "/run/cistern"
SPEC = {
    "files": {"type": "list", "elements": "dict", "required": True, "options": FILE},
    "users": {"type": "list", "elements": "str", "default": []},
    "units": {"type": "list", "elements": "dict", "default": [], "options": UNIT},
    "sweep": {"type": "list", "elements": "str", "default": []},
    "where": {"type": "path"},
    "mark": {"type": "path"},
    "checks": {"type": "list", "elements": "dict", "default": [], "options": CHECK},
    "waits": {"type": "bool", "default": False},
    "packages": {"type": "list", "elements": "str", "default": []},
    "claims": {"type": "dict", "default": {}},
}


def wanted(params):
    """Return what is wanted, and the paths whose text is secret."""
    secret = {file["path"] for file in params["files"] if file["secret_content"] is not None}
    told = [
        {**file, "content": file["secret_content"] if file["path"] in secret else file["content"]}
        for file in params["files"]
    ]
    return {**params, "files": told}, secret


def observe(want):
    swept = [path for pattern in want["sweep"] for path in sorted(glob.glob(pattern)) if KEPT not in path]
    names = [unit["name"] for unit in want["units"]] + [os.path.basename(path) for path in swept]
    paths = [file["path"] for file in want["files"]]
    paths += [path for unit in want["units"] for path in unit["files"] + unit["reloads"]]
    is_ours = not want["mark"] or os.path.exists(want["mark"])
    # what is swept is read only where it may be somebody else's: what a family is filled from is large
    found = files.observe(list(dict.fromkeys(paths + ([] if is_ours else swept))))
    return {
        "files": found,
        "users": [user for user in want["users"] if _exists(user)],
        "units": {name: {**systemd.unit(name), "reloaded": _stamp(name)} for name in names},
        "swept": swept,
        "aside": {} if is_ours else {path: _aside(path) for path, file in found.items() if _is_theirs(path, file)},
    }


def _is_theirs(path, file):
    return bool(file) and file["kind"] == "file" and not files.as_packaged(path, file["text"])


def _aside(path):
    """Return where a file is set aside; what was set aside before is not replaced."""
    names = itertools.chain([path + KEPT], (f"{path}{KEPT}-{number}" for number in itertools.count(2)))
    return next(name for name in names if not os.path.lexists(name))


def _stamp(name):
    """Return when a unit has last read its files anew, as far as a run made it."""
    path = os.path.join(STAMPS, name)
    return os.stat(path).st_mtime if os.path.exists(path) else 0


def _exists(user):
    try:
        return bool(pwd.getpwnam(user))
    except KeyError:
        return False


def apply(step):
    if step["do"] == "write":
        files.write(step["file"])
    elif step["do"] == "keep":
        os.rename(step["path"], step["to"])
    elif step["do"] == "remove":
        os.unlink(step["path"])
    elif step["do"] == "users":
        subprocess.run(["systemd-sysusers"], check=True, capture_output=True, text=True)
    elif step["do"] == "reload":
        systemd.do("daemon-reload")
    elif step["do"] == "stop":
        systemd.do("disable", "--now", step["unit"])
    elif step["do"] == "reload unit":
        folders.make(STAMPS)
        systemd.do("reload", step["unit"])
        with open(os.path.join(STAMPS, step["unit"]), "w", encoding="utf-8"):
            pass
    elif step["do"] == "wait":
        units_ready.wait(step["unit"], step["for"])
    else:
        systemd.do(step["do"], step["unit"])


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
        "steps": told(steps),
        "diff": [files.diff(step["file"], have["files"][step["path"]]) for step in steps if shown(step, secret)],
        **apt,
        "refused": [],
    }
    try:
        changed = [step["path"] for step in steps if "path" in step]
        units_checks.hold(units_checks.due(want["checks"], changed), want["files"], module.check_mode)
    except units_checks.Refused as error:
        module.fail_json(msg=f"Nothing was replaced: {error}", **{**result, "steps": [], "diff": []})
    if not module.check_mode:
        for step in steps:
            try:
                apply(step)
            except (OSError, KeyError, RuntimeError, subprocess.CalledProcessError) as error:
                text = f"To {describe(step)}: {getattr(error, 'stderr', '') or error}"
                module.fail_json(msg=text, changed=True, steps=result["steps"], **apt)
        left = plan(want, observe(want)) if steps else []
        if left:
            what = "; ".join(map(describe, left))
            module.fail_json(msg=f"After the run this is still to be done: {what}", changed=True, **result)
    module.exit_json(changed=bool(steps), **result)


def shown(step, secret):
    return step["do"] == "write" and step["path"] not in secret


if __name__ == "__main__":
    main()
