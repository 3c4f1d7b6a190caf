"""What a report says: its advice by cases/cache/advice, its numbers, its page, and who is walked.

A case lays `instance`, `families` and `unknown` over a cache in which all is well; `advice` are the findings, the most
important first, `severity`, `title`, `evidence` and `do` are those of the first.
"""

import html.parser
import importlib
import json
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest
import redis
from ansible_collections.cistern.core.plugins.filter.cache_report import cache_nodes, cache_outline
from ansible_collections.cistern.core.plugins.filter.cache_warm import cache_package
from ansible_collections.cistern.core.plugins.module_utils.cache import client as connection
from ansible_collections.cistern.core.plugins.module_utils.cache import key_names as names
from ansible_collections.cistern.core.plugins.module_utils.cache.inspect import election, metrics, walk
from ansible_collections.cistern.core.plugins.module_utils.cache.inspect import server_facts as facts
from ansible_collections.cistern.core.plugins.module_utils.cache.inspect.key_stats import Tally
from ansible_collections.cistern.core.plugins.module_utils.cache.key_patterns import Families
from ansible_collections.cistern.core.plugins.plugin_utils.cache import deployments as cache_members
from ansible_collections.cistern.core.plugins.plugin_utils.cache import formatting as cache_said
from ansible_collections.cistern.core.plugins.plugin_utils.cache import report as cache_pages
from ansible_collections.cistern.core.plugins.plugin_utils.cache import report_html as cache_html
from ansible_collections.cistern.core.plugins.plugin_utils.cache.advice import advise
from case_files import Cases
from deep_merge import deep_merge

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "roles/cache/templates/cache_report.html.j2"
CASES = Cases("cache/advice", "instance", "families", "unknown", "advice", "severity", "title", "evidence", "do")
FAMILY = {"key": "user_profile:{user_id}", "type": "string", "ttl": 1800, "description": "Profiles"}
POLICY = {"deployment": "cache", "families": {"user_profile": FAMILY}}


def well():
    """A report in which nothing is wrong."""
    held = {"keys": 1000, "bytes": 100_000, "without_ttl": 0, "biggest": [{"key": "user_profile:1", "bytes": 100}]}
    family = {**held, **FAMILY, "samples": {}, "over_ttl": 0, "wrong_type": 0, "types": {"string": 1000}}
    unknown = {"keys": 0, "bytes": 0, "without_ttl": 0, "biggest": [], "samples": {}, "patterns": []}
    return {
        "instance": {
            "at": 1000,
            "version": "7.0.15",
            "role": "primary",
            "used_memory": 50,
            "maxmemory": 100,
            "rss": 60,
            "policy": "allkeys-lru",
            "fragmentation": 1.1,
            "clients_memory": 0,
            "clients": 20,
            "maxclients": 10000,
            "hits": 0,
            "misses": 0,
            "hit_rate": None,
            "evicted": 0,
            "expired": 0,
            "rejected": 0,
            "fork_usec": 0,
            "snapshots": "900 1",
            "snapshot_status": "ok",
            "aof": 0,
            "aof_status": "ok",
            "by_command": {},
            "interval": {
                "seconds": 10.0,
                "hits": 0,
                "misses": 0,
                "hit_rate": None,
                "evicted": 0,
                "expired": 0,
                "rejected": 0,
                "connections": 0,
                "commands": 0,
                "cpu_share": 0.1,
            },
            "slow_log": {"entries": 0, "newest": []},
            "latency": {"ping_usec": 80, "events": [], "threshold": 0, "doctor": ""},
        },
        "families": {"user_profile": {**family, "tenths": [100] * 10}},
        "unknown": unknown,
    }


def made(case):
    found = deep_merge(well(), {key: case[key] for key in ("instance", "families", "unknown") if key in case})
    parts = [*found["families"].values(), found["unknown"]]
    database = {name: sum(part[name] for part in parts) for name in ("keys", "bytes", "without_ttl")}
    database |= {"db": 0, "families": found["families"], "unknown": found["unknown"]}
    return {"databases": [database], "instances": {"redis1": found["instance"]}}


@CASES.each
def test_advice(path):
    case = CASES.read(path)
    found = advise(made(case))
    assert [finding["id"] for finding in found] == case["advice"]
    for key in ("severity", "title", "evidence", "do"):
        if key in case:
            assert found[0][key] == case[key]
    assert all(finding["evidence"] and finding["do"] and finding["title"] for finding in found)


MIB = 1 << 20
INTERVAL = {"seconds": 10.0, "hit_rate": 0.5}


@pytest.mark.parametrize(
    ("name", "below", "beyond"),
    [
        ("memory_near_limit", {"used_memory": 89}, {"used_memory": 90}),
        *[
            ("fragmentation", {**much, "fragmentation": ratio}, {"used_memory": 64 * MIB, "fragmentation": 1.51})
            for much, ratio in (({"used_memory": 64 * MIB}, 1.5), ({"used_memory": 64 * MIB - 1}, 1.51))
        ],
        ("swapped", {"used_memory": 64 * MIB, "fragmentation": 0.9}, {"used_memory": 64 * MIB, "fragmentation": 0.89}),
        *[
            ("slow", {what: {part: wrong}}, {what: {part: right}})
            for what, part, wrong, right in (
                (
                    "slow_log",
                    "newest",
                    [{"at": -2601, "usec": 20000, "command": "get a"}],
                    [{"at": -2600, "usec": 20000, "command": "get a"}],
                ),
                (
                    "latency",
                    "events",
                    [{"at": -2601, "event": "fork", "latest_ms": 9, "longest_ms": 9}],
                    [{"at": -2600, "event": "fork", "latest_ms": 9, "longest_ms": 9}],
                ),
                ("latency", "ping_usec", 1000, 1001),
                ("interval", "cpu_share", 0.8, 0.81),
            )
        ],
        *[
            ("misses", {"interval": {**INTERVAL, **wrong}}, {"interval": {**INTERVAL, "hits": 500, "misses": 500}})
            for wrong in ({"hits": 500, "misses": 499}, {"hits": 800, "misses": 200, "hit_rate": 0.8})
        ],
        ("misses", {"hits": 1, "misses": 998, "hit_rate": 0.1}, {"hits": 1, "misses": 999, "hit_rate": 0.1}),
        (
            "keys_command",
            {"by_command": {"keys": {"usec": 5, "calls": 0}}},
            {"by_command": {"keys": {"usec": 5, "calls": 1}}},
        ),
        *[
            ("flushes", {"by_command": {name: {"calls": 0}}}, {"by_command": {name: {"calls": 1}}})
            for name in ("flushdb", "flushall")
        ],
        *[
            (
                "invalidation",
                {"by_command": {drop: {"calls": 1000}, write: {"calls": 2000}}},
                {"by_command": {drop: {"calls": 1000}, write: {"calls": 1999}}},
            )
            for drop in ("del", "unlink")
            for write in ("set", "setex", "psetex")
        ],
        ("invalidation", {"by_command": {"del": {"calls": 999}}}, {"by_command": {"del": {"calls": 1000}}}),
        ("connections", {"clients": 8000}, {"clients": 8001}),
        ("connections", {"rejected": 0}, {"rejected": 1}),
        *[
            ("connections", {"interval": wrong}, {"interval": {"connections": 100, "commands": 999}})
            for wrong in ({"connections": 99, "commands": 0}, {"connections": 100, "commands": 1000})
        ],
        *[
            (
                "connections",
                {"used_memory": used, "clients_memory": held},
                {"used_memory": 50 * MIB, "maxmemory": 1 << 30, "clients_memory": 10 * MIB + 1},
            )
            for used, held in ((10, 10 * MIB), (51 * MIB, 10 * MIB + 1), (100 * MIB, 20 * MIB))
        ],
        ("persistence", {"fork_usec": 100_000}, {"fork_usec": 100_001}),
        ("persistence", {"fork_usec": 200_000, "snapshots": ""}, {"fork_usec": 200_000, "snapshots": "", "aof": 1}),
    ],
)
def test_a_finding_begins_at_its_limit(name, below, beyond):
    assert name not in [each["id"] for each in advise(made({"instance": below}))]
    assert name in [each["id"] for each in advise(made({"instance": beyond}))]


BIG = [{"key": "user_profile:1", "bytes": 100 << 10}]
GROWN = {"without_ttl": 1, "types": {"list": 1000}, "biggest": [{"key": "a", "bytes": MIB}]}


@pytest.mark.parametrize(
    ("name", "below", "beyond"),
    [
        ("ttl_missing", {"without_ttl": 10}, {"without_ttl": 11}),
        ("ttl_over", {"over_ttl": 10}, {"over_ttl": 11}),
        ("types", {"wrong_type": 0}, {"wrong_type": 1}),
        ("leak", {name: GROWN[name] for name in ("without_ttl", "biggest")}, GROWN),
        ("big_values", {"bytes": 10_239_999}, {"bytes": 10_240_000}),
        ("big_values", {"biggest": [{**BIG[0], "bytes": (100 << 10) - 1}]}, {"biggest": BIG}),
        *[
            ("leak", {**GROWN, **wrong}, GROWN)
            for wrong in ({"biggest": [{"key": "a", "bytes": MIB - 1}]}, {"without_ttl": 0})
        ],
    ],
)
def test_a_finding_of_keys_begins_at_its_limit(name, below, beyond):
    for change, found in ((below, False), (beyond, True)):
        report = made({"families": {"user_profile": change}})
        assert (name in [each["id"] for each in advise(report)]) == found


def test_keys_of_no_family_are_found_beyond_one_in_a_hundred():
    for keys, found in ((10, False), (11, True)):
        unknown = {"keys": keys, "bytes": 9, "biggest": [{"key": "x", "bytes": 9}]}
        report = made({"families": {"user_profile": {"keys": 1000 - keys}}, "unknown": unknown})
        assert ("unknown" in [each["id"] for each in advise(report)]) == found


def test_each_finding_has_a_case():
    summary = {name for case in CASES.read_all().values() for name in case["advice"]}
    text = "".join((ROOT / f"plugins/plugin_utils/cache/advice{part}.py").read_text("utf-8") for part in ("", "_keys"))
    made_of = set(re.findall(r"finding\(\s*\"(\w+)\"", text))
    assert len(made_of) >= 18
    assert made_of <= summary


# -- keys


def counted(*keys):
    tally = Tally(POLICY, Families(POLICY))
    tally.add(keys)
    return tally.summary()


def test_a_key_that_ends_now_has_a_time_to_live():
    family = counted((b"user_profile:1", 0, 100, "string"), (b"user_profile:2", -1, 100, "string"))["families"]
    assert family["user_profile"]["tenths"] == [1, *[0] * 9] and family["user_profile"]["without_ttl"] == 1
    assert family["user_profile"]["samples"]["without_ttl"] == ["user_profile:2"]


def test_keys_are_held_against_the_policy():
    found = counted(
        (b"user_profile:1", 1_800_000, 100, "string"),
        (b"user_profile:2", 1, 100, "string"),
        (b"user_profile:3", 1_801_000, 100, "string"),
        (b"user_profile:4", 1_801_001, 100, "string"),
        (b"user_profile:5", -1, 700, "hash"),
        (b"user_profile:5:x", -1, 50, "string"),
    )
    family = found["families"]["user_profile"]
    assert (family["keys"], family["over_ttl"], family["without_ttl"], family["wrong_type"]) == (5, 1, 1, 1)
    assert family["tenths"] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert family["biggest"][0] == {"key": "user_profile:5", "bytes": 700}
    assert family["samples"] == {
        "over_ttl": ["user_profile:4"],
        "wrong_type": ["user_profile:5"],
        "without_ttl": ["user_profile:5"],
    }
    assert found["unknown"]["patterns"][0]["pattern"] == "user_profile:<n>:x"
    assert found["keys"] == 6 and found["bytes"] == 1150


def test_the_biggest_five_keys_and_the_first_three_samples_are_kept():
    sizes = [10, 70, 30, 50, 20, 60, 40]
    keys = [(b"user_profile:%d" % size, -1, size, "string") for size in sizes]
    family = counted(*keys)["families"]["user_profile"]
    assert [each["bytes"] for each in family["biggest"]] == [70, 60, 50, 40, 30]
    assert family["samples"]["without_ttl"] == [f"user_profile:{size}" for size in sizes[:3]]
    assert (family["keys"], family["bytes"], family["without_ttl"]) == (7, 280, 7)


def test_twenty_patterns_of_no_family_are_told_the_most_frequent_first():
    letters = "abcdefghijklmnopqrstu"
    keys = [(f"{letter}:{number}".encode(), 5, 10, "string") for letter in letters for number in (1, 2)]
    found = counted(*keys, (b"u:3", 5, 10, "string"))["unknown"]
    patterns = found["patterns"]
    assert [each["pattern"] for each in patterns] == ["u:<n>", *[f"{letter}:<n>" for letter in letters[:19]]]
    assert patterns[0] == {"pattern": "u:<n>", "keys": 3, "bytes": 30, "example": "u:1"}


def test_a_family_of_any_type_has_no_wrong_one():
    policy = {"families": {"user_profile": {**FAMILY, "type": "any"}}}
    tally = Tally(policy, Families(policy))
    tally.add(
        [(b"user_profile:1", 1, 10, "string"), (b"user_profile:2", 1, 10, "hash"), (b"user_profile:3", 1, 1, "hash")]
    )
    family = tally.summary()["families"]["user_profile"]
    assert (family["wrong_type"], family["samples"], family["types"]) == (0, {}, {"string": 1, "hash": 2})


def test_patterns_without_end_do_not_fill_the_memory():
    tally = Tally(POLICY, Families(POLICY))
    letters = str.maketrans("0123456789", "abcdefghij")
    tally.add([(str(number).translate(letters).encode(), -1, 1, "string") for number in range(3000)])
    assert tally.summary()["unknown"]["keys"] == 3000 and len(tally._unknown.shapes) == 1000


@pytest.mark.parametrize(
    ("key", "shown", "shape"),
    [
        (b"a:12:b3", "a:12:b3", "a:<n>:b<n>"),
        ("größe:1".encode(), "größe:1", "größe:<n>"),
        (b"\xff\x00\n\x1b[31m", "\\xff\\x00\\x0a\\x1b[31m", "\\xff\\x00\\x0a\\x1b[<n>m"),
        ("a\u202eb".encode(), "a\\u202eb", "a\\u202eb"),
        (b"s:0123456789abcdef0", "s:0123456789abcdef0", "s:<hex>"),
        (b"s:6ba7b810-9dad-11d1-80b4-00c04fd430c8", "s:6ba7b810-9dad-11d1-80b4-00c04fd430c8", "s:<uuid>"),
        (b"x" * 500, "x" * 120 + "...", "x" * 120 + "..."),
    ],
)
def test_keys_are_shown_as_one_line(key, shown, shape):
    assert names.shown(key) == shown and names.shape(key) == shape


# -- who is walked

NODES = [{"host": f"redis{number}", "address": f"192.0.2.{number}", "port": 6379} for number in (1, 2, 3)]
REPLICA = {"role": "slave", "master_link_status": "up", "master_host": "192.0.2.1", "master_port": 6379}
PRIMARY = {"role": "master"}


def online(number, **other):
    return {f"slave{number}": {"ip": f"192.0.2.{number}", "port": 6379, "state": "online", "offset": 9, **other}}


@pytest.mark.parametrize(
    ("says", "me", "in_sync", "mine", "why"),
    [
        (PRIMARY, "redis1", (), True, "no replica of it is online"),
        (PRIMARY, "redis1", ("redis3",), False, "a replica is walked"),
        # in its list, and of no deployment
        ({**PRIMARY, **online(9)}, "redis1", (), True, "no replica of it is online"),
        (REPLICA, "redis2", (), True, "redis2 is a replica"),
        (REPLICA, "redis3", ("redis2",), False, "the replica redis2 is walked"),
        # redis2 answers, and has no link
        (REPLICA, "redis3", (), True, "redis3 is a replica"),
        ({**REPLICA, "master_link_status": "down"}, "redis2", ("redis3",), False, "no link to its primary"),
        ({**REPLICA, "master_sync_in_progress": 1}, "redis2", ("redis3",), False, "still loads its data"),
    ],
)
def test_the_first_replica_that_has_its_data_is_walked(says, me, in_sync, mine, why):
    found = election.elect(says, me, NODES, lambda node: node["host"] in in_sync)
    assert found.mine == mine and why in found.why


@pytest.mark.parametrize(
    ("says", "me", "up", "mine", "why"),
    [
        (PRIMARY, "redis1", (), True, "redis2 is no replica of it that is online"),
        ({**PRIMARY, **online(2)}, "redis1", (), False, "a replica is walked"),
        # redis3 yields to redis2, which answers
        ({**PRIMARY, **online(3)}, "redis1", ("redis2",), True, "redis2 is no replica of it that is online"),
        (
            {**PRIMARY, **online(2, state="wait_bgsave")},
            "redis1",
            (),
            True,
            "redis2 is no replica of it that is online",
        ),
        ({**PRIMARY, **online(2, offset=0)}, "redis1", (), True, "redis2 is no replica of it that is online"),
        (REPLICA, "redis2", (), True, "redis2 is a replica"),
        (REPLICA, "redis3", ("redis2",), False, "the replica redis2 is walked"),
        # the primary comes before it and answers, and is no replica
        (REPLICA, "redis3", ("redis1",), True, "redis3 is a replica"),
    ],
)
def test_without_a_password_for_the_others_there_is_always_one(says, me, up, mine, why):
    found = election.elect(says, me, NODES, is_up=lambda node: node["host"] in up)
    assert found.mine == mine and why in found.why


@pytest.mark.parametrize(
    ("says", "fits"),
    [(REPLICA, True), ({**REPLICA, "master_link_status": "down"}, False), (PRIMARY, False), (None, False)],
)
def test_another_node_is_asked_by_the_password(monkeypatch, says, fits):
    def connect(addresses, port, password, seconds):
        assert (addresses, port, password) == (["192.0.2.2"], 6379, "secret")
        if not says:
            raise connection.redis.AuthenticationError("WRONGPASS")
        return types.SimpleNamespace(info=lambda _section: says)

    monkeypatch.setattr(connection, "connect", connect)
    monkeypatch.setattr(election, "answers", lambda _node: True)
    assert election.sync_probe("secret")(NODES[1]) == fits
    monkeypatch.setattr(election, "answers", lambda _node: False)
    assert not election.sync_probe("secret")(NODES[1])


def test_an_address_in_another_spelling_is_the_same():
    nodes = [{"host": f"redis{n}", "address": f"2001:DB8::{n}", "port": "6379"} for n in (1, 2)]
    replica = {**REPLICA, "master_host": "2001:db8::1"}
    assert election.elect(replica, "redis2", nodes, is_up=lambda _node: True).mine
    assert not election.elect({**PRIMARY, **online(2, ip="2001:db8:0::2")}, "redis1", nodes).mine


def test_a_single_server_is_walked():
    assert election.elect({"role": "master"}, "redis1", NODES[:1]) == election.Election(
        True, "primary", "redis1 is the only server"
    )


@pytest.mark.parametrize(
    ("named", "policies", "found"),
    [
        ("cache", "ab cache", "cache"),
        ("", "cache", "cache"),
        ("cash", "cache", None),
        ("", "a b", None),
        ("", "", None),
    ],
)
def test_the_deployment_that_is_meant(named, policies, found):
    deployment, errors = cache_members.request("cache_report", named, dict.fromkeys(policies.split(), {}))
    assert deployment == found and bool(errors) == (found is None)


@pytest.mark.parametrize(
    ("named", "policies", "error"),
    [
        ("cash", "a b", "cache_report: no deployment cash has key families; write one of a, b"),
        ("", "a b", "cache_report: several have key families; name one, such as -e cache_report=a (a, b)"),
        ("", "", "no deployment of the inventory has key families"),
    ],
)
def test_a_deployment_that_is_not_meant_is_told(named, policies, error):
    assert cache_members.request("cache_report", named, dict.fromkeys(policies.split(), {})) == (None, [error])


def test_the_instances_of_a_deployment_are_where_others_reach_them():
    at = {"address": "10.0.0.1", "port": 6379}
    instances = {"a": {"deployment": "cache", "at": at}, "b": {"deployment": "sessions", "at": {**at, "port": 6380}}}
    assert cache_members.nodes("cache", instances) == [{"host": "a", "address": "10.0.0.1", "port": 6379}]


def test_a_program_is_told_of_its_families_what_a_walk_needs():
    outline = {"deployment": "cache", "families": {"a": {"key": "a:{id}", "type": "string", "ttl": 9}}}
    policy = {**outline, "families": {"a": {**outline["families"]["a"], "description": "x", "warm": None}}}
    assert cache_outline(policy) == outline
    assert cache_outline({}) == {"deployment": "", "families": {}}
    at = {"address": "10.0.0.1", "port": 6379}
    assert cache_nodes({"a": {"deployment": "cache", "at": at}}, "cache") == [{"host": "a", **at}]


# -- facts


def test_slow_commands_are_told_without_values():
    entry = [1, 1000, 20000, [b"SET", b"user_profile:7", b"secret", b"EX", b"5"], b"192.0.2.1:1", b""]
    assert facts._slow(entry) == {"at": 1000, "usec": 20000, "command": "set user_profile:7 (and 3 more arguments)"}
    entry[3] = [b"EVAL", b"return 'secret'", b"0"]
    assert facts._slow(entry)["command"] == "eval (and 2 more arguments)"


def test_lookups_of_a_walk_are_not_those_of_the_application():
    info = {"keyspace_hits": 500, "cmdstat_pttl": {"calls": 200}, "cmdstat_type": {"calls": 200}}
    assert facts.hits(info) == 100
    assert facts.rate(1, 3) == 0.25 and facts.rate(0, 0) is None


def test_metrics_are_what_the_walk_found():
    one = counted((b"user_profile:1", -1, 100, "string"), (b"x", 1, 9, "set"))
    found = {"walk": {"keys": 2, "seconds": 0.5}, "databases": [one, one]}
    lines = metrics.text(found, POLICY, 1000.7).splitlines()
    assert 'cistern_cache_family_bytes{deployment="cache",family="user_profile"} 200' in lines
    assert 'cistern_cache_family_keys_without_ttl{deployment="cache",family="user_profile"} 2' in lines
    assert 'cistern_cache_unknown_keys{deployment="cache"} 2' in lines
    assert 'cistern_cache_walk_timestamp_seconds{deployment="cache"} 1000' in lines


@pytest.mark.parametrize(
    ("summary", "text"),
    [
        (cache_said.size(512), "512 B"),
        (cache_said.size(1536), "1.5 KiB"),
        (cache_said.size(300 << 20), "300 MiB"),
        (cache_said.share(1, 100_000), "<0.1 %"),
        (cache_said.share(1, 1000), "0.1 %"),
        (cache_said.share(99_999, 100_000), "99.9 %"),
        (cache_said.share(1, 100), "1.0 %"),
        (cache_said.share(0, 5), "0 %"),
        (cache_said.share(5, 5), "100 %"),
        (cache_said.share(0, 0), "-"),
        (cache_said.seconds(5400), "1 h 30 min"),
        (cache_said.seconds(0), "0 s"),
        (cache_said.seconds(59), "59 s"),
        (cache_said.seconds(121), "2 min 1 s"),
        (cache_said.seconds(120), "2 min"),
        (cache_said.seconds(7200), "2 h"),
        (cache_said.seconds(86_399), "23 h 59 min"),
        (cache_said.seconds(172_800), "2 d"),
        (cache_said.seconds(90_061), "1 d 1 h"),
        (cache_said.usec(999), "999 µs"),
        (cache_said.usec(1000), "1.0 ms"),
        (cache_said.usec(1500), "1.5 ms"),
        (cache_said.usec(999_000), "999.0 ms"),
        (cache_said.usec(1_000_000), "1.0 s"),
        (cache_said.count(1_234_567), "1,234,567"),
        (cache_said.plural(0, "key"), "0 keys"),
        (cache_said.plural(1, "key"), "1 key"),
        (cache_said.plural(2000, "key"), "2,000 keys"),
    ],
)
def test_numbers_are_read_by_people(summary, text):
    assert summary == text


def refuses(error):
    """A client that takes SCAN and what is asked of keys, and answers all else with an error."""

    def execute_command(*_words):
        raise error

    pipeline = types.SimpleNamespace(execute=lambda: [1000, 50, b"string"])
    for name in ("pttl", "memory_usage", "type"):
        setattr(pipeline, name, lambda _key: pipeline)
    return types.SimpleNamespace(
        execute_command=execute_command,
        info=lambda section: {"redis_version": "8.2.0"} if section == "server" else {},
        ping=lambda: True,
        pipeline=lambda transaction: pipeline,
        scan=lambda _cursor, count: (0, [b"a"]),
    )


@pytest.mark.parametrize(
    "error",
    [
        redis.exceptions.NoPermissionError("User default has no permissions to run the 'evalsha_ro' command"),
        redis.exceptions.NoPermissionError("this user has no permissions to run the 'eval' command or its subcommand"),
        redis.ResponseError("unknown command 'EVALSHA_RO', with args beginning with: "),
    ],
)
def test_where_scripts_are_refused_keys_are_asked_by_plain_commands(error):
    client = refuses(error)
    walked = walk.Scan(client, 20000)
    assert list(walked.pages_of(client)) == [[(b"a", 1000, 50, "string")]] and walked.by == "commands"


def test_a_server_without_slow_log_and_latency_is_told_of_all_the_same():
    client = refuses(redis.ResponseError("unknown command 'SLOWLOG'"))
    assert facts.slow_log(client) == {"entries": 0, "newest": []}
    summary = facts.latency(client)
    assert (summary["threshold"], summary["events"], summary["doctor"]) == (0, [], "")


# -- a host without python3-redis


def test_the_programs_can_be_loaded_without_redis(tmp_path):
    """As a host has them: these files and no others, and no library."""
    for file in cache_package(str(tmp_path / "cistern")):
        Path(file["path"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file["source"], file["path"])
    loaded = (
        "import importlib, sys; sys.modules['redis'] = None; from cistern.cache import __main__, client, invalidate; "
        "[importlib.import_module(f'cistern.cache.{name}') for name in __main__.VERBS.values()]; print(client.MISSING)"
    )
    found = subprocess.run([sys.executable, "-c", loaded], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"{sys.executable} of this host has no redis-py; playbooks/cache.yml installs" in found.stdout, found.stderr


@pytest.mark.parametrize("name", ["cache_report", "cache_invalidate"])
def test_a_module_says_that_redis_is_missing(monkeypatch, name):
    module = importlib.import_module(f"ansible_collections.cistern.core.plugins.modules.{name}")
    said = []

    class Fake:
        def __init__(self, **_options):
            self.exit_json = self.fail_json = self.end

        def end(self, **summary):
            said.append(summary.get("why") or summary["msg"])
            raise SystemExit

    monkeypatch.setattr(module, "AnsibleModule", Fake)
    monkeypatch.setattr(connection, "redis", None)
    with pytest.raises(SystemExit):
        module.main()
    assert said == [connection.MISSING]


# -- the pages


def whole(case):
    walk = {"keys": 1000, "pages": 32, "seconds": 0.1, "rate": 20000, "server_seconds": 0.004, "by": "script"}
    walk["page_seconds"] = 1e-4
    found = made(case)
    summary = {
        "redis1": {"why": "", "role": "primary", "walked": False, "facts": found["instances"]["redis1"]},
        "redis2": {"why": "redis2 is a replica", "role": "replica", "walked": True, "facts": {}},
        "redis3": {"why": "its machine cannot be reached over SSH"},
    }
    summary["redis2"]["found"] = {"walk": walk, "databases": found["databases"]}
    return cache_pages.report("cache", POLICY, summary)


class Page(html.parser.HTMLParser):
    """The tags that are open, the names of all of them, and the text."""

    VOID = ("meta",)

    def __init__(self, text):
        super().__init__()
        self.open, self.names, self.text = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        assert not [name for name, _value in attrs if name.startswith("on") or name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.names.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_bars_of_a_family_are_tenths_of_its_time_to_live():
    found = cache_html.heights({"ttl": 100, "tenths": [0, 4, *[0] * 8], "over_ttl": 8, "without_ttl": 0})
    assert [each["label"] for each in found[:2]] == ["0 s to 10 s left", "10 s to 20 s left"]
    assert [(each["keys"], each["height"]) for each in found] == [*[(0, 0), (4, 20), *[(0, 0)] * 8], *[(8, 40), (0, 0)]]


def test_a_bar_of_a_few_keys_is_seen():
    found = cache_html.heights({"ttl": 10, "tenths": [1, 100, 300, *[0] * 7], "over_ttl": 0, "without_ttl": 3000})
    assert [each["height"] for each in found] == [2, 2, 4, *[0] * 8, 40]
    found = cache_html.heights({"ttl": 10, "tenths": [1, 3, *[0] * 8], "over_ttl": 0, "without_ttl": 0})
    assert [each["height"] for each in found[:3]] == [13.3, 40, 0]


def test_families_share_a_bar_by_their_memory():
    family = {"keys": 1, "tenths": [1] * 10, "over_ttl": 0, "without_ttl": 0, "ttl": 10, "key": "a"}
    found = cache_html.parts(
        {
            "families": {
                "a": {**family, "bytes": 1},
                "b": {**family, "bytes": 2},
                "c": {**family, "bytes": 0, "keys": 0},
            },
            "unknown": {"keys": 0, "bytes": 0},
            "bytes": 3,
        }
    )
    assert [(each["name"], each["begins"], each["width"]) for each in found] == [
        ("b", 0, 66.667),
        ("a", 66.667, 33.333),
    ]
    assert [len(each["bars"]) for each in found] == [12, 12]


def test_a_histogram_is_a_line_of_bars():
    assert cache_pages.bars([0, 8, 4, 1]) == "·█▅▂"
    assert cache_pages.bars([0, 0]) == ""


def test_each_family_has_a_colour_as_long_as_there_are_some_and_the_rest_has_that_of_the_rest():
    family = {"keys": 1, "tenths": [1] * 10, "over_ttl": 0, "without_ttl": 0, "ttl": 10, "key": "a"}
    many = {f"f{number:02}": {**family, "bytes": 20 - number} for number in range(12)}
    of_none = {"keys": 1, "bytes": 10}
    found = cache_html.parts({"families": many, "unknown": of_none, "bytes": 200})
    assert [each["colour"] for each in found] == [*range(1, 11), 0, 0, 0]
    assert [each["name"] for each in found] == [*many, "of no family"]
    assert [each["begins"] for each in found[:3]] == [0, 10, 19.5] and found[-1]["bars"] == []


def test_a_walk_that_took_no_time_has_no_rate():
    walked = {"keys": 7, "seconds": 0, "page_seconds": 0, "role": "primary", "host": "a", "why": "it is alone"}
    assert cache_pages.scan_text(walked) == "Walked a: it is alone (a primary is walked more slowly); 0.0 s, 0 keys/s."
    walked = {**walked, "seconds": 2, "page_seconds": 0.0005, "role": "replica"}
    assert cache_pages.scan_text(walked) == (
        "Walked a: it is alone; 2.0 s, 4 keys/s, 500 µs of the server's time a page."
    )


HOSTILE = "</style><script>alert('1')</script>\"&"


def test_a_page_is_whole_and_takes_hostile_keys_as_text():
    unknown = {"keys": 60, "bytes": 9, "biggest": [{"key": HOSTILE, "bytes": 9}]}
    unknown["patterns"] = [{"pattern": HOSTILE, "keys": 60, "bytes": 9, "example": HOSTILE}]
    family = {"biggest": [{"key": HOSTILE, "bytes": 300_000}], "without_ttl": 30, "samples": {"without_ttl": [HOSTILE]}}
    slow = {"entries": 1, "newest": [{"at": 990, "usec": 20000, "command": f"get {HOSTILE}"}]}
    report = whole({"unknown": unknown, "families": {"user_profile": family}, "instance": {"slow_log": slow}})
    page = Page(cache_html.page(report, TEMPLATE))
    assert page.open == [] and not page.names & {"script", "link", "img", "iframe"}
    text = "".join(page.text)
    assert text.count(HOSTILE) >= 5
    assert "its machine cannot be reached over SSH" in text


def test_a_page_of_an_empty_cache_is_whole():
    family = {"keys": 0, "bytes": 0, "biggest": [], "types": {}, "tenths": [0] * 10}
    report = whole({"families": {"user_profile": family}})
    page = Page(cache_html.page(report, TEMPLATE))
    assert page.open == [] and "The database has no key." in "".join(page.text)
    assert "Nothing to advise." in list(cache_pages.lines(report))


def test_what_redis_6_0_does_not_say_is_unknown():
    report = whole({"instance": {"version": "6.0.16", "maxclients": None}})
    page = Page(cache_html.page(report, TEMPLATE))
    assert "20of an unknown number" in "".join(page.text)
    assert any("20/?" in line for line in cache_pages.lines(report))


@pytest.mark.parametrize("broken", ["page", "folder"])
def test_the_terminal_is_told_when_the_page_cannot_be_written(monkeypatch, tmp_path, broken):
    action = importlib.import_module("ansible_collections.cistern.core.plugins.action.cache_pages")
    (tmp_path / "file").write_text("in the way")
    report = whole({})
    monkeypatch.setattr(action.cache_pages, "report", lambda *_words: report)
    if broken == "page":
        monkeypatch.setattr(action.cache_html, "page", lambda *_words: 1 / 0)
    args = {"deployment": "", "policies": {"cache": POLICY}, "instances": {}, "summary": {}, "template": "a"}
    args["dir"] = str(tmp_path / ("file" if broken == "folder" else "reports"))
    plugin = action.ActionModule.__new__(action.ActionModule)
    plugin._task = types.SimpleNamespace(args=args, check_mode=False, async_val=False)
    plugin._loader = types.SimpleNamespace(get_real_file=lambda path: path)
    monkeypatch.setattr(action.ActionBase, "run", lambda *_words: {})
    monkeypatch.setattr(plugin, "_find_needle", lambda *_words: TEMPLATE, raising=False)
    lines = []
    plugin._display = types.SimpleNamespace(display=lines.append)
    summary = plugin.run(task_vars={})
    assert summary["failed"] and "cannot be written" in summary["msg"] and str(tmp_path) in summary["msg"]
    assert any(line.startswith("Cache cache, ") for line in lines)
    # the other file is there all the same
    assert broken == "folder" or json.loads((tmp_path / "reports/cache.json").read_text("utf-8")) == report


def test_the_terminal_stands_in_columns():
    lines = list(cache_pages.lines(whole({})))
    head = next(number for number, line in enumerate(lines) if line.startswith("family"))
    assert len(lines[head]) == len(lines[head + 2]) == len(lines[head + 1])
    assert any(line.startswith("redis3 told nothing: its machine") for line in lines)


def test_a_table_has_its_first_column_on_the_left():
    assert cache_pages.table(("pattern", "keys"), [("a:<n>", "1,200"), ("b", "7")]) == [
        "pattern   keys",
        "--------------",
        "a:<n>    1,200",
        "b            7",
    ]
    assert cache_pages.table(("a", "role"), [("10", "x")], left=(1,)) == [" a  role", "--------", "10  x"]


def test_a_database_is_named_where_there_are_several():
    report = whole({"families": {"user_profile": {"without_ttl": 500}}})
    [title] = [each["title"] for each in report["advice"]]
    assert title == "Keys never expire: they leak memory"
    assert not [line for line in cache_pages.lines(report) if line.startswith("Database")]
    [one] = report["databases"]
    both = {**report, "databases": [one, {**one, "db": 3}]}
    assert [line for line in cache_pages.lines(both) if line.startswith("Database")] == ["Database 0", "Database 3"]
    assert [each["title"] for each in advise(both)] == [
        f"Keys of database {number} never expire: they leak memory" for number in (0, 3)
    ]


def test_what_a_terminal_is_told():
    big = [{"key": f"user_profile:{number}", "bytes": 1000 - number} for number in range(1, 5)]
    strange = [{"key": "x:1", "bytes": 1200}, {"key": "x:2", "bytes": 997}]
    slow = [{"at": 990, "usec": 20000 + 1000 * number, "command": f"get {number}"} for number in range(4)]
    interval = {"hits": 500, "misses": 500, "hit_rate": 0.5}
    numbers = {"fragmentation": None, "hit_rate": 0.987, "evicted": 1200, "expired": 5, "rejected": 2}
    case = {
        "families": {
            "user_profile": {
                "biggest": big,
                "bytes": 90_000,
                "without_ttl": 4,
                "over_ttl": 3,
                "wrong_type": 2,
                "types": {"string": 998, "hash": 2},
            },
            "news": {**well()["families"]["user_profile"], "bytes": 0, "keys": 0, "biggest": [], "tenths": [0] * 10},
        },
        "unknown": {
            "keys": 7,
            "bytes": 10_000,
            "without_ttl": 1,
            "biggest": strange,
            "patterns": [{"pattern": "x:<n>", "keys": 7, "bytes": 10_000}],
        },
        "instance": {**numbers, "interval": interval, "slow_log": {"entries": 4, "newest": slow}},
    }
    lines = list(cache_pages.lines({**whole(case), "taken": "2026-01-02T03:04:05Z"}))
    assert lines == (ROOT / "tests/unit/cases/cache/report_of_a_terminal.txt").read_text("utf-8").splitlines()


def test_a_report_is_json_and_says_its_schema():
    report = whole({})
    assert json.loads(json.dumps(report)) == report and report["schema"] == cache_pages.SCHEMA


def test_nobody_walked_is_told_with_the_reasons():
    with pytest.raises(cache_pages.NothingScanned, match="redis1: it is not in this run"):
        cache_pages.report("cache", POLICY, {"redis1": {"why": "it is not in this run (--limit)"}})
