"""What is asked of the others of a deployment, and what is made of their answers."""

import types

import pytest
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import topology

NODE = {"address": "10.0.0.1", "port": 26379}


def monitor(flags):
    return {"ip": "10.0.0.2", "port": "6379", "flags": flags}


def flat(answer):
    return [word for pair in answer.items() for word in pair]


class Sentinel:
    """Answers as the client gives it: a list of names and values."""

    def __init__(self, answers):
        self.answers = answers

    def execute_command(self, *words):
        answer = self.answers[words[1]]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_the_answer_of_a_sentinel_is_understood(monkeypatch):
    sentinel = Sentinel({"MASTER": flat(monitor("o_down,master")), "REPLICAS": [flat(monitor("slave"))]})
    monkeypatch.setattr(redis_server, "reach", lambda *_words: sentinel)
    state = topology.observe_sentinel(NODE, "cache", [])
    assert sorted(state.pop("flags")) == ["master", "o_down"]
    assert state == {"answers": True, "primary": "10.0.0.2 6379", "replicas": ["10.0.0.2 6379"]}


def test_a_sentinel_that_does_not_watch_answers_all_the_same(monkeypatch):
    sentinel = Sentinel({"MASTER": redis_server.RedisError("No such master")})
    monkeypatch.setattr(redis_server, "reach", lambda *_words: sentinel)
    state = topology.observe_sentinel(NODE, "cache", [])
    assert state == {"answers": True, "primary": None, "flags": [], "replicas": []}


def test_a_sentinel_that_is_not_reached_says_why(monkeypatch):
    def reach(*_words):
        raise OSError("No route to host")

    monkeypatch.setattr(redis_server, "reach", reach)
    state = topology.observe_sentinel(NODE, "cache", [])
    assert not state["answers"] and state["why"] == "No route to host" and state["primary"] is None


def test_the_others_are_asked_over_the_net_and_the_own_instance_is_not(monkeypatch):
    addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    nodes = [{"host": address, "address": address, "port": 6379} for address in addresses]
    deployment = {"name": "cache", "me": "10.0.0.1 6379", "nodes": nodes, "sentinels": []}
    monkeypatch.setattr(topology, "observe_node", lambda node, _passwords: {"answers": True, "why": node["address"]})
    silent = {"answers": False, "why": "it does not run"}
    others = {
        "10.0.0.2 6379": {"answers": True, "why": "10.0.0.2"},
        "10.0.0.3 6379": {"answers": True, "why": "10.0.0.3"},
    }
    assert topology.view(deployment, [], "")["nodes"] == {"10.0.0.1 6379": silent, **others}


def test_the_answer_of_an_instance_is_understood(monkeypatch):
    said = {"role": "master", "master_repl_offset": 9, "redis_version": "7.0.15", "run_id": "abc"}
    client = types.SimpleNamespace(info=lambda: said)
    monkeypatch.setattr(redis_server, "reach", lambda *_words: client)
    assert topology.observe_node(NODE, []) == topology.node_state(said)


def test_an_instance_that_is_not_reached_says_why(monkeypatch):
    def reach(*_words):
        raise OSError("No route to host")

    monkeypatch.setattr(redis_server, "reach", reach)
    assert topology.observe_node(NODE, []) == {"answers": False, "why": "No route to host"}


def test_the_own_instance_is_as_it_was_found(monkeypatch):
    nodes = [{"host": "a", "address": "10.0.0.1", "port": 6379}]
    deployment = {"name": "cache", "me": "10.0.0.1 6379", "nodes": nodes, "sentinels": []}
    own = {"answers": True, "role": "primary"}
    assert topology.view(deployment, [], "", own)["nodes"] == {"10.0.0.1 6379": own}


def test_who_is_no_instance_asks_them_all_and_a_sentinel_may_still_have_their_password(monkeypatch):
    node = {"host": "a", "address": "10.0.0.1", "port": 6379}
    deployment = {"name": "cache", "me": None, "nodes": [node], "sentinels": [{**node, "port": 26379}]}
    monkeypatch.setattr(topology, "observe_node", lambda _node, passwords: {"asked with": passwords})
    monkeypatch.setattr(topology, "observe_sentinel", lambda _each, name, passwords: {name: passwords})
    assert topology.view(deployment, ["one", "other"], "new") == {
        "nodes": {"10.0.0.1 6379": {"asked with": ["one", "other"]}},
        "sentinels": {"10.0.0.1 26379": {"cache": ["new", "one", "other"]}},
    }


# -- what INFO says


def test_a_primary_that_says_little_is_alone_and_empty():
    said = {"role": "master", "master_repl_offset": 9, "redis_version": "7.0.15", "run_id": "abc"}
    assert topology.node_state(said) == {
        "answers": True,
        "role": "primary",
        "of": None,
        "link": False,
        "syncs": False,
        "loading": False,
        "offset": 9,
        "keys": 0,
        "history": [None, None],
        "shared": -1,
        "priority": 100,
        "replicas": [],
        "version": "7.0.15",
        "run_id": "abc",
    }


def test_a_replica_says_whom_it_follows_and_how_far_it_is():
    said = {
        "redis_version": "7.0.15",
        "run_id": "abc",
        "role": "slave",
        "master_host": "10.0.0.9",
        "master_port": 6380,
        "master_link_status": "up",
        "master_sync_in_progress": 1,
        "loading": 1,
        "slave_repl_offset": 5,
        "master_repl_offset": 7,
        "slave_priority": 0,
        "master_replid": "one",
        "master_replid2": "zero",
        "second_repl_offset": 4,
        "slave0": {"ip": "10.0.0.2", "port": 6379, "state": "online"},
        "slave1": {"ip": "10.0.0.3", "port": 6379, "state": "wait_bgsave"},
        "db0": {"keys": 3},
        "db12": {"keys": 4},
        "dbsize": 99,
    }
    assert topology.node_state(said) == {
        "answers": True,
        "role": "replica",
        "of": "10.0.0.9 6380",
        "link": True,
        "syncs": True,
        "loading": True,
        "offset": 5,
        "keys": 7,
        "history": ["one", "zero"],
        "shared": 4,
        "priority": 0,
        "replicas": ["10.0.0.2 6379"],
        "version": "7.0.15",
        "run_id": "abc",
    }


# -- who is primary

A, B, C = (f"10.0.0.{number} 6379" for number in (1, 2, 3))
DEPLOYMENT = {
    "name": "cache",
    "initial": A,
    "nodes": [{"host": host, "address": f"10.0.0.{number}", "port": 6379} for number, host in enumerate("abc", 1)],
}


def primary(**more):
    return {"answers": True, "role": "primary", "of": None, "keys": 0, "replicas": [], "history": ["x", "-"], **more}


def replica(of, **more):
    return {**primary(), "role": "replica", "of": of, "history": ["one", "zero"], **more}


SILENT = {"answers": False, "why": "no route"}


def decided(nodes, *says, flags=()):
    """Return the decision where `says` are the primaries that Sentinels name, None of one that watches nothing."""
    sentinels = {f"10.0.0.{n} 26379": {"primary": each, "flags": ["master", *flags]} for n, each in enumerate(says)}
    return tuple(topology.decide(DEPLOYMENT, {"nodes": nodes, "sentinels": sentinels}))


@pytest.mark.parametrize(
    ("nodes", "says", "decision"),
    [
        ({A: replica(B), B: primary()}, [B, B], (B, True, "the Sentinels say so", B)),
        ({A: replica(B), B: primary()}, [None, B, None], (B, True, "the Sentinels say so", B)),
        (
            {A: primary(), B: primary()},
            [B, A, B],
            (None, False, "the Sentinels of cache do not agree on the primary: a, b", None),
        ),
        (
            {A: primary()},
            ["10.0.0.9 6379"],
            (None, True, "the Sentinels of cache name 10.0.0.9 6379, which the inventory lacks", None),
        ),
        (
            {A: primary(), B: replica(A)},
            [B],
            (None, False, "the Sentinels of cache name b, which is not primary yet", None),
        ),
        (
            {A: SILENT, B: replica(A)},
            [A],
            (None, False, "the primary a of cache does not answer (no route), and a failover is due", A),
        ),
    ],
)
def test_the_sentinels_say_who_is_primary(nodes, says, decision):
    assert decided(nodes, *says) == decision


def test_during_a_failover_nobody_is():
    found = decided({A: primary()}, A, flags=["failover_in_progress"])
    assert found == (None, False, "a failover of cache is in progress", None)


@pytest.mark.parametrize(
    ("nodes", "endpoint", "settled", "why"),
    [
        ({A: primary(), B: primary(replicas=[C])}, B, True, "its replicas say so"),
        ({A: primary(keys=9), B: primary(), C: replica(B)}, B, True, "its replicas say so"),
        (
            {A: primary(replicas=["10.0.0.9 6379"]), B: primary(), C: replica(B)},
            None,
            False,
            "cache has more than one primary with replicas, a and b: make one a replica of the other",
        ),
        # the primary is gone
        ({A: SILENT, B: replica(A), C: replica(A)}, A, True, "its replicas wait for it"),
        ({A: replica("10.0.0.8 6379"), B: replica("10.0.0.9 6379")}, None, True, "its replicas wait for it"),
        ({A: SILENT, B: SILENT, C: replica(B)}, B, True, "its replicas wait for it"),
        # some wait for one and some for another
        ({A: replica(B), B: replica(A)}, None, True, "its replicas wait for it"),
        # one that has their data was promoted in its place
        ({A: SILENT, B: replica(A), C: primary(history=["two", "one"])}, C, True, "it was promoted"),
        ({A: SILENT, B: replica(A), C: primary(history=["zero", "-"])}, A, True, "its replicas wait for it"),
        (
            {A: primary(history=["two", "one"]), B: replica("10.0.0.9 6379"), C: primary(history=["three", "one"])},
            None,
            True,
            "its replicas wait for it",
        ),
        # each for itself
        ({A: primary(), B: primary(keys=1), C: primary()}, B, True, "it alone holds keys"),
        ({A: primary(), B: primary(keys=1), C: primary(keys=1)}, A, True, "nobody is primary yet"),
        ({A: SILENT, B: primary(), C: primary()}, A, True, "nobody is primary yet"),
    ],
)
def test_without_sentinels_the_servers_do(nodes, endpoint, settled, why):
    assert decided(nodes) == decided(nodes, None) == (endpoint, settled, why, None)


# -- what is not in line

WELL = {"link": True, "loading": False, "syncs": False, "offset": 5000000}


@pytest.mark.parametrize(
    ("of_b", "says"),
    [
        ({}, []),
        ({"offset": 5000000 - 1048576}, []),
        ({"offset": 5000000 - 1048577}, ["b is 1048577 bytes behind a"]),
        (SILENT, ["b does not answer (no route)"]),
        ({"loading": True}, ["b still loads its data"]),
        ({"syncs": True, "link": False}, ["b still loads its data"]),
        ({"role": "primary", "of": None}, ["b is not a replica of a"]),
        ({"of": C}, ["b is not a replica of a"]),
        ({"link": False}, ["b has no link to its primary a"]),
    ],
)
def test_what_keeps_a_replica_from_being_in_line(of_b, says):
    nodes = {A: primary(**WELL), B: {**replica(A, **WELL), **of_b}}
    assert topology.out_of_sync(DEPLOYMENT, {"nodes": nodes}, A) == says


@pytest.mark.parametrize(
    ("nodes", "who", "host"),
    [({A: SILENT}, A, "a"), ({A: replica(B)}, A, "a"), ({}, "10.0.0.9 6379", "10.0.0.9 6379"), ({}, None, None)],
)
def test_nobody_is_in_line_behind_a_primary_that_does_not_answer(nodes, who, host):
    found = topology.out_of_sync(DEPLOYMENT, {"nodes": nodes}, who)
    assert found == [f"the primary {host} does not answer as such"]


# -- looking until it is so


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on as somebody sleeps."""
    told = [0.0]
    monkeypatch.setattr(topology.time, "monotonic", lambda: told[0])
    monkeypatch.setattr(topology.time, "sleep", lambda seconds: told.__setitem__(0, told[0] + seconds))
    return told


UNSETTLED = {"nodes": {A: primary(replicas=[C]), B: primary(replicas=[C])}, "sentinels": {}}
SETTLED = {"nodes": {A: primary(**WELL), B: replica(A, **WELL)}, "sentinels": {}}


def test_a_decision_is_waited_for(clock):
    looks = [UNSETTLED, UNSETTLED, SETTLED]
    seen, decision = topology.settle(lambda: looks.pop(0), DEPLOYMENT)
    assert (seen, decision.primary, looks) == (SETTLED, A, [])


def test_a_decision_is_waited_for_half_a_minute(clock):
    seen, decision = topology.settle(lambda: UNSETTLED, DEPLOYMENT)
    assert seen is UNSETTLED and not decision.settled and 30 <= clock[0] < 31


def test_all_are_waited_for_until_they_are_in_line(clock):
    looks = [{"nodes": {A: SILENT}}, SETTLED]
    topology.wait_in_sync(lambda: looks.pop(0), DEPLOYMENT, A, 5)
    assert looks == []


def test_who_is_not_in_line_in_time_is_told(clock):
    late = {"nodes": {A: primary(**WELL), B: replica(A, **WELL) | {"link": False}, C: SILENT}}
    with pytest.raises(TimeoutError, match="after 5 s: b has no link to its primary a; c does not answer .no route.$"):
        topology.wait_in_sync(lambda: late, DEPLOYMENT, A, 5)
    assert 5 <= clock[0] < 6
