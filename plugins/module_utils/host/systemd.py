"""Units of systemd, through systemctl."""

import os
import subprocess
import time

from ansible_collections.cistern.core.plugins.module_utils.host.contract import UnitOfAnyKind, UnitState

PROPERTIES = (
    *("LoadState", "ActiveState", "UnitFileState", "NeedDaemonReload", "MainPID"),
    *("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic"),
)


def _systemctl(*words):
    return subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)


def observe(unit) -> UnitState:
    """Return what systemd says of a service."""
    return observe_all([unit])[unit]


def observe_all(units) -> dict[str, UnitState]:
    """Return {name: what systemd says of the service}; all of them cost one call."""
    boot = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    return {unit: _state(properties, boot) for unit, properties in _shown(units).items()}


def units_of_any_kind(names) -> dict[str, UnitOfAnyKind]:
    """Return {name: what systemd says of a unit of any kind}; `since` as seconds since the epoch."""
    boot = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    found: dict[str, UnitOfAnyKind] = {}
    for name, properties in _shown(names).items():
        state, since = _state(properties, boot), int(properties.get("ActiveEnterTimestampMonotonic") or 0)
        found[name] = {
            "load": state["load"],
            "active": state["active"],
            "enabled": state["enabled"],
            "reload": state["reload"],
            "since": boot + since / 1e6 if since else 0,
        }
    return found


def _shown(units):
    """Return {unit: {property: text}}."""
    units = list(dict.fromkeys(units))
    if not units:
        return {}
    # a block for each, in this order, and a blank line between two
    blocks = _systemctl("show", *units, "--property", ",".join(PROPERTIES)).stdout.split("\n\n")
    if len(blocks) != len(units) > 1:
        return {unit: properties for each in units for unit, properties in _shown([each]).items()}
    lines = [[line.partition("=") for line in block.splitlines()] for block in blocks]
    return {unit: {key: text for key, _sep, text in each} for unit, each in zip(units, lines)}


def _state(properties, boot) -> UnitState:
    started = int(properties.get("ExecMainStartTimestampMonotonic") or 0)
    pid = int(properties.get("MainPID") or 0)
    return {
        "load": properties.get("LoadState", "not-found"),
        "active": properties.get("ActiveState", "inactive"),
        "enabled": properties.get("UnitFileState", ""),
        "reload": properties.get("NeedDaemonReload") == "yes",
        "pid": pid,
        "started": boot + started / 1e6 if started else 0,
        "replaced": _replaced(pid),
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
