#!/usr/bin/python
"""Make files and folders so, all of them in one exchange."""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.host import files, folders

DOCUMENTATION = r"""
module: managed_files
short_description: Make files and folders so, all of them in one exchange
description:
  - Used through the action of the same name, which renders them.
author: Cistern (@cistern)
version_added: 0.1.0
extends_documentation_fragment: [cistern.core.file.any]
"""
EXAMPLES = r"""
- name: Write two files
  cistern.core.managed_files:
    files:
      - {template: etc/a.conf.j2, path: /etc/a.conf, owner: root, group: root, mode: '0644'}
      - {template: etc/b.conf.j2, path: /etc/b.conf, owner: root, group: root, mode: '0600', secret: true}
"""
RETURN = r"""
written: {description: "Paths that were written or removed, or would be in check mode.", type: list, returned: always}
"""

SPEC = {
    "files": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "path": {"type": "path", "required": True},
            "content": {"type": "str"},
            "secret_content": {"type": "str", "no_log": True},
            "owner": {"type": "str", "required": True},
            "absent": {"type": "bool", "default": False},
            "group": {"type": "str", "required": True},
            "mode": {"type": "str", "required": True},
        },
    }
}


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    secret = {file["path"] for file in module.params["files"] if file["secret_content"] is not None}
    wanted = [
        {**file, "content": file["secret_content"] if file["path"] in secret else file["content"]}
        for file in module.params["files"]
    ]
    have = files.observe([file["path"] for file in wanted])
    changed = [file for file in wanted if files.differs(file, have[file["path"]])]
    closed = [text for file in changed if (text := folders.closed_to(file["path"], file["owner"]))]
    if closed:
        module.fail_json(
            msg=f"Nothing was written: {'; '.join(closed)}. Let it pass (chmod o+x), or write another path."
        )
    try:
        for file in changed if not module.check_mode else []:
            files.write(file)
    except (OSError, KeyError) as error:
        module.fail_json(msg=f"{file['path']} cannot be written: {error}")
    module.exit_json(
        changed=bool(changed),
        written=[file["path"] for file in changed],
        diff=[files.diff(file, have[file["path"]]) for file in changed if file["path"] not in secret],
    )


if __name__ == "__main__":
    main()
