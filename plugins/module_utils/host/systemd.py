"""One systemd unit, through systemctl."""

import os
import subprocess
import time

from ansible_collections.cistern.core.plugins.module_utils.host.contract import UnitOfAnyKind, UnitState


def _systemctl(*words):
    return subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)


def observe(unit) -> UnitState:
    """Return what systemd says of a service."""
    names = {
        "LoadState": "load",
        "ActiveState": "active",
        "UnitFileState": "enabled",
        "NeedDaemonReload": "reload",
        "MainPID": "pid",
        "ExecMainStartTimestampMonotonic": "started",
    }
    shown = _systemctl("show", unit, "--property", ",".join(names)).stdout
    state = {
        names[key]: text for key, _sep, text in (line.partition("=") for line in shown.splitlines()) if key in names
    }
    boot = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    started = int(state.get("started") or 0)
    pid = int(state.get("pid") or 0)
    return {
        "load": state.get("load", "not-found"),
        "active": state.get("active", "inactive"),
        "enabled": state.get("enabled", ""),
        "reload": state.get("reload") == "yes",
        "pid": pid,
        "started": boot + started / 1e6 if started else 0,
        "replaced": _replaced(pid),
    }


def unit(name) -> UnitOfAnyKind:
    """Return what systemd says of a unit of any kind; `since` as seconds since the epoch."""
    state = observe(name)
    since = _systemctl("show", name, "--property=ActiveEnterTimestampMonotonic", "--value").stdout.strip()
    boot = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    return {
        "load": state["load"],
        "active": state["active"],
        "enabled": state["enabled"],
        "reload": state["reload"],
        "since": boot + int(since) / 1e6 if since not in ("", "0") else 0,
    }


def _replaced(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith(" (deleted)")
    except OSError:  # it is only just being started, or has ended
        return False


def descriptors(pid):
    """Return how many files a process may have open."""
    with open(f"/proc/{pid}/limits", encoding="utf-8") as limits:
        return int(next(line.split()[4] for line in limits if line.startswith("Max open files")))


def last_words(unit):
    """Return the last lines of a unit in the journal."""
    command = ["journalctl", "--no-pager", "--output=cat", "--lines=15", f"--unit={unit}"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def do(verb, *units):
    """Run a systemctl verb; raise RuntimeError with the unit's last journal lines when it fails.

    One that does not start is stopped: it would start over and over, on what belongs to another perhaps.
    """
    rested = verb == "start" and observe(units[0])["active"] in ("inactive", "failed")
    if verb in ("start", "restart"):
        # one that failed five times in ten seconds would be refused, also when its cause is gone
        _systemctl("reset-failed", *units)
    done = _systemctl(verb, *units)
    if done.returncode == 0:
        return
    message = done.stderr.strip()
    if units:
        message += "\n" + last_words(units[0])
    if rested:
        _systemctl("stop", *units)
    raise RuntimeError(f"systemctl {verb} {' '.join(units)} failed: {message}")
