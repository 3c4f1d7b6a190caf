"""The ACL file of a server: with one, who may log in as `default` stands there and nowhere else.

requirepass is ignored then, without a word: a file without a line for `default` leaves the server open to everybody,
and CONFIG GET requirepass shows the password all the same (seen with Redis 7.0 and 8.0; src/acl.c, ACLLoadFromFile).
"""

import hashlib

from ansible_collections.cistern.core.plugins.module_utils import redis_conf

USER = "default"
# What the server makes of `default` where its file has no line for it.
OPEN = {"on": True, "nopass": True, "digests": set(), "commands": True}


class Unusable(Exception):
    """A file with which the toolkit could not log in, or everybody could."""


def digest(password):
    return hashlib.sha256(password.encode()).hexdigest()


def read(path):
    """Return the text of the file. Raises Unusable where there is none: the server would not start."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError as error:
        raise Unusable(
            f"{_named(path)} cannot be read ({error.strerror}): the server would not start. Write it, with a line for "
            f"the user {USER}, or take aclfile out"
        ) from error


def _named(path):
    return f"{path}, which aclfile in redis_config names,"


def of_default(text):
    """Return {on, nopass, digests, commands} of the user `default` in the text of an ACL file."""
    found = next((args[1:] for name, args, _line in redis_conf.directives(text) if _is_default(name, args)), None)
    if found is None:
        return dict(OPEN)
    state = {"on": False, "nopass": False, "digests": set(), "commands": False}
    for word in found:
        if word in ("on", "off"):
            state["on"] = word == "on"
        elif word in ("nopass", "resetpass", "reset"):
            state["nopass"], state["digests"] = word == "nopass", set()
        elif word[:1] == "#":
            state["digests"].add(word[1:])
        elif word[:1] == ">":
            state["digests"].add(digest(word[1:]))
        elif word in ("+@all", "allcommands", "-@all", "nocommands"):
            state["commands"] = word in ("+@all", "allcommands")
    return state


def judge(path, state):
    """Raise Unusable where `default` lets everybody in, or not the toolkit."""
    write = (
        f"write a line `user {USER} on #<sha256 of redis_password> ~* &* +@all` into it (without &* before Redis 6.2), "
        "or take aclfile out of redis_config"
    )
    if state["nopass"] and state["on"]:
        says = f"lets everybody in as the user {USER}, without a password and whatever redis_password says"
    elif not state["on"] or not state["digests"]:
        says = f"lets nobody in as the user {USER}, as which the toolkit, replicas and Sentinels log in"
    elif not state["commands"]:
        says = f"denies the user {USER} commands that a run needs"
    else:
        return
    raise Unusable(f"{_named(path)} {says}; {write}")


def refuse_other_password(path, state, password):
    """Raise Unusable where the server will take its users from this file, and nobody could log in with the password."""
    if digest(password) not in state["digests"]:
        raise Unusable(
            f"{_named(path)} has another password for the user {USER} than redis_password, and no server runs with it "
            "that could change it; write #<sha256 of redis_password> into its line, or the password that it has into "
            "redis_password"
        )


def for_shadow(text):
    """Return the text with a `default` as which a shadow, which serves nobody, can be asked."""
    kept = [line for name, args, line in redis_conf.directives(text) if not _is_default(name, args)]
    return "".join(line + "\n" for line in [*kept, f"user {USER} on nopass ~* +@all"])


def _is_default(name, args):
    return name == "user" and args and args[0] == USER
