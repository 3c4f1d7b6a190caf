"""What apt is to do on a machine of Redis, by what the inventory says and what the machine has. Pure."""

import re


def wanted(names, installed, version):
    """Return what apt is to install: missing packages, and those of the server whose version is not the pinned one."""
    pinned = re.compile(rf"\d+:{re.escape(version)}(\D|$)" if version else "")
    return [
        name
        for name in names
        if name not in installed or (name.startswith("redis-") and not pinned.match(installed[name]["version"]))
    ]


def wrongly_held(installed, hold):
    """Return the packages of the server that are on hold and should not be, or the other way round."""
    return [name for name, each in installed.items() if name.startswith("redis-") and each["hold"] != hold]


def are_due(observed, args):
    """Whether packages, their hold, their source, its key or the pin differ; `args` is {packages, apt}, where `apt` is
    {version, hold}.
    """
    installed, apt = observed["facts"]["packages"], args["apt"]
    return bool(
        wanted(args["packages"], installed, apt["version"])
        or wrongly_held(installed, apt["hold"])
        or observed["facts"]["differing_files"]
    )


def instance_is_due(observed, args):
    """Whether a run has something to do for an instance; `args` is as for `are_due`."""
    return observed["instance"]["differs"] or are_due(observed, args)


def sentinel_is_due(observed, args):
    """Whether a run has something to do for a Sentinel; a machine with an instance gets its packages with that."""
    lacks = wanted(args["packages"], observed["facts"]["packages"], args["apt"]["version"])
    return observed["sentinel"]["differs"] or bool(lacks)
