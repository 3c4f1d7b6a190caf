"""The schema of the server's directives, roles/redis/vars/directives.yml, as the controller's plugins need it."""

import functools
import pathlib

import yaml
from ansible_collections.cistern.core.plugins.plugin_utils import redis_directives

SERIES = ("6.0", "6.2", "7.0", "7.2", "7.4", "8.0")
ROLE = pathlib.Path(__file__).resolve().parents[2] / "roles" / "redis"


@functools.cache
def load():
    """Return {directive: {type, default, live, since, until, ...}}."""
    return _read("vars/directives.yml")["__redis_directives"]


@functools.cache
def options():
    """Return the role's variables as in meta/argument_specs.yml; those of a verb are required by its playbook alone."""
    specs = _read("meta/argument_specs.yml")["argument_specs"]
    verbs = [spec["options"] for name, spec in specs.items() if name != "main"]
    optional = {name: {**option, "required": False} for verb in verbs for name, option in verb.items()}
    return {**optional, **specs["main"]["options"]}


def _read(path):
    return yaml.load((ROLE / path).read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


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
