"""What somebody else's files say of a unit that a run makes or takes from a package: its command, and its user.

Read from the files, as systemd will have them at the next start: a drop-in may not be loaded yet, and one may lie there
before the package of its unit comes.
"""

import glob
import os

from ansible_collections.cistern.core.plugins.module_utils.host.reading import text_of

# Where systemd looks for a unit before it takes that of a package, and where those are.
FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system")
PACKAGED = ("/usr/lib/systemd/", "/lib/systemd/")
OURS = "cistern"
KEYS = ("ExecStart", "User")
KNOWN = {"path": "", "value": ""}


def observe(name, folders=FOLDERS):
    """Return {key: [{path, value}]} of what is in effect: the last of User, each command of ExecStart.

    A key of which nobody else says anything is left out. The package's own and ours, whose values a run compares by
    itself, stand there as KNOWN.
    """
    found = {key: [KNOWN] for key in KEYS}
    for path in _fragment(name, folders):
        found = {key: _with_path(path, _settings(path, key)) for key in KEYS}
    for path in _drop_ins(name, folders):
        for key in KEYS:
            values = _settings(path, key)
            takes_back = key == "User" and values or "" in values
            found[key] = ([] if takes_back else found[key]) + _with_path(path, values)
    return {key: values[-1:] if key == "User" else values for key, values in found.items() if _of_another(values)}


def _of_another(values):
    return any(each["path"] for each in values)


def _with_path(path, values):
    """Return the values after the last empty one, which takes back those before it."""
    last = max((number for number, value in enumerate(values, 1) if not value), default=0)
    ours = os.path.basename(path).startswith(OURS)
    return [KNOWN if ours else {"path": path, "value": value} for value in values[last:]]


def _names(unit):
    """Return the names under which systemd looks for a unit's drop-ins: also a template's, and those of a prefix."""
    stem, _dot, kind = unit.rpartition(".")
    names = [unit] + ([f"{stem.split('@')[0]}@.{kind}"] if "@" in stem else [])
    prefix = stem.split("@")[0]
    while "-" in prefix:
        prefix = prefix.rpartition("-")[0]
        names.append(f"{prefix}-.{kind}")
    return [*names, kind]


def _fragment(unit, folders):
    """Return the unit file that takes the place of the package's, in a list that may be empty."""
    names = [unit, *(name for name in _names(unit) if "@." in name)]
    found = [f"{folder}/{name}" for name in names for folder in folders if os.path.isfile(f"{folder}/{name}")]
    return [path for path in found[:1] if not os.path.realpath(path).startswith(PACKAGED)]


def _drop_ins(unit, folders):
    """Return the drop-ins in the order in which they count, by name; of two with one name, the first folder's."""
    found: dict = {}
    for folder in folders:
        for name in _names(unit):
            for path in glob.glob(f"{folder}/{name}.d/*.conf"):
                found.setdefault(os.path.basename(path), path)
    return [found[name] for name in sorted(found) if os.path.isfile(found[name])]


def _settings(path, key):
    """Return the values of a key of the service in a unit file."""
    lines = text_of(path).replace("\\\n", " ").splitlines()
    section, found = "", []
    for line in map(str.strip, lines):
        section = line if line.startswith("[") else section
        name, sep, value = line.partition("=")
        if section == "[Service]" and sep and name.strip() == key:
            found.append(value.strip())
    return found
