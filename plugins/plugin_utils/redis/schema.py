"""The schema of the server's directives, data/directives.yml, as the controller's plugins need it."""

import functools
import pathlib

from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis_directives

SERIES = tuple(text for text in redis_directives.COVERED if "valkey" not in text)
DATA = pathlib.Path(__file__).parent / "data/directives.yml"


@functools.cache
def load():
    """Return {directive: {type, default, live, since, until, ...}}."""
    return role_files.load(DATA)["__redis_directives"]


def options():
    """Return the role's variables."""
    return role_files.options("redis")


def baselines():
    """Return the baseline of every instance, and {mode: what is laid over it there}, as Instance takes them."""
    derived = role_files.derived("redis")
    return {"baseline": derived["__redis_baseline"], "mode_baseline": derived["__redis_mode_baseline"]}


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


# Ansible imports an action before it forks the workers that run it: what is read here, none of them reads anew.
immutable(), options(), baselines()
