"""Which hosts a run of redis.yml goes on with."""

import pytest
from ansible_collections.cistern.core.plugins.filter.redis import NOBODY, redis_due
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema
from ansible_collections.cistern.core.plugins.plugin_utils.redis.due import due
from ansible_collections.cistern.core.plugins.plugin_utils.redis.instance import Instance

PACKAGES = {
    name: {"version": "5:7.0.15-1", "hold": False}
    for name in ("redis-server", "redis-tools", "python3-redis", "redis-sentinel")
}
WELL = {"facts": {"packages": PACKAGES, "files": []}, "instance": {"differs": False}, "sentinel": {"differs": False}}
# a and b are replicated and watched by a and w; c shares the machine of b; d is alone
HOSTS = {"a": ("cache", 1), "b": ("cache", 2), "c": ("sessions", 2), "d": ("queue", 3)}
WATCHED = {"cache": {"sentinels": [{"host": "a"}, {"host": "w"}]}, "sessions": {"sentinels": []}}


def instance(name, deployment, number, **values):
    values = {"redis_deployment": deployment, **values}
    return Instance(name=name, machine=(f"192.0.2.{number}", 22), values=values, origins={}, broken={}, baseline={})


def found(observed=None, **values):
    """Return what goes on; `observed` is laid over machines that are as they should be, `values` over each host."""
    instances = [instance(name, *said, **values.get(name, {})) for name, said in HOSTS.items()]
    watchers = [instances[0], instance("w", None, 9)]
    everyone = {name: WELL for name in (*HOSTS, "w")} | (observed or {})
    return due(instances, watchers, WATCHED, everyone, schema.options())


def test_where_nothing_differs_nobody_goes_on():
    assert found() == {"instances": [], "sentinels": [], "reached": ["a", "b", "c", "d", "w"]}


def other(**parts):
    return {**WELL, **parts}


@pytest.mark.parametrize(
    ("observed", "instances", "sentinels"),
    [
        # its deployment, the machine of one of it, and those that watch it
        ({"a": other(instance={"differs": True})}, ["a", "b", "c"], ["a", "w"]),
        ({"d": other(instance={"differs": True})}, ["d"], []),
        ({"w": other(sentinel={"differs": True})}, [], ["w"]),
        ({"d": other(facts={"packages": PACKAGES, "files": ["/etc/x"]})}, ["d"], []),
        ({"w": other(facts={"packages": {}, "files": []})}, [], ["w"]),
        # out of reach, or failed: what it lacks is told where it goes on
        ({"d": None}, ["d"], []),
        ({"d": {"unreachable": True}}, ["d"], []),
    ],
)
def test_who_goes_on(observed, instances, sentinels):
    told = found(observed)
    assert (told["instances"], told["sentinels"]) == (instances, sentinels)


def test_a_host_that_told_nothing_was_not_reached():
    assert found({"d": {"unreachable": True}, "a": None})["reached"] == ["b", "c", "w"]


@pytest.mark.parametrize(
    "says",
    [
        {"redis_version": "7.2"},
        {"redis_version": "7.0.15"},  # the pin itself has to be compared
        {"redis_package_hold": True},
        {"redis_package_hold": "true"},
        {"redis_package_source": "redis.io"},
    ],
)
def test_packages_that_may_differ_count(says):
    assert found(d=says)["instances"] == ["d"]


class HostVars(dict):
    raw_get = dict.get


@pytest.mark.parametrize(
    ("told", "kinds", "pattern"),
    [
        ({"instances": ["a", "b"], "sentinels": []}, ["instances"], "a,b"),
        ({"instances": ["a", "b"], "sentinels": ["b", "w"]}, ["sentinels", "instances"], "b,w,a"),
        ({"instances": ["a"], "sentinels": []}, ["sentinels", "instances"], NOBODY),
        ({"instances": [], "sentinels": []}, ["instances"], NOBODY),
    ],
)
def test_the_pattern_of_a_play(told, kinds, pattern):
    assert redis_due(HostVars(x={}, a={"__redis_due": {"due": told}}), kinds, ["redis"]) == pattern


def test_before_anything_is_observed_groups_are_the_pattern():
    assert redis_due({}, ["instances"], ["redis", "redis_sentinel"]) == "redis:redis_sentinel"
    assert redis_due({}, ["instances"], []) == NOBODY
