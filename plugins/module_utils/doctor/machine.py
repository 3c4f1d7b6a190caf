"""The machine as the doctor sees it: memory, disks, kernel, clock, what was killed. Reads only."""

import ctypes
import os
import re
import time

from ansible_collections.cistern.core.plugins.module_utils.host import facts as machine
from ansible_collections.cistern.core.plugins.module_utils.host import kernel
from ansible_collections.cistern.core.plugins.module_utils.host.logs import run

KERNEL = ("vm.overcommit_memory", "transparent_hugepage", "net.core.somaxconn")
KEEPERS = ("chrony", "chronyd", "systemd-timesyncd", "ntpsec", "ntp")
# <sys/timex.h>: nobody keeps the clock
STA_UNSYNC = 0x40
KILLED = r"oom-kill|Out of memory: Killed|killed by the OOM killer"


def observe(folders):
    """Return what the machine is and has; `folders` are those whose disks are told."""
    return {
        "container": kernel.in_container(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "memory": memory(),
        "kernel": kernel.observe(KERNEL),
        "killed": killed(),
        "clock": clock(),
        "disks": {folder: disk(folder) for folder in folders},
    }


def memory():
    """Return total and available memory, and swap, in bytes."""
    with open("/proc/meminfo", encoding="utf-8") as file:
        found = {name: int(size) * 1024 for name, size in re.findall(r"^(\w+):\s+(\d+)", file.read(), re.MULTILINE)}
    return {
        "total": machine.memory_mb() << 20,
        "available": found.get("MemAvailable", 0),
        "swap_total": found.get("SwapTotal", 0),
        "swap_free": found.get("SwapFree", 0),
    }


def killed():
    """Return what the kernel killed for memory within a day, as far as the journal tells."""
    found = run("journalctl", "--no-pager", "--output=short-iso", "--since=-24h", "--lines=5", f"--grep={KILLED}")
    return [line[:200] for line in found.splitlines() if not line.startswith("-- ")]


def clock():
    """Return whether the clock is kept, None where nobody can say, and by what.

    The kernel knows. timedatectl would ask it too, and start a service for that.
    """
    services = [each for each in KEEPERS if run("systemctl", "is-active", each).strip() == "active"]
    return {"synchronized": _synchronized(), "service": ", ".join(services), "now": time.time()}


def _synchronized():
    try:
        # struct timex: modes, offset, freq, maxerror, esterror, status; 0 for modes changes nothing
        timex = (ctypes.c_long * 64)()
        if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return not ctypes.cast(timex, ctypes.POINTER(ctypes.c_int))[5 * ctypes.sizeof(ctypes.c_long) // 4] & STA_UNSYNC


def disk(folder):
    """Return what the disk of a folder has, in bytes; of the nearest folder above that exists."""
    path = folder
    while path != "/" and not os.path.exists(path):
        path = os.path.dirname(path)
    state = os.statvfs(path)
    return {
        "exists": path == folder,
        "total": state.f_blocks * state.f_frsize,
        # what the superuser keeps for itself is no use to a server
        "free": state.f_bavail * state.f_frsize,
        "files": state.f_files,
        "files_free": state.f_favail,
        "read_only": bool(state.f_flag & os.ST_RDONLY),
    }


def swapped(pid):
    """Return how much of a process lies in swap, in bytes."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            found = re.search(r"^VmSwap:\s+(\d+)", file.read(), re.MULTILINE)
    except OSError:
        return 0
    return int(found.group(1)) * 1024 if found else 0


def may_write(folder, user):
    """Whether a user may make a file in a folder, by owner, group and mode; None where that cannot be told."""
    import grp
    import pwd

    try:
        state, account = os.stat(folder), pwd.getpwnam(user)
    except (OSError, KeyError):
        return None
    groups = {account.pw_gid, *[each.gr_gid for each in grp.getgrall() if user in each.gr_mem]}
    shift = 6 if state.st_uid == account.pw_uid else 3 if state.st_gid in groups else 0
    return (state.st_mode >> shift) & 0o3 == 0o3
