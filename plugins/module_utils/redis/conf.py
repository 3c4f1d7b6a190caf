"""redis.conf as text: read as the server reads it, changed without touching what is not ours."""

import os
import re

from ansible_collections.cistern.core.plugins.module_utils.host import secrets

# Redis changes its own file too: who it replicates, and the ACL users it holds. A rewrite keeps these lines.
SERVER_OWNED = ("replicaof", "slaveof", "user")

# The header of a generated file; a file without it was made by the package or by the operator.
MARK = "Written by Cistern"

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "a": "\a"}


def split_args(line):
    """Return the arguments of one line, or None where a quote is not closed.

    The rules are those of sdssplitargs() in the server's src/sds.c: double quotes know escapes and \\xHH,
    single quotes know only \\', and a closing quote must be followed by a blank.
    """
    args: list = []
    at, end = 0, len(line)
    while True:
        while at < end and line[at].isspace():
            at += 1
        if at == end:
            return args
        word, at = _word(line, at)
        if word is None:
            return None
        args.append(word)


def _word(line, at):
    """Return one argument that starts at `at`, and where it ends; (None, 0) where a quote is wrong."""
    raw, end, quote = bytearray(), len(line), ""
    while at < end:
        char = line[at]
        if quote == '"' and char == "\\" and re.match(r"x[0-9a-fA-F]{2}", line[at + 1 : at + 4]):
            raw.append(int(line[at + 2 : at + 4], 16))
            at += 4
            continue
        if quote == '"' and char == "\\" and at + 1 < end:
            raw += _ESCAPES.get(line[at + 1], line[at + 1]).encode()
            at += 2
            continue
        if quote == "'" and line[at : at + 2] == "\\'":
            raw += b"'"
            at += 2
            continue
        if quote and char == quote:
            if at + 1 < end and not line[at + 1].isspace():
                return None, 0
            return raw.decode(errors="surrogateescape"), at + 1
        if not quote and char.isspace():
            break
        if not quote and char in "\"'":
            quote = char
        else:
            raw += char.encode(errors="surrogateescape")
        at += 1
    return (None, 0) if quote else (raw.decode(errors="surrogateescape"), at)


def directives(text):
    """Yield (name, arguments, line) of each directive; a line that cannot be split has None for arguments."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            words = split_args(line.strip())
            if words is None:
                yield line.split(None, 1)[0].lower(), None, line
            elif words:
                yield words[0].lower(), words[1:], line


def value(text, name, default=None):
    """Return the last value of a directive of one argument, as the server would take it."""
    found = [args for key, args, _line in directives(text) if key == name and args]
    return " ".join(found[-1]) if found else default


def without(text, names):
    """Return the text without the lines of these directives."""
    drop = {line for name, _args, line in directives(text) if name in names}
    return "".join(line + "\n" for line in text.splitlines() if line not in drop)


def replicaof(text):
    """Return whom the file makes the server a replica of, as "address port"; '' where it starts as a primary."""
    found = value(text, "replicaof", value(text, "slaveof", ""))
    return "" if found.lower() == "no one" else found.lower().replace(". ", " ")


def with_server_lines(text, on_disk, follow=None, ours=()):
    """Return our text with the lines that the server keeps in the file on disk.

    The `default` user is not one of them: CONFIG REWRITE writes it beside requirepass, and the hash of an old password
    would win over a new requirepass. Nor are those of `ours`, whose lines are in our text.
    `follow` says whom to be a replica of instead of the file, '' to be a primary.
    """
    if follow is not None:
        text += f"replicaof {follow}\n" if follow else ""
        on_disk = without(on_disk, ("replicaof", "slaveof"))
    kept = [
        line
        for name, args, line in directives(on_disk)
        if name in SERVER_OWNED and not (name == "user" and args and args[0] in ("default", *ours))
    ]
    return text + "".join(line + "\n" for line in kept)


def paths(text):
    """Return {path: where its links lead on this machine} of what the server writes by this configuration."""
    found = {name: value(text, name) for name in ("dir", "logfile", "unixsocket", "aclfile")}
    named = [value(text, name) for name in ("dbfilename", "appenddirname", "appendfilename")]
    written = [path for path in found.values() if path]
    written += [os.path.join(found["dir"], name) for name in named if found["dir"] and name]
    return {os.path.normpath(path): os.path.realpath(path) for path in written}


def masked(text):
    """Return the text with the arguments of secret directives hidden."""
    lines = []
    for line in text.splitlines():
        words = line.split(None, 1)
        lines.append(f"{words[0]} {secrets.HIDDEN}" if len(words) > 1 and words[0].lower() in secrets.REDIS else line)
    return "".join(line + "\n" for line in lines)
