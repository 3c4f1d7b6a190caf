"""How far the filling of each family is: a file that is replaced whole, so that a killed run leaves a good one."""

import json
import os
import time

from ...host import atomic


def write(path, positions):
    """Replace a file by these data."""
    write_text(path, json.dumps(positions))


def write_text(path, text, mode=0o644):
    """Replace a file by this text. What others may not read is of the folder's owner, as root writes for units."""
    owner = None
    if not mode & 0o004 and os.geteuid() == 0:
        folder = os.stat(os.path.dirname(path))
        owner = (folder.st_uid, folder.st_gid)
    atomic.write(path, text, mode, owner=owner)


def read(path):
    """Return the data of a file; none where there is no such file, or where it is not whole."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


class Checkpoint:
    """The positions of families. One counts while source and server are the same and no key can have ended.

    `server` is the identity of its run: one that has restarted may have lost what was written.
    """

    def __init__(self, path, server="", now=time.time):
        self._path, self.server, self._now, self._began = path, server, now, {}

    def position(self, name, digest, shortest):
        """Return where to go on, None for the start; `shortest` is the shortest life of a key in seconds."""
        positions = self._valid(read(self._path), name, digest)
        return tuple(positions["position"]) if positions and self._now() - positions["began"] <= shortest else None

    def first(self, name):
        """Return the first keys of a family that has a position: where one is missing, others may be."""
        return read(self._path).get(name, {}).get("first", [])

    def begin(self, name):
        """A family begins anew, and its keys live from now on."""
        self.drop(name)
        self._began[name] = self._now()

    def keep(self, name, digest, position, first=()):
        positions = read(self._path)
        before = self._valid(positions, name, digest) or {
            "source": digest,
            "server": self.server,
            "began": self._began.get(name) or self._now(),
            "first": list(first),
        }
        positions[name] = {**before, "position": list(position)}
        # the key of a session is what somebody logs in with
        write_text(self._path, json.dumps(positions), mode=0o600)

    def drop(self, name):
        positions = read(self._path)
        if positions.pop(name, None) is not None:
            write_text(self._path, json.dumps(positions), mode=0o600)

    def _valid(self, positions, name, digest):
        found = positions.get(name)
        same = isinstance(found, dict) and (found.get("source"), found.get("server")) == (digest, self.server)
        return found if same else None
