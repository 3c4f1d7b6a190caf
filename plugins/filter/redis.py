"""Filters of the redis role."""

import re

from ansible_collections.cistern.core.plugins.plugin_utils import redis_directives, redis_schema


def redis_lines(directives):
    """Return the lines of redis.conf for settings as the inventory spells them."""
    return redis_directives.to_lines(directives, redis_schema.load())


def redis_wanted_packages(names, installed, version):
    """Return what apt is to install: missing packages, and those of the server whose version is not the pinned one."""
    pinned = re.compile(rf"\d+:{re.escape(version)}(\D|$)" if version else "")
    return [
        name
        for name in names
        if name not in installed or (name.startswith("redis-") and not pinned.match(installed[name]["version"]))
    ]


class FilterModule:
    def filters(self):
        return {"redis_lines": redis_lines, "redis_wanted_packages": redis_wanted_packages}
