"""What a machine is and has: system, memory, packages. Reads only, and takes the place of fact gathering."""

import glob
import os
import re
import subprocess

from ansible_collections.cistern.core.plugins.module_utils.host import files, kernel, libraries
from ansible_collections.cistern.core.plugins.module_utils.host.claims import observe as host_claims

# Files that the role cache puts on a host: of its programs, and what families are filled from.
PROGRAMS = ("/etc/systemd/system/cistern-cache-*", "/etc/cistern/cache-*", "/var/lib/cistern/cache-warm-data/*/*.jsonl")


def observe(names, paths, claims=None):
    """Return {distribution, release, memory_mb, cores, container, packages, files, programs, offered, unseen, host}.

    `packages` gives each installed one's {version, hold}, `files` the files.marks() of those that exist, `programs`
    what the role cache has there, `offered` is the version that apt would install of the first package that is missing,
    `unseen` is that of `unseen()`, `host` what there is of what a run `claims`.
    """
    release = _os_release()
    installed = packages(names)
    missing = [name for name in names if name not in installed]
    return {
        "distribution": release.get("ID", "").capitalize(),
        "release": release.get("VERSION_CODENAME", ""),
        "memory_mb": memory_mb(),
        "cores": len(os.sched_getaffinity(0)),
        "container": kernel.in_container(),
        "packages": installed,
        "files": {path: files.marks(found) for path, found in files.observe(paths).items() if found},
        "programs": [path for pattern in PROGRAMS for path in glob.glob(pattern)],
        **_of_apt(missing),
        "host": host_claims.observe(claims),
    }


def _os_release():
    with open("/etc/os-release", encoding="utf-8") as file:
        return {key: text.strip('"') for key, _sep, text in (line.strip().partition("=") for line in file)}


def memory_mb():
    with open("/proc/meminfo", encoding="utf-8") as file:
        total = int(re.findall(r"MemTotal:\s+(\d+)", file.read())[0]) // 1024
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                limit = file.read().strip()
            return min(total, int(limit) >> 20) if limit.isdigit() else total
    return total


def packages(names):
    """Return {name: {version, hold}} of those that are installed."""
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


def missing(names):
    """Return the packages that are not installed."""
    installed = packages(names) if names else {}
    return [name for name in names if name not in installed]


def unseen(names):
    """Return why nobody can tell before a run what would come of these packages; '' where apt knows them.

    A machine that was made a moment ago may have no lists, and one without python3-apt is asked by Ansible only once
    it has installed that.
    """
    return _of_apt(names)["unseen"]


def _of_apt(names):
    """Return {offered, unseen}: the version that apt would install of the first of them, and what `unseen()` tells."""
    if not names:
        return {"offered": "", "unseen": ""}
    shown = subprocess.run(
        ["apt-cache", "policy", *names], capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    found = dict(re.findall(r"^(\S+):\n.*\n +Candidate: (\d\S*)", shown.stdout, re.MULTILINE))
    lacks = [name for name in names if name not in found]
    why = ""
    if lacks:
        why = f"its package lists lack {', '.join(lacks)}, and a run fetches them"
    elif not os.path.exists(f"{libraries.PACKAGED}/apt"):
        why = "it has no python3-apt, which a run installs"
    return {"offered": found.get(names[0], ""), "unseen": why}
