"""What apt is to do on a machine, by what the inventory says and what the machine has. Pure."""

import re


def wanted(names, installed, version):
    """Return what apt is to install: missing packages, and those of the server whose version is not the pinned one."""
    pinned = re.compile(rf"\d+:{re.escape(version)}(\D|$)" if version else "")
    return [
        name
        for name in names
        if name not in installed or (name.startswith("redis-") and not pinned.match(installed[name]["version"]))
    ]
