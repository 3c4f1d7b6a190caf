#!/usr/bin/python
"""Make units of systemd run with the files that they need, all of it in one exchange."""

import glob
import os
import pwd
import subprocess

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils import files, machine, systemd
from ansible_collections.cistern.core.plugins.module_utils.units_plan import describe, plan

DOCUMENTATION = r"""
module: units
short_description: Make units of systemd run with the files that they need, all of it in one exchange
description:
  - Writes the files, makes the users that files in C(/etc/sysusers.d) tell of, lets units start at boot, starts them,
    and restarts those whose files are newer than their start. A run that was interrupted is finished by the next one.
  - Used through the action of the same name, which renders the files.
options:
  files:
    description: The files; without content it is a folder.
    type: list
    elements: dict
    required: true
    options:
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
    options:
      name: {description: Name of the unit., type: str, required: true}
      files: {description: Paths whose change restarts it., type: list, elements: str, default: []}
      absent: {description: Whether it must not run., type: bool, default: false}
  sweep:
    description: Patterns of paths of units; those that are there and not among O(files) are stopped and removed.
    type: list
    elements: str
    default: []
  packages: {description: Packages to look for., type: list, elements: str, default: []}
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
missing: {description: Those of O(packages) that are not installed., type: list, returned: always}
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
    "absent": {"type": "bool", "default": False},
}
SPEC = {
    "files": {"type": "list", "elements": "dict", "required": True, "options": FILE},
    "users": {"type": "list", "elements": "str", "default": []},
    "units": {"type": "list", "elements": "dict", "default": [], "options": UNIT},
    "sweep": {"type": "list", "elements": "str", "default": []},
    "packages": {"type": "list", "elements": "str", "default": []},
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
    swept = [path for pattern in want["sweep"] for path in sorted(glob.glob(pattern))]
    names = [unit["name"] for unit in want["units"]] + [os.path.basename(path) for path in swept]
    return {
        "files": files.observe([file["path"] for file in want["files"]]),
        "users": [user for user in want["users"] if _exists(user)],
        "units": {name: systemd.unit(name) for name in names},
        "swept": swept,
    }


def _exists(user):
    try:
        return bool(pwd.getpwnam(user))
    except KeyError:
        return False


def apply(step):
    if step["do"] == "write":
        files.write(step["file"])
    elif step["do"] == "remove":
        os.unlink(step["path"])
    elif step["do"] == "users":
        subprocess.run(["systemd-sysusers"], check=True, capture_output=True, text=True)
    elif step["do"] == "reload":
        systemd.do("daemon-reload")
    elif step["do"] == "stop":
        systemd.do("disable", "--now", step["unit"])
    else:
        systemd.do(step["do"], step["unit"])


def main():
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    want, secret = wanted(module.params)
    have = observe(want)
    steps = plan(want, have)
    result = {
        "steps": [describe(step) for step in steps],
        "diff": [files.diff(step["file"], have["files"][step["path"]]) for step in steps if shown(step, secret)],
        "missing": [name for name, is_in in packages(want["packages"]).items() if not is_in],
    }
    if not module.check_mode:
        for step in steps:
            try:
                apply(step)
            except (OSError, KeyError, RuntimeError, subprocess.CalledProcessError) as error:
                text = f"To {describe(step)}: {getattr(error, 'stderr', '') or error}"
                module.fail_json(msg=text, changed=True, steps=result["steps"], missing=result["missing"])
        left = plan(want, observe(want)) if steps else []
        if left:
            what = "; ".join(map(describe, left))
            module.fail_json(msg=f"After the run this is still to be done: {what}", changed=True, **result)
    module.exit_json(changed=bool(steps), **result)


def shown(step, secret):
    return step["do"] == "write" and step["path"] not in secret


def packages(names):
    installed = machine.packages(names) if names else {}
    return {name: name in installed for name in names}


if __name__ == "__main__":
    main()
