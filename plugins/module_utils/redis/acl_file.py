"""The ACL file of a server: with one, who may log in as `default` stands there and nowhere else.

requirepass is ignored then, without a word: a file without a line for `default` leaves the server open to everybody,
and CONFIG GET requirepass shows the password all the same (seen with Redis 7.0 and 8.0; src/acl.c, ACLLoadFromFile).
"""

import hashlib
import os
import re

from ansible_collections.cistern.core.plugins.module_utils.host import folders
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.redis import commands as redis_commands
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.module_utils.redis import modes

USER = "default"
# The rules of `default` in a shadow, which reads them and lets in whoever asks it.
STAND_IN = "cistern-default"
NOBODY = {
    "on": False,
    "nopass": False,
    "digests": set(),
    "commands": False,
    "denied": set(),
    "granted": set(),
    "channels": set(),
}
# What the server makes of `default` where its file has no line for it.
OPEN = {**NOBODY, "on": True, "nopass": True, "commands": True, "channels": {"*"}}
# Categories without a command that a deployment needs.
DATA = ("bitmap", "geo", "hash", "hyperloglog", "list", "set", "sortedset", "stream", "string")
# Where Sentinels find each other.
HELLO = "__sentinel__:hello"


class Unusable(Refused):
    """A file with which the toolkit could not log in, or everybody could."""


def digest(password):
    return hashlib.sha256(password.encode()).hexdigest()


def read(path, user=None):
    """Return the text of the file. Raises Unusable where the server, which runs as `user`, could not read it."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except OSError as error:
        raise Unusable(
            f"{_origin(path)} cannot be read ({error.strerror}): the server would not start. Write it, with a line for "
            f"the user {USER}, or take aclfile out"
        ) from error
    closed = folders.unreadable(path, user) if user else ""
    if closed:
        raise Unusable(f"{_origin(path)} cannot be read by the server: {closed}; make it 0640 of {user}")
    return text


def _origin(path):
    return f"{path}, which aclfile in redis_config names,"


def of_default(text, channels=True):
    """Return what the text of an ACL file, or of a redis.conf, makes of the user `default`; OPEN without a line for it.

    `channels` says whether a new user may use every channel (acl-pubsub-default). A state is {on, nopass, digests,
    commands: whether it begins with all of them, denied: those that are taken away, granted: those given since the last
    category was, channels: patterns}.
    """
    found = [words[2:] for words in map(_words, text.split("\n")) if _is_default(words)]
    return of_rules(found[-1], channels) if found else dict(OPEN)


def of_rules(words, channels=True):
    """Return the state of a user with these rules, in their order as the server takes them (src/acl.c, ACLSetUser)."""
    first = {**NOBODY, "channels": {"*"} if channels else set()}
    state, selector = first, False
    for word in words:
        selector |= word.startswith("(")
        if word == "reset":
            state = first
        elif not selector:
            state = {**state, **_rule(word, state)}
        selector &= not word.endswith(")")
    return state


def _rule(word, state):
    """Return what one rule changes."""
    lower, rest, change = word.lower(), word[1:], {}
    if lower in ("on", "off"):
        change = {"on": lower == "on"}
    elif lower in ("nopass", "resetpass"):
        change = {"nopass": lower == "nopass", "digests": set()}
    elif lower in ("+@all", "allcommands", "-@all", "nocommands"):
        change = {"commands": lower in ("+@all", "allcommands"), "denied": set(), "granted": set()}
    elif lower in ("allchannels", "resetchannels"):
        change = {"channels": {"*"} if lower == "allchannels" else set()}
    elif word[:1] == "&":
        change = {"channels": state["channels"] | {rest}}
    elif word[:1] in (">", "#"):
        change = {"nopass": False, "digests": state["digests"] | {digest(rest) if word[0] == ">" else rest}}
    elif word[:1] in ("<", "!"):
        change = {"digests": state["digests"] - {digest(rest) if word[0] == "<" else rest}}
    elif word[:1] in ("+", "-"):
        names, denied, granted = {lower[1:].split("|")[0]}, state["denied"], state["granted"]
        if word[0] == "+":
            change = {"denied": denied - names, "granted": granted | names}
        else:
            change = {"denied": denied | names, "granted": set() if word[1:2] == "@" else granted - names}
    return change


def judge(path, state, mode=""):
    """Raise Unusable where `default` lets everybody in, or not those whom a deployment of this mode needs."""
    write = (
        f"write a line `user {USER} on #<sha256 of redis_password> ~* &* +@all` into it (without &* before Redis 6.2), "
        "or take aclfile out of redis_config"
    )
    lacks = [f"the command {name.upper()}" for name in redis_commands.needed(mode) if not _may(state, name)]
    if modes.of(mode).has_sentinels and not state["channels"] & {"*", HELLO, "__sentinel__:*"}:
        lacks.append(f"the channel {HELLO}")
    if state["nopass"] and state["on"]:
        problem = f"lets everybody in as the user {USER}, without a password and whatever redis_password says"
    elif not state["on"] or not state["digests"]:
        problem = f"lets nobody in as the user {USER}, as which the toolkit, replicas and Sentinels log in"
    elif lacks:
        problem = f"denies the user {USER} what a run or the deployment needs ({lacks[0]})"
    else:
        return
    raise Unusable(f"{_origin(path)} {problem}; {write}")


def _may(state, name):
    categories = {each[1:] for each in state["denied"] if each[:1] == "@"}
    closed = name in state["denied"] or categories - set(DATA) and name not in state["granted"]
    return state["commands"] and not closed


def refuse_other_password(path, state, password):
    """Raise Unusable where the server will take its users from this file, and nobody could log in with the password."""
    if digest(password) not in state["digests"]:
        raise Unusable(
            f"{_origin(path)} has another password for the user {USER} than redis_password, and no server runs with it "
            "that could change it; write #<sha256 of redis_password> into its line, or the password that it has into "
            "redis_password"
        )


def contradicts(text, password):
    """Whether a redis.conf has a line for `default` that lets in everybody at the next start, or not this password.

    CONFIG REWRITE writes one beside requirepass, as the server had it then; it counts for more.
    """
    state = of_default(text)
    lets_in = state["on"] and not state["nopass"] and digest(password) in state["digests"]
    return any(_is_default(_words(line)) for line in text.split("\n")) and not lets_in


def refuse_lost_users(conf, users, path):
    """Raise Unusable where a redis.conf has users that the file lacks: the server would take them from there alone."""
    there = {words[1] for words in map(_words, read(path).split("\n")) if words[0] == "user" and words[1:]}
    lost = sorted(set(users) - there - {USER})
    if lost:
        raise Unusable(
            f"{_origin(path)} lacks the user{'s' * (len(lost) > 1)} {', '.join(lost)} of {conf}, and the server takes "
            "users from one of them alone; write the lines of ACL LIST into it"
        )


def with_users(text, had, path):
    """Return a redis.conf with the users that go on in it: none with an ACL file, those of one that it `had`."""
    if path:
        return redis_conf.without(text, ("user",))
    if had and os.path.exists(had):
        text += "".join(line.strip() + "\n" for line in read(had).split("\n") if _words(line)[0] == "user")
    return text


def risks(path):
    """Return what others can read, as sentences: a password that is guessed can be proven by its digest."""
    mode = os.stat(path).st_mode
    return [f"{path} has digests of passwords, and everybody can read it: chmod o= {path}"] if mode & 0o007 else []


def for_shadow(text):
    """Return the text, line by line, with a `default` as which a shadow, which serves nobody, can be asked."""
    lines = []
    for line in text.split("\n"):
        words = _words(line)
        lines.append(" ".join(["user", STAND_IN, *words[2:]]) if _is_default(words) else line)
    return "\n".join([*lines, f"user {USER} on nopass ~* +@all", ""])


def refuse_complaint(problem, given, path):
    """Raise Unusable with what a shadow that was `given` the file by another name does not take of it, if anything."""
    found = re.search(r"because of ACL errors: (.*?)( WARNING: ACL errors detected.*)?$", problem, re.MULTILINE)
    if found:
        words = found[1].replace(given, path).replace(STAND_IN, USER).strip(" .")
        raise Unusable(f"{_origin(path)} is refused by the server, which would not start: {words}")


def _words(line):
    """A line is split at blanks, without quotes and comments (src/acl.c, ACLLoadFromFile)."""
    return line.strip(" \t\r\n").split(" ")


def _is_default(words):
    return words[:2] == ["user", USER]
