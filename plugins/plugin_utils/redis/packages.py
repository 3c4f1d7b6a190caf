"""What apt is to do on a machine, by what the inventory says and what the machine has. Pure."""

import re

from ansible.module_utils.parsing.convert_bool import boolean

SERVER = ["redis-server", "redis-tools", "python3-redis"]
SENTINEL = ["redis-sentinel", "redis-tools", "python3-redis"]


def wanted(names, installed, version):
    """Return what apt is to install: missing packages, and those of the server whose version is not the pinned one."""
    pinned = re.compile(rf"\d+:{re.escape(version)}(\D|$)" if version else "")
    return [
        name
        for name in names
        if name not in installed or (name.startswith("redis-") and not pinned.match(installed[name]["version"]))
    ]


def differ(instance, facts, names, options):
    """Whether packages, their source or their hold may differ; where the inventory names a source, apt is asked."""
    version = str(instance.get("redis_version", options) or "")
    hold = boolean(instance.get("redis_package_hold", options), strict=False)
    has_source = instance.get("redis_package_source", options) != "distribution"
    held = [name for name, each in facts["packages"].items() if name.startswith("redis-") and each["hold"] != hold]
    return bool(wanted(names, facts["packages"], version) or held or has_source or version or facts["files"])
