"""What the citus role knows of its variables and settings, as the controller's plugins need it."""

import functools
import pathlib

from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files

# PostgreSQL that a Citus takes (its configure.ac): by series, or else by major version.
TAKES = {"12.1": range(14, 17), "12": range(14, 16), "13": range(15, 18), "14": range(16, 19)}


def options():
    """Return the role's variables."""
    return role_files.options("citus")


DATA = pathlib.Path(__file__).parent / "data/settings.yml"


@functools.cache
def settings():
    """Return {name: {since, until}} of the settings of Citus."""
    return role_files.load(DATA)["__citus_settings"]


def series(version):
    """Return the series of a version, 13.2 of 13.2.1."""
    return ".".join(version.split(".")[:2])


def takes(version):
    """Return the major versions of PostgreSQL that a Citus takes, None where that is not known."""
    found = TAKES.get(series(version)) or TAKES.get(version.split(".")[0])
    return [str(major) for major in found] if found else None


# as in redis/schema.py: before the workers are forked
options(), settings()
