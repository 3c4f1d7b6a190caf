"""What the parts of an .env have in common: how a variable is read, and how a wrong one is told."""

from ansible.errors import AnsibleError
from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import Endpoint
from ansible_collections.cistern.core.plugins.plugin_utils.app_env import dotenv as env
from ansible_collections.cistern.core.plugins.plugin_utils.common.origin import origin
from jinja2 import TemplateError, Undefined

# What a variable raises that refers to nothing.
BROKEN = (AnsibleError, TemplateError)


class Wrong(ValueError):
    """One or more sentences for the operator, in `args`."""


def read(hostvars, host, name, default=None):
    try:
        value = hostvars[host].get(name)
        # one that refers to nothing says so when it is used
        value = str(value) if isinstance(value, Undefined) else value
    except BROKEN as error:
        raise Wrong(f"{name} of {host}: {cannot(error)}") from error
    return default if value is None else value


def cannot(error):
    return f"cannot be evaluated: {str(error).splitlines()[0]}"


def password(hostvars, end, name, default=None):
    value = read(hostvars, end["host"], name, default)
    problem = env.wrong_value(value)
    if problem:
        raise Wrong(f"{label_of(name, value)} of {end['host']}: {problem}")
    return value


def endpoint(end):
    return str(Endpoint(end["address"], end["port"]))


def label_of(name, *values):
    """Return the name of a variable, with file and line where they are known."""
    where = origin(*values)
    return f"{name} ({where})" if ":" in where else name
