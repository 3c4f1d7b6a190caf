"""What there is of units, their files and their users on a machine. Reads only."""

import glob
import itertools
import os
import pwd

from ansible_collections.cistern.core.plugins.module_utils.host import files, systemd
from ansible_collections.cistern.core.plugins.module_utils.units.contract import Have, Want
from ansible_collections.cistern.core.plugins.module_utils.units.plan import KEPT

# Touched when a unit has read its files anew; a reboot takes it away.
STAMPS = "/run/cistern"


def observe(want: Want) -> Have:
    swept = [path for pattern in want["sweep"] for path in sorted(glob.glob(pattern)) if KEPT not in path]
    names = [unit["name"] for unit in want["units"]] + [os.path.basename(path) for path in swept]
    paths = [file["path"] for file in want["files"]]
    paths += [path for unit in want["units"] for path in unit["files"] + unit["reloads"]]
    is_ours = not want["mark"] or os.path.exists(want["mark"])
    # what is swept is read only where it may be somebody else's: what a family is filled from is large
    found = files.observe(list(dict.fromkeys(paths + ([] if is_ours else swept))))
    return {
        "files": found,
        "users": [user for user in want["users"] if _exists(user)],
        "units": {
            name: {**state, "reloaded": _stamp(name)} for name, state in systemd.units_of_any_kind(names).items()
        },
        "swept": swept,
        "aside": {} if is_ours else {path: _aside(path) for path, file in found.items() if _is_theirs(path, file)},
    }


def _is_theirs(path, file):
    return bool(file) and file["kind"] == "file" and not files.as_packaged(path, file["text"])


def _aside(path):
    """Return where a file is set aside; what was set aside before is not replaced."""
    names = itertools.chain([path + KEPT], (f"{path}{KEPT}-{number}" for number in itertools.count(2)))
    return next(name for name in names if not os.path.lexists(name))


def _stamp(name):
    """Return when a unit has last read its files anew, as far as a run made it."""
    path = os.path.join(STAMPS, name)
    return os.stat(path).st_mtime if os.path.exists(path) else 0


def _exists(user):
    try:
        return bool(pwd.getpwnam(user))
    except KeyError:
        return False
