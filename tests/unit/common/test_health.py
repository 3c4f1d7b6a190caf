"""What a run says of health at its end: what a module makes of what it observed, and what is stated of all hosts."""

import pytest
from ansible_collections.cistern.core.plugins.module_utils.citus import health as citus_health
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.redis.instance import health as redis_health
from ansible_collections.cistern.core.plugins.module_utils.redis.instance import prove as redis_prove
from ansible_collections.cistern.core.plugins.module_utils.redis.topology import Decision
from ansible_collections.cistern.core.plugins.plugin_utils.common import health

NODES = [{"host": name, "address": f"10.0.0.{number}", "port": 6379} for number, name in enumerate("abc", 1)]
DEPLOYMENT = {"name": "cache", "mode": "sentinel", "me": "10.0.0.2 6379", "nodes": NODES, "sentinels": []}
PRIMARY = {"answers": True, "role": "primary", "of": None, "loading": False, "syncs": False, "offset": 9, "link": False}
REPLICA = {**PRIMARY, "role": "replica", "of": "10.0.0.1 6379", "link": True}
WELL = {"10.0.0.1 6379": PRIMARY, "10.0.0.2 6379": REPLICA, "10.0.0.3 6379": REPLICA}
NOT_RUNNING = {"version": "7.0.15", "running": None, "unsaved": {}, "open": [], "decision": None, "seen": None}


def instance(seen=None, decision=None, **more):
    settled = decision or Decision("10.0.0.1 6379", True, "the Sentinels say so")
    have = {
        "version": "7.0.15",
        "running": {},
        "unsaved": {},
        "open": [],
        "decision": settled,
        "seen": {"nodes": seen or WELL},
    }
    return redis_health.of_instance({"unit": "redis-server.service", "deployment": DEPLOYMENT}, {**have, **more})


def test_what_is_whole_is_not_mentioned():
    assert instance() == {"instance": [], "deployment": []}


def test_a_replica_far_behind_is_no_fault():
    assert instance({**WELL, "10.0.0.1 6379": {**PRIMARY, "offset": 1 << 40}})["deployment"] == []


def test_a_replica_without_a_link_is_named():
    seen = {**WELL, "10.0.0.3 6379": {**REPLICA, "link": False}}
    assert instance(seen)["deployment"] == ["c has no link to its primary a"]


def test_an_instance_that_does_not_answer_is_named():
    seen = {**WELL, "10.0.0.3 6379": {"answers": False, "why": "timed out"}}
    assert instance(seen)["deployment"] == ["c does not answer (timed out)"]


def test_a_deployment_without_a_primary_says_why():
    unsettled = Decision(None, False, "a failover of cache is in progress")
    assert instance(decision=unsettled)["deployment"] == ["a failover of cache is in progress"]


def test_data_that_could_not_be_written_is_stated():
    [text] = instance(unsaved={"rdb_last_bgsave_status": "err"})["instance"]
    assert "could not write its data to disk (rdb_last_bgsave_status is err)" in text


def test_a_server_that_does_not_run_is_stated_once_it_is_installed():
    want = {"unit": "redis-server.service", "deployment": {}}
    assert redis_health.of_instance(want, NOT_RUNNING)["instance"] == ["redis-server.service does not run"]
    assert redis_health.of_instance(want, {**NOT_RUNNING, "version": ""})["instance"] == []


def sentinel(**more):
    have = {
        "version": "7.0.15",
        "running_version": "7.0.15",
        "monitors": {"cache": {}},
        "flags": {"cache": ["master"]},
        "quorum": {"cache": ""},
        "lost": {"cache": {"replica": [], "sentinel": []}},
        "expected": {"cache": {"replica": {"10.0.0.2 6379"}, "sentinel": {"10.0.0.3 26379"}}},
    }
    return redis_health.of_sentinel({"unit": "s.service", "deployments": [{"name": "cache"}]}, {**have, **more})


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            {"flags": {"cache": ["master", "s_down", "disconnected"]}},
            "does not reach the primary (s_down, disconnected)",
        ),
        ({"quorum": {"cache": "NOQUORUM 1 usable Sentinels"}}, "no quorum, nobody would fail over (NOQUORUM 1 usable"),
        ({"lost": {"cache": {"replica": ["10.0.0.2 6379"]}}}, "does not reach the replica at 10.0.0.2 6379"),
        ({"lost": {"cache": {"sentinel": ["10.0.0.3 26379"]}}}, "does not reach the Sentinel at 10.0.0.3 26379"),
        ({"running_version": None}, "s.service does not run"),
    ],
)
def test_what_is_not_well_for_a_sentinel(more, says):
    [text] = sentinel(**more)["cache"]
    assert says in text


def test_a_sentinel_for_which_all_is_well_says_nothing():
    assert sentinel() == {}
    # one that left, and which it has not forgotten
    assert sentinel(lost={"cache": {"sentinel": ["10.0.0.9 26379"]}}) == {}


def test_each_door_of_an_instance():
    want = {"deployment": DEPLOYMENT, "users": [], "addresses": ["*"], "port": 6379, "password": "new"}
    doors = redis_prove.of_instance(want, {"running": {"masteruser": "replicator"}}, ["a", "b"])
    # not to itself, and not to one that this run does not go through
    assert [(door["as"], door["address"], door["user"], door["password"]) for door in doors] == [
        ("a replica", "10.0.0.1", "replicator", "new")
    ]


def test_a_door_that_stays_closed_says_by_what():
    door = {"as": "a replica", "address": "127.0.0.1", "port": 1, "user": "", "password": "x", "words": [["PING"]]}
    with pytest.raises(Refused, match="as a replica to 127.0.0.1 port 1: .*refused"):
        redis_prove.prove([door], patience=0)


def test_nodes_of_citus_that_do_not_serve():
    node = {"group": 1, "active": True, "synced": True, "takes": True}
    answer = {"ok": True, "message": ""}
    have = {
        "nodes": {"w1 5432": node, "w2 5432": {**node, "active": False}, "w3 5432": node, "w4 5432": node},
        "answers": {
            "w1 5432": answer,
            "w2 5432": answer,
            "w3 5432": {"ok": False, "message": "timeout"},
            "w4 5432": answer,
        },
    }
    have["nodes"]["w4 5432"] = {**node, "synced": False}
    assert citus_health.health(have, {"w2 5432": "two"}) == [
        "two is inactive: nothing is asked of its shards",
        "w3 5432 does not answer the coordinator (timeout)",
        "w4 5432 has not got the metadata: it takes no queries",
    ]


def test_what_was_proven_counts_before_what_was_observed_and_each_sentence_stands_once():
    lost = {"instance": [], "deployment": ["c has no link"]}
    hosts = {
        "a": {"redis_deployment": "cache", "__redis_observed": {"instance": {"health": lost}}},
        "b": {"redis_deployment": "cache", "__redis_observed": {"instance": {"health": lost}}},
        "c": {
            "redis_deployment": "cache",
            "__redis_observed": {
                "instance": {"health": {"instance": ["does not run"], "deployment": []}},
                "sentinel": {"health": {"cache": ["no quorum"]}},
            },
            "__redis_proven": {"health": {"instance": [], "deployment": []}},
            # what was skipped has nothing to say
            "__redis_sentinel_proven": {"skipped": True},
        },
        "d": {"__citus_joined": {"health": ["w3 is inactive"]}, "__monitoring_configured": {"health": ["u failed"]}},
        "e": {},
    }
    assert health.sentences(hosts) == [
        "deployment cache: c has no link",
        "deployment cache: c: no quorum",
        "Citus: w3 is inactive",
        "d: u failed",
    ]


def test_what_is_not_whole_fails_a_run_only_where_it_is_asked_to():
    assert health.result([], strict=True) == health.result([], strict=False) == {"health": [], "warnings": []}
    assert health.result(["a", "b"], strict=False) == {"health": ["a", "b"], "warnings": ["a", "b"]}
    assert health.result(["a", "b"], strict=True) == {
        "failed": True,
        "health": ["a", "b"],
        "msg": "Not everything is whole, and health_strict is set.\n- a\n- b",
    }
