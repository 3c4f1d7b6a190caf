"""What a redis.conf includes: read as the server reads it, so that what stands there counts as said."""

import glob
import os

from ansible_collections.cistern.core.plugins.module_utils import redis_conf

# The server itself gives up at a depth that no person writes; a file that includes itself goes on for ever.
DEPTH = 16
# What must not stand in an included file: it decides about the part of the instance, or the server would write it into
# its own file too, and find it twice at its next start.
NOT_THERE = {
    "replicaof": "leave it out, the servers know who is primary",
    "slaveof": "leave it out, the servers know who is primary",
    "cluster-enabled": "leave it out, and write redis_mode",
    "daemonize": "leave it out, systemd runs the server",
    "supervised": "leave it out, systemd runs the server",
    "user": "leave it out and use ACL SETUSER and CONFIG REWRITE: users are the server's own, a run keeps them",
}


class Unreadable(Exception):
    """An included file that the server could not read, or that says what must not stand there."""


def expanded(text, inside=(), where=""):
    """Return the text with every included file in place of its line, as the server takes it.

    A pattern stands for all files that it fits, in their order; none is no error (since 7.0; src/config.c,
    loadServerConfig). Raises Unreadable.
    """
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        words = redis_conf.split_args(line.strip()) if not line.lstrip().startswith("#") else []
        name = words[0].lower() if words else ""
        if inside and name in NOT_THERE:
            raise Unreadable(f"{where} line {number} has {name}: {NOT_THERE[name]}")
        if name == "include" and len(words) == 2:
            lines += [_included(path, inside) for path in _paths(words[1])]
        else:
            lines.append(line + "\n")
    return "".join(lines)


def _paths(pattern):
    return sorted(glob.glob(pattern)) if glob.has_magic(pattern) else [pattern]


def _included(path, inside):
    path = os.path.abspath(path)
    if path in inside or len(inside) >= DEPTH:
        raise Unreadable(f"{path} includes itself, by way of {' and '.join(inside)}")
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except OSError as error:
        raise Unreadable(
            f"{path}, which include in redis_config names, cannot be read ({error.strerror}); write that file, or take "
            "the include out"
        ) from error
    return expanded(text, (*inside, path), path)
