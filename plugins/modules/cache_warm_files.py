#!/usr/bin/python
"""Have the files that key families are filled from on a host, where its timers and the verb find them."""

import grp
import hashlib
import os
import shutil

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.host import atomic, folders

DOCUMENTATION = r"""
module: cache_warm_files
short_description: Have the files that key families are filled from on a host
description:
  - Used through the action of the same name, which sends those files that differ.
  - They belong to root and may be read by the group O(group), where there is one, and by nobody else.
  - Files of other families are removed.
author: Cistern (@cistern)
version_added: 0.1.0
options:
  folder: {description: Where they lie on the host., type: path, required: true}
  files:
    description: The files.
    type: list
    elements: dict
    required: true
    suboptions:
      family: {description: The key family., type: str, required: true}
      sha256: {description: Digest of the file., type: str, required: true}
      sent: {description: Where the action has put it on the host., type: path}
  group: {description: The group that reads them., type: str, default: cistern-warm}
"""
EXAMPLES = r"""
- name: Have the file of a family on the host
  cistern.core.cache_warm_files:
    folder: /var/lib/cistern/cache-warm-data/redis
    files:
      - {family: user_profile, file: /srv/inventory/warm/users.jsonl}
"""
RETURN = r"""
steps: {description: "What was done or, in check mode, would be done, in order.", type: list, returned: always}
wanted: {description: Families whose file has to be sent., type: list, returned: always}
"""

SPEC = {
    "folder": {"type": "path", "required": True},
    "files": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "family": {"type": "str", "required": True},
            "sha256": {"type": "str", "required": True},
            "sent": {"type": "path"},
        },
    },
    "group": {"type": "str", "default": "cistern-warm"},
}
ENDING = ".jsonl"
MODE = 0o640


def observe(folder):
    """Return {family: {sha256, gid, mode}} of the files that are there."""
    found = {}
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name)
        stat = os.stat(path)
        if name.endswith(ENDING):
            found[name[: -len(ENDING)]] = {"sha256": _digest(path), "gid": stat.st_gid, "mode": stat.st_mode & 0o777}
    return found


def _digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def plan(files, gid, have):
    """Return the steps: each (what to do, family)."""
    steps = []
    for file in files:
        is_now = have.get(file["family"])
        if not is_now or is_now["sha256"] != file["sha256"]:
            steps.append(("write", file["family"]))
        elif (is_now["gid"], is_now["mode"]) != (gid, MODE):
            steps.append(("own", file["family"]))
    gone = set(have) - {file["family"] for file in files}
    return steps + [("remove", family) for family in sorted(gone)]


def apply(step, folder, sent, gid):
    do, family = step
    path = os.path.join(folder, family + ENDING)
    if do == "remove":
        os.unlink(path)
        return
    if do == "write":
        folders.make(folder)
        with open(sent[family], "rb") as source, atomic.replacing(path, MODE, (0, gid)) as target:
            shutil.copyfileobj(source, target)
        return
    os.chown(path, 0, gid)
    os.chmod(path, MODE)


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    folder, files = module.params["folder"], module.params["files"]
    try:
        gid = grp.getgrnam(module.params["group"]).gr_gid
    except KeyError:
        # nothing of the toolkit is installed there yet; playbooks/cache.yml hands them over
        gid = 0
    sent = {file["family"]: file["sent"] for file in files if file["sent"]}
    steps = plan(files, gid, observe(folder))
    words = {"write": "write the file of", "own": "hand over the file of", "remove": "remove the file of"}
    result = {
        "steps": [f"{words[do]} {family}" for do, family in steps],
        "wanted": [family for do, family in steps if do == "write" and family not in sent],
    }
    if not module.check_mode and not result["wanted"]:
        for step in steps:
            apply(step, folder, sent, gid)
    module.exit_json(changed=bool(steps), **result)


if __name__ == "__main__":
    main()
