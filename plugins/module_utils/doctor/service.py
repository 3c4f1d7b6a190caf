"""A service as the doctor sees it: its unit, why it failed, what it logged last, where it listens. Reads only."""

import os
import re
import subprocess

from ansible_collections.cistern.core.plugins.module_utils.host import systemd
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf

SECONDS = 5
LINES = 8
SHOWN = ("SubState", "Result", "NRestarts", "ExecMainStatus")
# A journal may repeat the line of a file that a server stumbled over.
WORDS = (*redis_conf.SECRET, "auth-pass", "sentinel-pass", "AUTH", r"PASSWORD(?=\s+')")
SECRET = re.compile(rf"\b({'|'.join(WORDS)})(\s+).*", re.IGNORECASE)


def run(*words, seconds=SECONDS):
    """Return what a command prints, '' where it fails or takes too long."""
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def observe(unit, log=""):
    """Return the unit's state; where it does not run, with the last lines of its journal and of its log."""
    try:
        state = systemd.observe(unit)
    except OSError:
        return {"load": "unknown", "active": "unknown", "pid": 0, "replaced": False, "why": "there is no systemd"}
    shown = run("systemctl", "show", unit, "--property", ",".join(SHOWN))
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
        state["journal"] = masked(run("journalctl", "--no-pager", "--output=cat", f"--lines={LINES}", f"--unit={unit}"))
        state["log"] = masked(tail(log))
    return state


def tail(path, size=4096):
    """Return the end of a file."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - size))
            return file.read().decode(errors="replace")
    except (OSError, ValueError):
        return ""


def masked(text):
    """Return the last lines, what may be a secret in them hidden."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [SECRET.sub(rf"\1\2{redis_conf.HIDDEN}", line)[:300] for line in lines[-LINES:]]


def listening():
    """Return [{address, port, pid, program}] of the machine's listening TCP sockets."""
    found = []
    for line in run("ss", "--no-header", "--listening", "--tcp", "--numeric", "--processes").splitlines():
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
