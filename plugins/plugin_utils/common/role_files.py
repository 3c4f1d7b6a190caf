"""The files of a role that say what it takes, as the controller's plugins need them."""

import functools
import pathlib

import yaml

ROLES = pathlib.Path(__file__).resolve().parents[3] / "roles"


def read(role, path):
    """Return what a file of a role says."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((ROLES / role / path).read_text(encoding="utf-8"), Loader=loader)


@functools.cache
def options(role):
    """Return its variables as in meta/argument_specs.yml; those of a verb are required by its playbook alone."""
    specs = read(role, "meta/argument_specs.yml")["argument_specs"]
    verbs = [spec["options"] for name, spec in specs.items() if name != "main"]
    optional = {name: {**option, "required": False} for verb in verbs for name, option in verb.items()}
    return {**optional, **specs["main"]["options"]}
