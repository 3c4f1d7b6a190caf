"""What programs print and what services have logged last, without secrets. Reads only."""

import os
import subprocess

from ansible_collections.cistern.core.plugins.module_utils.host import secrets

SECONDS = 5
LINES = 8


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


def tail(path, size=4096):
    """Return the end of a file."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - size))
            return file.read().decode(errors="replace")
    except (OSError, ValueError):
        return ""


def last(text):
    """Return the last lines, what may be a secret in them hidden."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [secrets.masked(line)[:300] for line in lines[-LINES:]]
