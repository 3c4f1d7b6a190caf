"""The start of a server that tells in a log of its own why it does not start; systemd knows no more than that."""

import os

from ansible_collections.cistern.core.plugins.module_utils.host import logs, systemd


def run(verb, unit, log=""):
    """Start or restart a unit; RuntimeError with what systemd says and what its log got since, secrets hidden."""
    before = _size(log)
    try:
        systemd.do(verb, unit)
    except RuntimeError as error:
        raise RuntimeError("\n".join([str(error), *_since(log, before)])) from error


def _size(log):
    try:
        return os.path.getsize(log)
    except (OSError, ValueError):
        return 0


def _since(log, before):
    """Return the last lines that a log got since it had this size; all of it where it is a new one."""
    written = _size(log) - before
    if written < 0:
        written += before
    return logs.last(logs.tail(log, min(written, 4096))) if written else []
