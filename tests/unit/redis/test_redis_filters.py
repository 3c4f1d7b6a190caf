"""What apt is asked to install, and which directives a series takes only at its start."""

import pytest
from ansible_collections.cistern.core.plugins.filter.redis import redis_users
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.observe import immutable
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema
from ansible_collections.cistern.core.plugins.plugin_utils.redis.packages import wanted as redis_wanted_packages

NAMES = ["redis-server", "python3-redis"]


@pytest.mark.parametrize(
    "installed, version, wanted",
    [
        ({}, "", NAMES),
        ({"redis-server": "5:7.0.15-1", "python3-redis": "4.3.4-3"}, "", []),
        ({"redis-server": "5:7.0.15-1", "python3-redis": "4.3.4-3"}, "7.0", []),
        ({"redis-server": "5:7.0.15-1", "python3-redis": "4.3.4-3"}, "7.0.15", []),
        ({"redis-server": "5:7.0.15-1", "python3-redis": "4.3.4-3"}, "7.0.1", ["redis-server"]),
        ({"redis-server": "5:7.0.15-1", "python3-redis": "4.3.4-3"}, "7.2", ["redis-server"]),
        ({"redis-server": "5:7.0.15-1"}, "", ["python3-redis"]),
    ],
)
def test_only_what_is_missing_or_not_the_pinned_version_is_installed(installed, version, wanted):
    packages = {name: {"version": text, "hold": False} for name, text in installed.items()}
    assert redis_wanted_packages(NAMES, packages, version) == wanted


def test_each_series_has_its_own_list():
    by_series = redis_schema.immutable()
    assert "port" in by_series["6.0"] and "port" not in by_series["6.2"]
    assert "dir" in by_series["7.0"] and "dir" not in by_series["6.2"]
    assert all("databases" in names and "maxmemory" not in names for names in by_series.values())


@pytest.mark.parametrize("version, series", [("7.0.15", "7.0"), ("7.3.0", "7.2"), ("9.1.0", "8.0"), ("", None)])
def test_a_version_between_two_series_is_taken_for_the_older(version, series):
    assert immutable({"7.0": ["7.0"], "7.2": ["7.2"], "8.0": ["8.0"]}, version) == ([series] if series else [])


def test_programs_are_users_where_they_are_wanted():
    programs = {
        "cistern-a": {"wanted": True, "rules": "+ping", "sentinel_rules": "+info"},
        "cistern-b": {"wanted": False, "rules": "+get"},
        "cistern-c": {"wanted": True, "rules": "+get ~*"},
    }
    a = {"name": "cistern-a", "rules": "+ping", "path": "/etc/cistern/cistern-a.password"}
    assert redis_users(programs, "rules") == [
        a,
        {"name": "cistern-c", "rules": "+get ~*", "path": "/etc/cistern/cistern-c.password"},
    ]
    assert redis_users(programs, "sentinel_rules") == [{**a, "rules": "+info"}]
    programs["cistern-a"]["sentinel_rules"] = ""
    assert redis_users(programs, "sentinel_rules") == []
