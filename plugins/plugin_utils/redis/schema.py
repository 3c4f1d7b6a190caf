"""The schema of the server's directives, roles/redis/vars/directives.yml, as the controller's plugins need it."""

import functools

from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis_directives

SERIES = ("6.0", "6.2", "7.0", "7.2", "7.4", "8.0")
ROLE = role_files.ROLES / "redis"


@functools.cache
def load():
    """Return {directive: {type, default, live, since, until, ...}}."""
    return role_files.read("redis", "vars/directives.yml")["__redis_directives"]


def options():
    """Return the role's variables."""
    return role_files.options("redis")


@functools.cache
def immutable():
    """Return {series: directives that this series takes only at its start}."""
    schema = load()
    return {
        series: [name for name in schema if not redis_directives.is_live(name, schema, series)] for series in SERIES
    }


def aliases():
    """Return {other name: present name}."""
    return {name: rule["alias"] for name, rule in load().items() if "alias" in rule}
