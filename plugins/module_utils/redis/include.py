"""What a redis.conf includes: read as the server reads it, so that what stands there counts as said."""

import glob
import os

from ansible_collections.cistern.core.plugins.module_utils.host import folders
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf

# The server itself gives up at a depth that no person writes; a file that includes itself goes on for ever.
DEPTH = 16
# What must not stand in an included file: it decides about the part of the instance, the inventory has to be checked
# for it, or CONFIG REWRITE would write it into the server's own file too, which then has it twice at its next start.
NOT_THERE = {
    "replicaof": "leave it out, the servers know who is primary",
    "slaveof": "leave it out, the servers know who is primary",
    "cluster-enabled": "leave it out, and write redis_mode",
    "daemonize": "leave it out, systemd runs the server",
    "supervised": "leave it out, systemd runs the server",
    "user": "leave it out and use ACL SETUSER and CONFIG REWRITE: users are the server's own, a run keeps them",
    **dict.fromkeys(
        ("aclfile", "loadmodule", "rename-command", "tls-port", "tls-replication", "tls-cluster"),
        "write it into redis_config",
    ),
}


class Unreadable(Exception):
    """An included file that the server could not read, or that says what must not stand there."""


def expanded(text, user=None, inside=()):
    """Return the text with every included file in place of its line, as the server takes it, which runs as `user`.

    A pattern stands for all files that it fits, in their order; none is no error (since 7.0; src/config.c,
    loadServerConfig). Raises Unreadable.
    """
    where = inside[-1] if inside else ""
    lines = []
    for number, line in enumerate(redis_conf.lines_of(text), 1):
        name, words = next(((name, args or []) for name, args, _line in redis_conf.directives(line)), ("", []))
        if inside and name in NOT_THERE:
            raise Unreadable(f"{where} line {number} has {name}: {NOT_THERE[name]}")
        if name == "include" and len(words) == 1:
            if inside and not os.path.isabs(words[0]):
                raise Unreadable(
                    f"{where} line {number} includes {words[0]}: where that lies depends on where the server is "
                    "started; write the whole path"
                )
            lines += [_included(path, user, inside) for path in _paths(words[0])]
        else:
            lines.append(line + "\n")
    return "".join(lines)


def _paths(pattern):
    return sorted(glob.glob(pattern)) if glob.has_magic(pattern) else [pattern]


def _included(path, user, inside):
    path = os.path.normpath(path)
    if path in inside or len(inside) >= DEPTH:
        raise Unreadable(f"{path} includes itself, by way of {' and '.join(inside)}")
    origin = f"{path}, which {f'{inside[-1]} includes' if inside else 'include in redis_config names'},"
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except OSError as error:
        raise Unreadable(
            f"{origin} cannot be read ({error.strerror}); write that file, or take the include out"
        ) from error
    closed = folders.unreadable(path, user) if user else ""
    if closed:
        raise Unreadable(f"{origin} cannot be read by the server: {closed}; let {user} read it")
    return expanded(text, user, (*inside, path))
