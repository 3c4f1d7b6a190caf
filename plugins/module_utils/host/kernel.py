"""Kernel settings a data server needs, read and set while the machine runs. Files in /etc set them at boot."""

import os

_THP = "transparent_hugepage"
_THP_PATH = "/sys/kernel/mm/transparent_hugepage/enabled"


def _path(name):
    return _THP_PATH if name == _THP else "/proc/sys/" + name.replace(".", "/")


def observe(names):
    """Return {name: value}; a setting that this kernel does not have is left out."""
    found = {}
    for name in names:
        try:
            with open(_path(name), encoding="utf-8") as setting:
                text = setting.read().strip()
        except OSError:
            continue
        # The active choice of a list is in brackets: always [madvise] never
        found[name] = text[text.index("[") + 1 : text.index("]")] if "[" in text else text
    return found


def in_container():
    """Whether the kernel belongs to another machine: pid 1 knows (systemd writes this file)."""
    return os.path.exists("/run/systemd/container") or os.path.exists("/run/.containerenv")


def enough(name, have, want):
    """Whether the value will do: a queue length may be longer, `never` is stricter than `madvise`."""
    if name == _THP:
        return have in (want, "never")
    if name == "net.core.somaxconn":
        return int(have) >= int(want)
    return have == str(want)


def apply(name, value):
    """Set it now."""
    with open(_path(name), "w", encoding="utf-8") as setting:
        setting.write(str(value))
