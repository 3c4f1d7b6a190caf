"""Files on a host: what is there, what differs, an atomic replacement."""

import grp
import hashlib
import os
import pwd
import subprocess

from ansible_collections.cistern.core.plugins.module_utils.host import atomic, folders

# What a module takes of a file that it writes.
OPTIONS = {
    "path": {"type": "path", "required": True},
    "owner": {"type": "str", "required": True},
    "group": {"type": "str", "required": True},
    "mode": {"type": "str", "required": True},
}
# One of a unit: `unit` takes effect when that restarts, `manager` when systemd reads it.
UNIT_OPTIONS = {
    **OPTIONS,
    "content": {"type": "str"},
    "unit": {"type": "bool", "default": False},
    "manager": {"type": "bool", "default": False},
    "unless_container": {"type": "bool", "default": False},
    "absent": {"type": "bool", "default": False},
}
SECRET_OPTIONS = {**OPTIONS, "secret_content": {"type": "str", "required": True, "no_log": True}}


def observe(paths):
    """Return {path: {kind, text, owner, group, mode, mtime} or None}. Bytes that are not UTF-8 survive."""
    return {path: _observe(path) for path in paths}


def _observe(path):
    try:
        stat = os.stat(path)
    except FileNotFoundError:
        return None
    kind, text = "directory", None
    if not os.path.isdir(path):
        kind = "file"
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            text = file.read()
    return {
        "kind": kind,
        "text": text,
        "owner": _name(pwd.getpwuid, stat.st_uid),
        "group": _name(grp.getgrgid, stat.st_gid),
        "mode": f"{stat.st_mode & 0o7777:04o}",
        "mtime": stat.st_mtime,
    }


def _name(lookup, number):
    try:
        return lookup(number)[0]
    except KeyError:
        return str(number)


def differs(want, have):
    """Return what differs between a wanted file and the observed one.

    A list out of missing, present (where it must be absent), content, owner, group, mode.
    """
    if want.get("absent"):
        return ["present"] if have else []
    if have is None:
        return ["missing"]
    found = [key for key in ("owner", "group", "mode") if want[key] != have[key]]
    if want.get("content") is not None and want["content"] != have["text"]:
        found.insert(0, "content")
    return found


def marks(have):
    """Return {owner, group, mode, sha256} of an observed file, by which it is compared without its text."""
    digest = hashlib.sha256((have["text"] or "").encode(errors="surrogateescape")).hexdigest()
    return {**{name: have[name] for name in ("owner", "group", "mode")}, "sha256": digest}


def differs_by_marks(want, have):
    """Whether a wanted file is another than the one with these marks; None is one that there is not."""
    if want.get("absent") or have is None:
        return bool(want.get("absent")) == (have is not None)
    wanted = marks({**want, "text": want.get("content")})
    if want.get("content") is None:
        wanted.pop("sha256")
    return any(have[name] != value for name, value in wanted.items())


def meaning(text):
    """Return the lines of a text that are not blank and not comments."""
    return [line for line in (text or "").splitlines() if line.strip() and not line.lstrip().startswith("#")]


def write(want, modified=None):
    """Make the file or folder so. A file is replaced by rename, so a reader sees the old one or the new one.

    `modified` is the time it shall be said to be modified at, for a change that has no effect.
    """
    if want.get("absent"):
        os.unlink(want["path"])
        return
    path, mode = want["path"], int(want["mode"], 8)
    uid, gid = pwd.getpwnam(want["owner"]).pw_uid, grp.getgrnam(want["group"]).gr_gid
    if want.get("content") is None:
        folders.make(path)
        os.chown(path, uid, gid)
        os.chmod(path, mode)
        return
    folders.make(os.path.dirname(path))
    about = {"mode": mode, "owner": (uid, gid), "modified": modified, "durable": True}
    atomic.write(path, want["content"], errors="surrogateescape", **about)


def as_packaged(path, text):
    """Whether a text is the one that its package installed at this path, so that nobody would miss it."""
    conffiles = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${Conffiles}\n"], capture_output=True, text=True, check=False
    ).stdout
    digest = hashlib.md5(text.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()
    return f" {path} {digest}" in conffiles


def diff(want, have, show=lambda text: text):
    """Return a diff entry for --diff; `show` hides what must not be seen."""
    before = show((have or {}).get("text") or "")
    after = "" if want.get("absent") else show(want.get("content") or "")
    marks = {key: (have or {}).get(key) for key in ("owner", "group", "mode")}
    wanted = {key: want[key] for key in marks}
    if have and marks != wanted and not want.get("absent"):
        before, after = f"{marks}\n{before}", f"{wanted}\n{after}"
    return {"before_header": want["path"], "after_header": want["path"], "before": before, "after": after}
