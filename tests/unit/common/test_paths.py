"""A path as the file system of a host sees it."""

import pytest
from ansible_collections.cistern.core.plugins.plugin_utils.common.paths import normal


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/var/lib/redis", "/var/lib/redis"),
        ("/var//lib/./redis/", "/var/lib/redis"),
        ("//var/lib/../log", "/var/log"),
        # no path of a host, which is told elsewhere
        ("var/lib/../log", "var/lib/../log"),
        ("", ""),
    ],
)
def test_one_place_has_one_path(path, seen):
    assert normal(path) == seen


def test_a_link_is_where_it_leads():
    real = {"/var/run": "/run", "/var/lock": "/run/lock"}
    assert [normal(path, real) for path in ("/var/run/", "/var/lock", "/var/log")] == ["/run", "/run/lock", "/var/log"]
