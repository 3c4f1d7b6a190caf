"""What the citus role knows of its variables and settings, as the controller's plugins need it."""

import functools

import yaml
from ansible_collections.cistern.core.plugins.plugin_utils.inventory_host import ROLES

# PostgreSQL that a Citus takes (its configure.ac): by series, or else by major version.
TAKES = {"12.1": range(14, 17), "12": range(14, 16), "13": range(15, 18), "14": range(16, 19)}


@functools.cache
def options():
    """Return the role's variables as in meta/argument_specs.yml; those of a verb are required by its playbook alone."""
    specs = _read("meta/argument_specs.yml")["argument_specs"]
    verbs = [spec["options"] for name, spec in specs.items() if name != "main"]
    optional = {name: {**option, "required": False} for verb in verbs for name, option in verb.items()}
    return {**optional, **specs["main"]["options"]}


@functools.cache
def settings():
    """Return {name: {since, until}} of the settings of Citus."""
    return _read("vars/settings.yml")["__citus_settings"]


def series(version):
    """Return the series of a version, 13.2 of 13.2.1."""
    return ".".join(version.split(".")[:2])


def takes(version):
    """Return the major versions of PostgreSQL that a Citus takes, None where that is not known."""
    found = TAKES.get(series(version)) or TAKES.get(version.split(".")[0])
    return [str(major) for major in found] if found else None


def _read(path):
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((ROLES / "citus" / path).read_text(encoding="utf-8"), Loader=loader)
