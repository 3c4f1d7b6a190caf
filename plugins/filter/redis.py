"""Filters of the redis role."""

import re

from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis_directives
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema


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


def redis_turns(hosts, hostvars):
    """Return {host: turn} for hosts that restart: in a turn one of each deployment, replicas first, a primary last."""
    waiting = {}
    for host in hosts:
        waiting.setdefault(hostvars[host]["redis_deployment"], []).append(host)
    turns = {}
    for members in waiting.values():
        ordered = sorted(members, key=lambda host: (_is_primary(hostvars[host]), host))
        turns.update({host: turn for turn, host in enumerate(ordered)})
    return turns


def _is_primary(variables):
    told = [variables.get(name) or {} for name in ("__redis_configured", "__redis_asked")]
    return next((result["role"] for result in told if "role" in result), "primary") == "primary"


def redis_users(programs, rules):
    """Return the users of a server for the programs of its machine; `rules` is the key of what they may do there."""
    return [
        {"name": name, "rules": each[rules], "path": f"/etc/cistern/{name}.password"}
        for name, each in programs.items()
        if each["wanted"] and each.get(rules)
    ]


class FilterModule:
    def filters(self):
        return {each.__name__: each for each in (redis_lines, redis_turns, redis_users, redis_wanted_packages)}
