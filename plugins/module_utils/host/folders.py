"""Folders on the way to a file: made so that they can be passed, whatever the umask of a session, and proven to be."""

import grp
import os
import pwd
import stat

PASSABLE = 0o755


def make(path, mode=PASSABLE):
    """Make a folder and those above it that are missing. The umask of a hardened session takes no right away."""
    above = os.path.dirname(path)
    if above and not os.path.isdir(above):
        make(above)
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    os.chmod(path, mode)


def closed_to(path, user):
    """Return the first folder above a path that is there and that a user cannot pass, as part of a sentence, or ''.

    A user who is not there yet is anybody. Rights are those of owner, group and others; a list of rights is not read.
    """
    uid, groups = _account(user)
    above = os.path.dirname(os.path.abspath(path))
    for number in range(1, len(above.split("/")) + 1):
        folder = "/".join(above.split("/")[:number]) or "/"
        try:
            found = os.stat(folder)
        except OSError:
            return ""
        if not _may(found, uid, groups, stat.S_IXUSR):
            owner = _owner(found.st_uid)
            return f"{folder} is {stat.S_IMODE(found.st_mode):04o} of {owner}, and {user} cannot pass it"
    return ""


def unreadable(path, user):
    """Return why a user cannot read a file that is there, as part of a sentence, or ''."""
    uid, groups = _account(user)
    found = os.stat(path)
    text = closed_to(path, user)
    if not text and not _may(found, uid, groups, stat.S_IRUSR):
        text = f"it is {stat.S_IMODE(found.st_mode):04o} of {_owner(found.st_uid)}"
    return text


def _may(found, uid, groups, right):
    """Whether a user has a right, given as that of an owner, at what os.stat() found."""
    if uid == 0:
        return True
    if uid == found.st_uid:
        return bool(found.st_mode & right)
    return bool(found.st_mode & (right >> 3 if found.st_gid in groups else right >> 6))


def _account(user):
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        return None, set()
    members = {group.gr_gid for group in grp.getgrall() if user in group.gr_mem}
    return account.pw_uid, members | {account.pw_gid}


def _owner(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
