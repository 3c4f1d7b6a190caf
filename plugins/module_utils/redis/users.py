"""Local users: programs of this machine that log in to its servers, each with rights and a password of its own.

A user is {name, rules, path}: the rules in the server's own spelling, and the file with the password, which is made
here at random and is root's alone. The servers have its digest. Users of other names are the operator's, and stay.
"""

import hashlib
import os
import secrets

from ansible_collections.cistern.core.plugins.module_utils.host import files, folders
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf

# What a module takes of a user.
OPTIONS = {
    "name": {"type": "str", "required": True},
    "rules": {"type": "str", "required": True},
    "path": {"type": "path", "required": True},
}
# A user that is called so is ours, and goes when nobody wants it any more.
PREFIX = "cistern-"
# In a mapping of settings, a user stands under this and its name.
KEY = "user "
# Beside the rules of a user whose password has still to be made, so that they equal nobody's.
NOBODY = " (without a password)"
FILE = {"owner": "root", "group": "root", "mode": "0600"}


def password(path):
    """Return the password in a file, '' where there is none yet."""
    found = files.observe([path])[path]
    return found["text"].strip() if found else ""


def missing(users):
    """Return the users whose password is not there, or is another's to read."""
    found = files.observe([user["path"] for user in users])
    return [
        user["name"]
        for user in users
        if not password(user["path"]) or files.differs({**FILE, "path": user["path"]}, found[user["path"]])
    ]


def make(path):
    """Make the password where there is none. Two instances of a machine may do so at once: the first one's counts."""
    folders.make(os.path.dirname(path))
    if os.path.exists(path) and not password(path):
        os.unlink(path)
    if not os.path.exists(path):
        new = f"{path}.{os.getpid()}"
        files.write({**FILE, "path": new, "content": secrets.token_hex(32) + "\n"})
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(new)
    os.chown(path, 0, 0)
    os.chmod(path, int(FILE["mode"], 8))


def rules(user):
    """Return the words that make a user what it should be, for a server and for its file."""
    text = password(user["path"])
    return ["on", *(["#" + hashlib.sha256(text.encode()).hexdigest()] if text else []), *user["rules"].split()]


def line(user):
    """Return the line of a server's file."""
    return " ".join(["user", user["name"], *rules(user)])


def ours(names, users):
    """Return the names that are the toolkit's: those it wants, and those it wanted once."""
    return sorted({name for name in names if name.startswith(PREFIX)} | {user["name"] for user in users})


def in_file(text):
    """Return {name: words} of the users in the text of a file."""
    return {args[0]: args[1:] for key, args, _line in redis_conf.directives(text) if key == "user" and args}


def of_server(client):
    """Return {name: meaning} of the users that a server has."""
    found = {}
    for entry in client.execute_command("ACL", "LIST"):
        _user, name, *words = entry.split()
        found[name] = _meaning(words)
    return found


def meanings(client, rules_of):
    """Return what a server makes of {key: rules}. It must be a shadow: each becomes its user for a moment."""
    found = {}
    for key, words in rules_of.items():
        try:
            client.execute_command("ACL", "SETUSER", "shadow", "reset", *words)
            found[key] = of_server(client)["shadow"]
        except redis_server.RedisError:
            found[key] = "(refused)"
    return found


def _meaning(words):
    """The server lists commands in an order that differs between its processes, and not always what is the default."""
    return " ".join(sorted(word for word in words if word != "sanitize-payload"))


def differ(wanted, running):
    """Return the steps that make users of a running server so; both are mappings that hold users under KEY."""
    return [
        {"do": "user" if text else "remove user", "name": key[len(KEY) :]}
        for key, text in sorted(wanted.items())
        if key.startswith(KEY) and running.get(key, "") != text
    ]


def apply(step, users, client):
    """Take one step about a user."""
    user: dict = next((each for each in users if each["name"] == step["name"]), {})
    if step["do"] == "make password":
        make(user["path"])
    elif step["do"] == "user":
        client.execute_command("ACL", "SETUSER", step["name"], "reset", *rules(user))
    else:
        client.execute_command("ACL", "DELUSER", step["name"])
