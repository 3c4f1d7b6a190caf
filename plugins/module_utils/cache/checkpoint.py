"""How far the filling of each family is: a file that is replaced whole, so that a killed run leaves a good one."""

import contextlib
import json
import os
import tempfile
import time


def write(path, told):
    """Replace a file by these data."""
    write_text(path, json.dumps(told))


def write_text(path, text):
    """Replace a file by this text. It may be read by others: nothing secret is in it."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def read(path):
    """Return the data of a file; none where there is no such file, or where it is not whole."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


class Checkpoint:
    """The positions of families. One counts while its source is the same and its first keys cannot have ended."""

    def __init__(self, path, now=time.time):
        self._path, self._now = path, now

    def position(self, name, digest, ttl):
        """Return where to go on, None for the start."""
        told = read(self._path).get(name)
        if not isinstance(told, dict) or told.get("source") != digest or self._now() - told["began"] > ttl:
            return None
        return tuple(told["position"])

    def keep(self, name, digest, position):
        told = read(self._path)
        before = told.get(name, {})
        began = before.get("began") if before.get("source") == digest else None
        told[name] = {"source": digest, "position": list(position), "began": began or self._now()}
        write(self._path, told)

    def drop(self, name):
        told = read(self._path)
        if told.pop(name, None) is not None:
            write(self._path, told)
