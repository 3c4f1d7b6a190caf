#!/usr/bin/python
"""What the role must know of a machine before it touches it, in one exchange."""

import os
import re
import subprocess

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils import kernel

DOCUMENTATION = r"""
module: redis_facts
short_description: What the redis role must know of a machine
description:
  - Takes the place of fact gathering. Reads only.
options:
  packages: {description: Packages to look for., type: list, elements: str, required: true}
  files: {description: Files to look for., type: list, elements: str, default: []}
"""
EXAMPLES = r"""
- name: Ask the machine
  cistern.core.redis_facts:
    packages: [redis-server, python3-redis]
  register: __redis_facts
"""
RETURN = r"""
distribution: {description: C(ID) of os-release with a capital., type: str, returned: always, sample: Ubuntu}
release: {description: C(VERSION_CODENAME) of os-release., type: str, returned: always, sample: noble}
memory_mb: {description: Memory of the machine or the limit of its container in MiB., type: int, returned: always}
container: {description: Whether the kernel is another machine's., type: bool, returned: always}
packages: {description: For each package its C(version) and whether it is on C(hold)., type: dict, returned: always}
files: {description: Those of the files that exist., type: list, returned: always}
offered: {description: Version that apt offers of the first package that is missing., type: str, returned: always}
"""


SPEC = {
    "packages": {"type": "list", "elements": "str", "required": True},
    "files": {"type": "list", "elements": "str", "default": []},
}


def observe(packages, files):
    """Return the facts as documented in RETURN."""
    release = _os_release()
    installed = _packages(packages)
    missing = [name for name in packages if name not in installed]
    return {
        "distribution": release.get("ID", "").capitalize(),
        "release": release.get("VERSION_CODENAME", ""),
        "memory_mb": _memory_mb(),
        "container": kernel.in_container(),
        "packages": installed,
        "files": [path for path in files if os.path.exists(path)],
        "offered": _offered(missing[0]) if missing else "",
    }


def _os_release():
    with open("/etc/os-release", encoding="utf-8") as file:
        return {key: text.strip('"') for key, _sep, text in (line.strip().partition("=") for line in file)}


def _memory_mb():
    with open("/proc/meminfo", encoding="utf-8") as file:
        total = int(re.search(r"MemTotal:\s+(\d+)", file.read()).group(1)) // 1024
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                limit = file.read().strip()
            return min(total, int(limit) >> 20) if limit.isdigit() else total
    return total


def _packages(names):
    shown = subprocess.run(
        [
            "dpkg-query",
            "--show",
            "--showformat",
            r"${Package}\t${Version}\t${db:Status-Want}\t${db:Status-Status}\n",
            *names,
        ],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    rows = [line.split("\t") for line in shown.splitlines()]
    return {
        name: {"version": version, "hold": wanted == "hold"}
        for name, version, wanted, status in rows
        if status == "installed"
    }


def _offered(name):
    shown = subprocess.run(
        ["apt-cache", "policy", name], capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    found = re.search(r"Candidate: (\d\S*)", shown.stdout)
    return found.group(1) if found else ""


def main():
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    try:
        module.exit_json(changed=False, **observe(**module.params))
    except (OSError, subprocess.SubprocessError) as error:
        module.fail_json(msg=f"The machine cannot be asked: {error}")


if __name__ == "__main__":
    main()
