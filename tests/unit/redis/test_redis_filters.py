"""What apt is asked to install, and which directives a series takes only at its start."""

import pytest
from ansible_collections.cistern.core.plugins.filter.redis import redis_batches, redis_lines, redis_mode, redis_users
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.observe import immutable
from ansible_collections.cistern.core.plugins.plugin_utils.redis import packages as redis_packages
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema

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
        ({"python3-redis": "4.3.4-3"}, "7.0", ["redis-server"]),
    ],
)
def test_only_what_is_missing_or_not_the_pinned_version_is_installed(installed, version, wanted):
    packages = {name: {"version": text, "hold": False} for name, text in installed.items()}
    assert redis_packages.wanted(NAMES, packages, version) == wanted


@pytest.mark.parametrize(
    "held, hold, wrong",
    [
        ([], False, []),
        (["redis-server"], False, ["redis-server"]),
        (["redis-server", "redis-tools"], True, []),
        (["redis-tools"], True, ["redis-server"]),
        # others are not ours to hold
        (["python3-redis"], False, []),
    ],
)
def test_packages_of_the_server_are_held_or_not(held, hold, wrong):
    names = ["redis-server", "redis-tools", "python3-redis"]
    installed = {name: {"version": "5:7.0.15-1", "hold": name in held} for name in names}
    assert redis_packages.wrongly_held(installed, hold) == wrong


WELL = {name: {"version": "5:7.0.15-1", "hold": False} for name in NAMES}
HELD = {**WELL, "redis-server": {"version": "5:7.0.15-1", "hold": True}}


@pytest.mark.parametrize(
    "packages, files, differs, instance, sentinel",
    [
        (WELL, [], False, False, False),
        ({"redis-server": WELL["redis-server"]}, [], False, True, True),
        # a machine with an instance has its packages held with that
        (HELD, [], False, True, False),
        (WELL, ["/etc/apt/sources.list.d/redis.sources"], False, True, False),
        (WELL, [], True, True, True),
    ],
)
def test_packages_and_settings_make_a_host_due(packages, files, differs, instance, sentinel):
    observed = {"facts": {"packages": packages, "differing_files": files}}
    observed |= dict.fromkeys(("instance", "sentinel"), {"differs": differs})
    args = {"packages": NAMES, "apt": {"version": "7.0", "hold": False}}
    assert redis_packages.instance_is_due(observed, args) is instance
    assert redis_packages.sentinel_is_due(observed, args) is sentinel


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


def of(deployment, configured=None, observed=None):
    instance = {"instance": {"role": observed} if observed else {}}
    return {
        "redis_deployment": deployment,
        "__redis_configured": {"role": configured} if configured else None,
        "__redis_observed": instance,
    }


def test_one_of_each_deployment_restarts_at_a_time_and_its_primary_last():
    hosts = {
        "a": of("cache", "primary", "replica"),
        "b": of("cache", None, "replica"),
        "c": of("cache", "replica", "primary"),
        "d": of("single"),
        # nobody has said what it is, so it is the last
        "e": of("other"),
        "f": of("other", "replica"),
    }
    assert redis_batches(list(hosts), hosts) == {"b": 0, "c": 1, "a": 2, "d": 0, "f": 0, "e": 1}


def test_lines_and_modes_are_those_of_the_collection():
    assert redis_lines({"save": [], "appendonly": True}) == ["appendonly yes", 'save ""']
    assert redis_mode("sentinel")["has_sentinels"] and not redis_mode("replication")["has_sentinels"]
