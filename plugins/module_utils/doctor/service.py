"""A service as the doctor sees it: its unit, why it failed, what it logged last, where it listens. Reads only."""

import os
import re

from ansible_collections.cistern.core.plugins.module_utils.host import logs, systemd

SHOWN = ("SubState", "Result", "NRestarts", "ExecMainStatus")


def observe(unit, log=""):
    """Return the unit's state; where it does not run, with the last lines of its journal and of its log."""
    try:
        state: dict = {**systemd.observe(unit)}
    except OSError:
        return {"load": "unknown", "active": "unknown", "pid": 0, "replaced": False, "why": "there is no systemd"}
    shown = logs.run("systemctl", "show", unit, "--property", ",".join(SHOWN))
    more = {key: text for key, _sep, text in (line.partition("=") for line in shown.splitlines())}
    state.update(
        sub=more.get("SubState", ""),
        result=more.get("Result", ""),
        restarts=int(more.get("NRestarts") or 0),
        status=more.get("ExecMainStatus", ""),
        journal=[],
        log=[],
    )
    if state["active"] != "active" or state["restarts"]:
        state["journal"] = logs.last(
            logs.run("journalctl", "--no-pager", "--output=cat", f"--lines={logs.LINES}", f"--unit={unit}")
        )
        state["log"] = logs.last(logs.tail(log))
    return state


def listening():
    """Return [{address, port, pid, program}] of the machine's listening TCP sockets."""
    found = []
    for line in logs.run("ss", "--no-header", "--listening", "--tcp", "--numeric", "--processes").splitlines():
        words = line.split()
        if len(words) < 4:
            continue
        address, _sep, port = words[3].rpartition(":")
        who = re.search(r'\("([^"]+)",pid=(\d+)', line)
        if port.isdigit():
            found.append(
                {
                    "address": address.strip("[]").partition("%")[0],
                    "port": int(port),
                    "pid": int(who.group(2)) if who else 0,
                    "program": who.group(1) if who else "",
                }
            )
    return found


def conf(path):
    """Return {exists, mode, owner, text}; the text stays on the host."""
    try:
        state = os.stat(path)
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return {"exists": True, "mode": f"{state.st_mode & 0o7777:04o}", "text": file.read()}
    except OSError as error:
        return {"exists": False, "mode": "", "text": "", "why": error.strerror}
