"""Which hosts a run of redis.yml goes on with."""

import pytest
from ansible_collections.cistern.core.plugins.filter.redis import NOBODY, redis_due, redis_health_stated
from ansible_collections.cistern.core.plugins.plugin_utils.redis.due import due
from ansible_collections.cistern.core.plugins.plugin_utils.redis.instance import Instance

WELL = {"facts": {}, "due": {"instance": False, "sentinel": False}}
# a and b are replicated and watched by a and w; c shares the machine of b; d is alone
HOSTS = {"a": ("cache", 1), "b": ("cache", 2), "c": ("sessions", 2), "d": ("queue", 3)}
WATCHED = {"cache": {"sentinels": [{"host": "a"}, {"host": "w"}]}, "sessions": {"sentinels": []}}


def instance(name, deployment, number):
    values = {"redis_deployment": deployment}
    return Instance(name=name, machine=(f"192.0.2.{number}", 22), values=values, origins={}, broken={}, baseline={})


def found(observed=None):
    """Return what goes on; `observed` is laid over machines that are as they should be."""
    instances = [instance(name, *said) for name, said in HOSTS.items()]
    everyone = dict.fromkeys((*HOSTS, "w"), WELL) | (observed or {})
    return due(instances, WATCHED, everyone)


def test_where_nothing_differs_nobody_goes_on():
    assert found() == {"instances": [], "sentinels": [], "reached": ["a", "b", "c", "d", "w"]}


def other(**due):
    return {"facts": {}, "due": {**WELL["due"], **due}}


@pytest.mark.parametrize(
    ("observed", "instances", "sentinels"),
    [
        # its deployment, the machine of one of it, and those that watch it
        ({"a": other(instance=True)}, ["a", "b", "c"], ["a", "w"]),
        ({"d": other(instance=True)}, ["d"], []),
        ({"w": other(sentinel=True)}, [], ["w"]),
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


def test_where_site_has_asked_all_machines_and_redis_is_as_it_should_be_nobody_goes_on():
    assert redis_due(HostVars(a={"__observed": {"facts": {}}}), ["instances"], ["redis"]) == NOBODY


def test_a_run_that_is_limited_goes_on_with_its_own_hosts():
    """Who is watched by whom does not depend on a group of the inventory: Sentinels may be the instances' own hosts."""
    limited = [instance("a", *HOSTS["a"])]
    told = due(limited, WATCHED, {"a": other(instance=True)})
    assert told == {"instances": ["a"], "sentinels": ["a"], "reached": ["a"]}


@pytest.mark.parametrize(
    ("verdicts", "stated"),
    [
        ([], False),
        ([{"due": {}}], False),
        ([{"health": []}], True),
        ([{"health": ["something"]}], True),
        ([{"health": []}, {"due": {}}], False),
    ],
)
def test_a_run_that_goes_on_with_nobody_has_stated_what_is_not_whole(verdicts, stated):
    hosts = {f"redis{number}": {"__redis_due": verdict} for number, verdict in enumerate(verdicts)}
    assert redis_health_stated({"watch1": {}, **hosts}) is stated
