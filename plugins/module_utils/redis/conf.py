"""redis.conf as text: read as the server reads it, changed without touching what is not ours."""

import os
import re

from ansible_collections.cistern.core.plugins.module_utils.host import secrets

# Redis changes its own file too: who it replicates, and the ACL users it holds. A rewrite keeps these lines.
SERVER_OWNED = ("replicaof", "slaveof", "user")

# The header of a generated file; a file without it was made by the package or by the operator.
MARK = "Written by Cistern"

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "a": "\a"}
_HEX = re.compile(r"\\x([0-9a-fA-F]{2})")
# What divides words, and what ends one that is not in quotes.
SPACES, _ENDS = " \t\n\r\v\f", " \t\n\r"


def lines_of(text):
    """Return the lines of a file as the server divides it: at line feeds alone."""
    found = text.split("\n")
    return found if found[-1] else found[:-1]


def split_arguments(text):
    """Return the arguments of one line; raise ValueError where a quote is wrong.

    The rules are those of sdssplitargs() in the server's src/sds.c: double quotes know escapes and \\xHH,
    single quotes know only \\', and a closing quote must be followed by a blank.
    """
    # the server counts bytes: each one is one character of Latin-1 in here
    raw = text.encode("utf-8", "surrogateescape").decode("latin-1")
    found: list = []
    index = 0
    while True:
        while index < len(raw) and raw[index] in SPACES:
            index += 1
        if index == len(raw):
            return [word.encode("latin-1").decode("utf-8", "surrogateescape") for word in found]
        word, index = _word(raw, index)
        found.append(word)


def _word(raw, index):
    """Return the word that starts here, and the place after it."""
    word, mark = "", ""
    while index < len(raw):
        char = raw[index]
        if mark == '"' and char == "\\" and index + 1 < len(raw):
            found = _HEX.match(raw, index)
            word += chr(int(found[1], 16)) if found else _ESCAPES.get(raw[index + 1], raw[index + 1])
            index = found.end() if found else index + 2
        elif mark == "'" and raw.startswith("\\'", index):
            word, index = word + "'", index + 2
        elif mark and char == mark:
            if raw[index + 1 : index + 2].strip(SPACES):
                raise ValueError("has text right after a closing quote")
            return word, index + 1
        elif not mark and char in _ENDS:
            return word, index
        else:
            opens = not mark and char in "\"'"
            word, mark, index = (word, char, index + 1) if opens else (word + char, mark, index + 1)
    if mark:
        raise ValueError("has a quote that is not closed")
    return word, index


def directives(text):
    """Yield (name, arguments, line) of each directive; a line that cannot be split has None for arguments."""
    for line in lines_of(text):
        if line.strip(SPACES) and not line.lstrip(SPACES).startswith("#"):
            try:
                words = split_arguments(line)
            except ValueError:
                yield line.split(None, 1)[0].lower(), None, line
            else:
                yield words[0].lower(), words[1:], line


def value(text, name, default=None):
    """Return the last value of a directive of one argument, as the server would take it."""
    found = [args for key, args, _line in directives(text) if key == name and args]
    return " ".join(found[-1]) if found else default


def without(text, names):
    """Return the text without the lines of these directives."""
    drop = {line for name, _args, line in directives(text) if name in names}
    return "".join(line + "\n" for line in lines_of(text) if line not in drop)


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
    files = [value(text, name) for name in ("dbfilename", "appenddirname", "appendfilename")]
    written = [path for path in found.values() if path]
    written += [os.path.join(found["dir"], name) for name in files if found["dir"] and name]
    return {os.path.normpath(path): os.path.realpath(path) for path in written}


def masked(text):
    """Return the text with the arguments of secret directives hidden."""
    lines = []
    for line in lines_of(text):
        words = line.split(None, 1)
        lines.append(f"{words[0]} {secrets.HIDDEN}" if len(words) > 1 and words[0].lower() in secrets.REDIS else line)
    return "".join(line + "\n" for line in lines)
