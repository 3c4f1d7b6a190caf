"""Whether the Python that a module runs with has, or gets from apt, the libraries that changes need."""

import importlib.util
import os
import sys

# Where apt's python3-* packages put a library of every version of python3, and the one that they are built for.
PACKAGED, SYSTEM = "/usr/lib/python3/dist-packages", "/usr/bin/python3"


def lacking(names, packages):
    """Return why libraries cannot be had here, as sentences; none where they are there, or apt's packages reach."""
    if _is_of_the_system():
        return []
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if not missing:
        return []
    return [
        f"ansible_python_interpreter: {sys.executable} cannot import {' and '.join(missing)}, and what apt installs "
        f"({', '.join(packages)}) does not reach it; write {SYSTEM}, or install {' and '.join(missing)} there"
    ]


def _is_of_the_system():
    """Whether this is the Python that apt's packages are for. One of another version cannot load what is compiled."""
    own = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return PACKAGED in sys.path and os.path.basename(os.path.realpath(SYSTEM)) == own
