"""What the check says of an inventory: each file of cases/redis/inventory is one case.

`hosts` gives each instance its variables, its `machine` and, when it was observed, `facts`; `common` are variables of
all of them, `sentinel_hosts` the hosts of the group redis_sentinel, those that are no instance with their variables.
`errors` and `warnings` are the sentences, in order.
"""

import re
from pathlib import Path

import pytest
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from ansible_collections.cistern.core.plugins.plugin_utils.redis import deployments as redis_deployments
from ansible_collections.cistern.core.plugins.plugin_utils.redis import instance as redis_instance
from ansible_collections.cistern.core.plugins.plugin_utils.redis import inventory as redis_inventory
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema
from case_files import Cases

HOST = ("says", "machine", "origins", "broken", "facts")
CASES = Cases("redis/inventory", "common", "errors", "warnings", hosts=HOST, sentinel_hosts=HOST)
ROOT = Path(__file__).resolve().parents[3]
DERIVED = role_files.derived("redis")
USUAL = {"redis_deployment": "cache", "redis_password": "long enough for all"}
FACTS = {"memory_mb": 4096, "container": False, "packages": {}, "offered": ""}


def instances(case, hosts="hosts", usual=USUAL):
    found = []
    for name, host in (case.get(hosts) or {}).items():
        host = host or {}
        values = {**usual, **case.get("common", {}), **host.get("says", {})}
        found.append(
            redis_instance.Instance(
                name=name,
                machine=(host.get("machine", name), 22),
                values={variable: value for variable, value in values.items() if value != "absent"},
                origins=dict.fromkeys(host.get("origins", []), "hosts.yml:1"),
                broken=host.get("broken", {}),
                **redis_schema.baselines(),
                facts={**FACTS, **host["facts"]} if "facts" in host else None,
            )
        )
    return found


def test_there_are_cases():
    assert len(CASES) >= 15


@CASES.each
def test_check(path):
    case = CASES.read(path)
    found = instances(case)
    known = {instance.name: instance for instance in found}
    others = instances(case, "sentinel_hosts", {"redis_password": USUAL["redis_password"]})
    sentinel_hosts = [known.get(sentinel_host.name, sentinel_host) for sentinel_host in others]
    errors, warnings = redis_inventory.check(found, redis_schema.options(), redis_schema.load(), sentinel_hosts)
    assert errors == case.get("errors", [])
    assert warnings == case.get("warnings", [])


def test_one_instance_acts_for_its_machine():
    case = {
        "hosts": {
            "a": {"machine": "m"},
            "b": {"machine": "m", "says": {"redis_instance": "two", "redis_config": {"tcp-backlog": 9000}}},
            "c": {"says": {"redis_instance": "three"}},
        }
    }
    declared = redis_inventory.machines(instances(case), ["a", "b", "c"])
    assert {name: entry["is_owner"] for name, entry in declared.items()} == {"a": True, "b": False, "c": True}
    assert {name: entry["unnamed"] for name, entry in declared.items()} == {"a": True, "b": True, "c": False}
    assert {name: entry["tcp_backlog"] for name, entry in declared.items()} == {"a": 9000, "b": 9000, "c": 511}
    # with --limit b, it acts, and the neighbour still counts
    declared = redis_inventory.machines(instances(case), ["b"])
    assert {name: entry["is_owner"] for name, entry in declared.items()} == {"a": False, "b": True, "c": False}
    assert declared["b"]["unnamed"] is True


def deployments(case):
    known = {instance.name: instance for instance in instances(case)}
    sentinel_hosts = [known.get(each.name, each) for each in instances(case, "sentinel_hosts", {})]
    return redis_deployments.deployments(list(known.values()), sentinel_hosts, redis_schema.options())


SENTINEL = {"redis_mode": "sentinel"}
THREE = {name: {"machine": f"10.0.0.{number}"} for number, name in enumerate(("a", "b", "c"), start=1)}


def test_a_deployment_has_its_sentinels_on_its_own_machines():
    declared = deployments({"common": SENTINEL, "hosts": THREE})
    assert declared["cache"]["quorum"] == 2 and declared["cache"]["initial"] == "10.0.0.1 6379"
    assert [each["endpoint"] for each in declared["cache"]["sentinels"]] == [f"10.0.0.{n} 26379" for n in (1, 2, 3)]


def test_one_sentinel_of_a_machine_watches_all_deployments_there():
    other = {"redis_deployment": "sessions", "redis_instance": "sessions", "redis_port": 6380}
    hosts = {**THREE, **{f"{name}2": {**host, "says": other} for name, host in THREE.items()}}
    declared = deployments({"common": SENTINEL, "hosts": hosts})
    assert redis_deployments.sentinels(declared) == {
        name: {"address": f"10.0.0.{n}", "port": 26379, "deployments": ["cache", "sessions"]}
        for n, name in enumerate("abc", start=1)
    }


def test_hosts_of_the_group_watch_what_is_on_them_or_all():
    hosts = {**THREE, "d": {"machine": "10.0.0.4", "says": {"redis_deployment": "other"}}}
    sentinel_hosts = {"a": None, "arbiter": {"machine": "10.0.0.9"}}
    declared = deployments({"common": SENTINEL, "hosts": hosts, "sentinel_hosts": sentinel_hosts})
    assert [each["host"] for each in declared["cache"]["sentinels"]] == ["a", "arbiter"]
    assert [each["host"] for each in declared["other"]["sentinels"]] == ["arbiter"]


def split(name, **more):
    common = {**more, "redis_mode": "sentinel", "redis_deployment": "cache", "redis_password": "long enough for all"}
    alone = {"machine": "10.0.0.4", "says": {"redis_mode": "standalone", "redis_deployment": "other"}}
    found = instances({"common": common, "hosts": {**THREE, "d": alone}})
    return redis_deployments.split_removed(found, [], name, redis_schema.options())


def test_a_host_leaves_and_the_rest_of_its_deployment_stays():
    stays, leaves = split("a")
    assert [each.name for each in stays["instances"]] == ["b", "c", "d"]
    assert stays["deployments"]["cache"]["initial_primary"] == "b"
    assert {host: each["deployment"] for host, each in leaves["instances"].items()} == {"a": "cache"}
    assert leaves["sentinels"] == ["a"]


@pytest.mark.parametrize(("initial", "then"), [("a", "b"), ("c", "c")])
def test_the_initial_primary_is_another_only_where_it_leaves(initial, then):
    stays, _leaves = split("a", redis_initial_primary=initial)
    assert stays["deployments"]["cache"]["initial_primary"] == then


def test_a_deployment_leaves_as_a_whole():
    stays, leaves = split("cache")
    assert list(stays["deployments"]) == ["other"]
    assert set(leaves["instances"]) == {"a", "b", "c"} == set(leaves["sentinels"])


def test_where_nothing_is_named_nothing_leaves():
    stays, leaves = split(None)
    assert [each.name for each in stays["instances"]] == ["a", "b", "c", "d"]
    assert stays["deployments"]["cache"]["initial_primary"] == "a"
    assert leaves == {"instances": {}, "sentinels": []}


def split_of_two(name, sentinel_hosts):
    """A deployment on a, b and c, another on a and d, watched by hosts of the group redis_sentinel."""
    common = {"redis_mode": "sentinel", "redis_password": "long.enough.for.all"}
    other = {"redis_deployment": "other", "redis_instance": "other", "redis_port": 6380}
    hosts = {**THREE, "a2": {"machine": "10.0.0.1", "says": other}, "d": {"machine": "10.0.0.4", "says": other}}
    case = {"common": common, "hosts": hosts, "sentinel_hosts": sentinel_hosts}
    found = instances(case)
    known = {each.name: each for each in found}
    watchers = [known.get(each.name, each) for each in instances(case, "sentinel_hosts", {})]
    return redis_deployments.split_removed(found, watchers, name, redis_schema.options())


def test_a_watcher_that_leaves_watches_nothing_any_more():
    watchers = {"a": None, "b": None, "w": {"machine": "10.0.0.9"}}
    stays, leaves = split_of_two("b", watchers)
    assert [each.name for each in stays["sentinel_hosts"]] == ["a", "w"] and leaves["sentinels"] == ["b"]
    assert [each["host"] for each in stays["deployments"]["cache"]["sentinels"]] == ["a", "w"]
    assert leaves["instances"]["b"]["endpoint"] == "10.0.0.2 6379"
    stays, leaves = split_of_two("w", watchers)
    assert leaves == {"instances": {}, "sentinels": ["w"]} and len(stays["instances"]) == 5


def test_hosts_of_a_deployment_that_leaves_watch_others_all_the_same():
    of_one = {"machine": "10.0.0.9", "says": {"redis_sentinel_deployments": ["cache"]}}
    stays, leaves = split_of_two("cache", {"a": None, "w": of_one})
    assert [each.name for each in stays["sentinel_hosts"]] == ["a", "w"]
    assert [each["host"] for each in stays["deployments"]["other"]["sentinels"]] == ["a"]
    assert leaves["sentinels"] == ["w"] and set(leaves["instances"]) == {"a", "b", "c"}


def test_a_sentinel_stays_on_a_machine_where_another_deployment_needs_it():
    stays, leaves = split_of_two("a", {})
    assert [each["host"] for each in stays["deployments"]["other"]["sentinels"]] == ["a2", "d"]
    assert leaves["sentinels"] == [] and list(leaves["instances"]) == ["a"]


def test_one_host_of_each_machine_has_its_sentinel():
    alone = {"redis_deployment": "alone", "redis_instance": "alone", "redis_mode": "standalone"}
    second = {"machine": "10.0.0.1", "says": {"redis_instance": "second", "redis_port": 6380}}
    declared = deployments(
        {"common": SENTINEL, "hosts": {"x": {"machine": "10.0.0.1", "says": alone}, **THREE, "a2": second}}
    )
    assert [each["host"] for each in declared["cache"]["sentinels"]] == ["a", "b", "c"]
    assert declared["alone"]["sentinels"] == [] and declared["alone"]["quorum"] == 0
    assert list(redis_deployments.replicated(declared)) == ["cache"]


def test_what_is_announced_is_where_the_others_reach_it():
    announced = {"redis_announce_port": 16379, "redis_sentinel_announce_port": 36379, "redis_sentinel_quorum": 3}
    more = {"b": {"machine": "10.0.0.2", "says": {"redis_address": "Redis2.Example.COM.", "redis_port": "6380"}}}
    declared = deployments({"common": SENTINEL, "hosts": {**THREE, **more}})["cache"]
    assert [each["endpoint"] for each in declared["nodes"]][1] == "redis2.example.com 6380"
    declared = deployments({"common": {**SENTINEL, **announced}, "hosts": {**THREE, **more}})["cache"]
    assert [each["port"] for each in declared["nodes"]] == [16379, 16379, 16379]
    assert [each["port"] for each in declared["sentinels"]] == [36379, 36379, 36379]
    assert declared["quorum"] == 3


def test_the_initial_primary_is_the_first_host_or_the_one_that_is_named():
    declared = deployments({"common": {**SENTINEL, "redis_initial_primary": "c"}, "hosts": THREE})["cache"]
    assert (declared["initial_primary"], declared["initial"]) == ("c", "10.0.0.3 6379")
    declared = deployments({"common": {**SENTINEL, "redis_initial_primary": "z"}, "hosts": THREE})["cache"]
    assert (declared["initial_primary"], declared["initial"]) == ("z", None)


def test_a_host_without_a_deployment_makes_none_up():
    declared = deployments({"common": {}, "hosts": {**THREE, "d": {"says": {"redis_deployment": 5}}}})
    assert list(declared) == ["cache"]


@pytest.mark.parametrize(
    ("value", "hosts", "among", "found"),
    [
        ("cache", False, None, []),
        ("a", True, None, []),
        ("a", False, None, ["there is none called a; write a deployment, such as -e target=cache (cache, single)"]),
        (
            "single",
            False,
            ["sentinel"],
            ["there is none called single; write a deployment, such as -e target=cache (cache)"],
        ),
        ("", False, None, ["is missing; write a deployment, such as -e target=cache (cache, single)"]),
        (
            "z",
            True,
            None,
            [
                "there is none called z; write a deployment or a host of one, such as -e target=cache "
                "(cache, single, a, b, c, d)"
            ],
        ),
    ],
)
def test_the_name_that_a_verb_is_given(value, hosts, among, found):
    single = {"machine": "10.0.0.4", "says": {"redis_mode": "standalone", "redis_deployment": "single"}}
    declared = deployments({"common": SENTINEL, "hosts": {**THREE, "d": single}})
    said = redis_deployments.validate_target("target", value, declared, hosts=hosts, modes=among)
    assert list(said) == [f"target: {text}" for text in found]
    assert list(redis_deployments.validate_target("target", "a", {})) == [
        "target: there is none called a; write a deployment, such as -e target=cache ()"
    ]


@pytest.mark.parametrize("page", ["redis-deployments", "reliability"])
def test_pages_say_when_a_primary_that_is_cut_off_refuses_writes(page):
    baseline, text = DERIVED["__redis_mode_baseline"]["sentinel"], (ROOT / f"docs/{page}.md").read_text("utf-8")
    [(replicas, lag)] = re.findall(r"`min-replicas-to-write: (\d+)` and `min-replicas-max-lag: (\d+)`", text)
    assert (int(replicas), int(lag)) == (baseline["min-replicas-to-write"], baseline["min-replicas-max-lag"])
