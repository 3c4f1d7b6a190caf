"""The files of a role that say what it takes, as the controller's plugins need them."""

import functools
import pathlib

import yaml

ROLES = pathlib.Path(__file__).resolve().parents[3] / "roles"


def load(path):
    """Return what a file of YAML says."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(pathlib.Path(path).read_text(encoding="utf-8"), Loader=loader)


def read(role, path):
    """Return what a file of a role says."""
    return load(ROLES / role / path)


def vars_files(role):
    """Return the files of what a role derives from its variables: vars/main.yml, or all of the folder vars/main."""
    return sorted((ROLES / role / "vars").glob("main.yml")) or sorted((ROLES / role / "vars/main").glob("*.yml"))


@functools.cache
def derived(role):
    """Return what a role derives from its variables, as it is written: expressions are not evaluated."""
    return {name: value for path in vars_files(role) for name, value in load(path).items()}


@functools.cache
def options(role):
    """Return its variables as in meta/argument_specs.yml; those of a verb are required by its playbook alone."""
    specs = read(role, "meta/argument_specs.yml")["argument_specs"]
    verbs = [spec["options"] for name, spec in specs.items() if name != "main"]
    optional = {name: {**option, "required": False} for verb in verbs for name, option in verb.items()}
    return {**optional, **specs["main"]["options"]}
