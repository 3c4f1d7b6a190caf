"""Processes of this machine: which has a socket, which has its data in a folder, which unit runs it. Reads only.

A process is told as {pid, program, name, is_sentinel, folder, unit}: its file, the first word of its command line (what
follows may be a secret), whether it says there to be a Sentinel, its working folder, and the unit of systemd that it
belongs to, '' each where it is not to be known.
"""

import json
import os
import re

from ansible_collections.cistern.core.plugins.module_utils.host.reading import text_of

PROC = "/proc"


def everyone():
    """Return [(pid, (user, group))], in the order of their numbers."""
    found = []
    for name in os.listdir(PROC):
        if name.isdigit():
            try:
                owner = os.stat(f"{PROC}/{name}")
            except OSError:  # it has ended
                continue
            found.append((int(name), (owner.st_uid, owner.st_gid)))
    return sorted(found)


def holders(sockets):
    """Return {inode: process} of those of the sockets, {inode: user}, whose process can be found."""
    found: dict = {}
    groups: dict = {}
    for pid, owner in everyone():
        groups.setdefault(owner, []).append(pid)
    # a socket is nearly always held by a process of the user who made it
    for owner in sorted(groups, key=lambda owner: owner[0] not in sockets.values()):
        if len(found) == len(sockets):
            break
        for inode, process in _seen_by(owner, groups[owner], lambda pid: _holds(pid, sockets)):
            found.setdefault(int(inode), process)
    return found


def in_folders(folders, names):
    """Return the processes of programs whose names begin so, and whose working folder is one of these."""
    # a path may be a link, and that of a container's process is another folder of the same name
    wanted = {_identity(folder) for folder in folders if os.path.isdir(folder)}
    groups: dict = {}
    for pid, owner in everyone() if wanted else ():
        if text_of(f"{PROC}/{pid}/comm").startswith(names):
            groups.setdefault(owner, []).append(pid)
    found = []
    for owner, pids in groups.items():
        found += [process for _key, process in _seen_by(owner, pids, lambda pid: _works_in(pid, wanted))]
    return found


def units_of(user):
    """Return the units that have a process of a user."""
    return sorted({unit(pid) for pid, owner in everyone() if owner[0] == user} - {""})


def unit(pid):
    """Return the unit of systemd that a process belongs to, '' where there is none."""
    for line in text_of(f"{PROC}/{pid}/cgroup").splitlines():
        _number, _sep, rest = line.partition(":")
        controllers, _sep, path = rest.partition(":")
        if controllers in ("", "name=systemd"):
            parts = [part for part in path.split("/") if re.search(r"\.(service|scope)$", part)]
            if parts:
                return parts[-1]
    return ""


def _about(pid):
    """Return what there is of a process; ProcessLookupError where it has ended meanwhile, as workers of a server do."""
    words = text_of(f"{PROC}/{pid}/cmdline").replace("\0", " ").split()
    process = {
        "pid": pid,
        "name": words[0] if words else "",
        "is_sentinel": any("sentinel" in word for word in words),
        "folder": _link(f"{PROC}/{pid}/cwd"),
        "unit": unit(pid),
    }
    # last: what was read of one that has ended is not so
    program = _link(f"{PROC}/{pid}/exe")
    if not program:
        raise ProcessLookupError(pid)
    return {**process, "program": program.replace(" (deleted)", "")}


def _holds(pid, inodes):
    """Return [(inode, process)] of the sockets that a process has open; raises PermissionError."""
    found = []
    folder = f"{PROC}/{pid}/fd"
    for name in os.listdir(folder):
        try:
            opened = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"{folder}/{name}"))
        except FileNotFoundError:  # it was closed meanwhile
            continue
        if opened and int(opened[1]) in inodes:
            found.append((int(opened[1]), _about(pid)))
    return found


def _works_in(pid, folders):
    return [(pid, _about(pid))] if _identity(f"{PROC}/{pid}/cwd") in folders else []


def _identity(path):
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _seen_by(owner, pids, look):
    """Return what `look` finds of these processes of one user; as that user where root may not see it.

    In a container root may have no right to look into the processes of others (CAP_SYS_PTRACE).
    """
    found, refused = _all(pids, look)
    return found + (_as_user(owner, lambda: _all(refused, look)[0]) if refused else [])


def _all(pids, look):
    found, refused = [], []
    for pid in pids:
        try:
            found += look(pid)
        except PermissionError:
            refused.append(pid)
        except OSError:  # it has ended
            continue
    return found, refused


def _as_user(owner, look):
    """Return what a child of ours sees with the rights of a user, a list; nothing where we may not become that user."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(owner[1], owner[1], owner[1])
            os.setresuid(owner[0], owner[0], owner[0])
            with os.fdopen(writer, "w", encoding="utf-8") as answer:
                json.dump(look(), answer)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else []


def _link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""
