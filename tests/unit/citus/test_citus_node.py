"""What a run decides to do with the nodes of a cluster: each file of cases/citus/nodes is one case.

A case changes `usual`, a coordinator (c) with three workers (w1, w2, w3) that are as the inventory wants them: `want`
and `have` are laid over it, `steps` are the sentences that an operator would read, `refused` is a part of the refusal,
`notes` what is told beside. `nodes` of `want` are told by name. A node may be null: there is none.
"""

import copy
import re

import pytest
from ansible_collections.cistern.core.plugins.module_utils.citus import client as citus_sql
from ansible_collections.cistern.core.plugins.module_utils.citus import cluster as citus_cluster
from ansible_collections.cistern.core.plugins.module_utils.citus import shard_moves as citus_moves
from ansible_collections.cistern.core.plugins.module_utils.citus.nodes.plan import (
    afterwards,
    describe,
    fresh,
    names,
    notes,
    plan,
    shown,
)
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.modules import citus_node
from ansible_collections.cistern.core.plugins.plugin_utils.common.polling import joined
from case_files import Cases

CASES = Cases("citus/nodes", "want", "have", "steps", "refused", "notes")
SHORT = {"c": "10.0.0.10 5432", **{f"w{number}": f"10.0.0.1{number} 5432" for number in (1, 2, 3)}}
MB = 1024 * 1024
COORDINATOR = {"group": 0, "active": True, "synced": True, "takes": True}


def usual():
    node = {"port": 5432, "state": "present", "shards": True}
    want = {
        "coordinator": {"host": "c", "address": "10.0.0.10", "port": 5432},
        "nodes": {f"w{number}": {**node, "host": f"w{number}", "address": f"10.0.0.1{number}"} for number in (1, 2, 3)},
        "rebalance": False,
        "shard_transfer_mode": "auto",
        "free_bytes": {},
        "check": False,
    }
    known = {"active": True, "synced": True, "takes": True}
    answer = {"ok": True, "message": "", "extension": "13.2-1", "wal_level": "logical"}
    have = {
        "extension": "13.2-1",
        "group": 0,
        "port": 5432,
        "nodes": {endpoint: {**known, "group": group} for group, endpoint in enumerate(SHORT.values())},
        "job": None,
        "answers": {endpoint: dict(answer) for endpoint in SHORT.values()},
        "shards": {endpoint: {"count": 8, "bytes": 80 * MB} for endpoint in SHORT.values()},
        "bare": [],
        "local": {"name": "10.0.0.10", **answer},
        "uneven": 0,
    }
    have["nodes"][SHORT["c"]]["takes"] = False
    have["shards"][SHORT["c"]] = {"count": 0, "bytes": 0}
    return want, have


def deep_merge(base, change):
    """A mapping is laid over a mapping, null takes a node away; anything else replaces."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    laid = dict(base)
    for key, value in change.items():
        laid[SHORT.get(key, key)] = deep_merge(base.get(SHORT.get(key, key)), value)
    return {key: value for key, value in laid.items() if value is not None or key not in SHORT.values()}


def read(case):
    want, have = usual()
    nodes = deep_merge(want["nodes"], {})
    for name, change in (case.get("want", {}).get("nodes") or {}).items():
        nodes[name] = None if change is None else {**nodes[name], **change}
    given = {key: value for key, value in case.get("want", {}).items() if key != "nodes"}
    want = {**want, **deep_merge({key: want[key] for key in want if key != "nodes"}, given)}
    want["nodes"] = [node for node in nodes.values() if node]
    return want, deep_merge(have, case.get("have", {}))


def test_there_are_cases():
    assert len(CASES) >= 30


@CASES.each
def test_plan(path):
    case = CASES.read(path)
    want, have = read(case)
    untouched = copy.deepcopy((want, have))
    if "refused" in case:
        with pytest.raises(Refused, match=re.escape(case["refused"])):
            plan(want, have)
    else:
        assert [describe(step, names(want)) for step in plan(want, have)] == case["steps"]
    assert notes(want, have) == case.get("notes", [])
    assert (want, have) == untouched


def test_a_refusal_tells_each_reason():
    assert citus_cluster.refusal(Refused("a is b")) == "Nothing was changed: a is b."
    assert citus_cluster.refusal(Refused("a", "b")) == "Nothing was changed, for these reasons:\n- a.\n- b."


def test_a_cluster_that_is_not_there_yet_is_all_steps():
    want, _have = read({})
    steps = [describe(step, names(want)) for step in plan(want, fresh(want))]
    assert steps == ["set the coordinator's address to 10.0.0.10 5432", "add w1", "add w2", "add w3"]


def test_diff_shows_the_nodes():
    want, have = read({"want": {"nodes": {"w3": {"state": "absent"}}}, "have": {"nodes": {"w1": None}}})
    before, after = (shown(nodes, names(want)).splitlines() for nodes in (have["nodes"], afterwards(want, have)))
    assert set(after) - set(before) == {"w1 10.0.0.11 5432: worker, may hold shards"}
    assert set(before) - set(after) == {"w3 10.0.0.13 5432: worker, may hold shards"}


def test_the_diff_tells_which_nodes_are_inactive_and_which_may_hold_shards():
    want, have = read(
        {
            "want": {"nodes": {"w2": {"shards": False}, "w3": None}},
            "have": {"nodes": {"c": {"takes": True}, "w1": {"active": False}}},
        }
    )
    assert shown(have["nodes"], names(want)).splitlines() == [
        "c 10.0.0.10 5432: coordinator, may hold shards",
        "w1 10.0.0.11 5432: worker, inactive, may hold shards",
        "w2 10.0.0.12 5432: worker, may hold shards",
        "10.0.0.13 5432 10.0.0.13 5432: worker, may hold shards",
    ]
    assert shown(afterwards(want, have), names(want)).splitlines() == [
        "c 10.0.0.10 5432: coordinator, may hold shards",
        "w1 10.0.0.11 5432: worker, may hold shards",
        "w2 10.0.0.12 5432: worker",
        "10.0.0.13 5432 10.0.0.13 5432: worker, may hold shards",
    ]


def test_a_coordinator_that_holds_no_shards_stays_without():
    want, have = read({})
    assert shown(afterwards(want, have), names(want)).splitlines()[0] == "c 10.0.0.10 5432: coordinator"


def test_a_coordinator_that_moves_is_shown_at_its_new_address_alone():
    want, have = read({"have": {"nodes": {"c": None, "10.0.0.9 5432": COORDINATOR}}})
    assert [line for line in shown(afterwards(want, have), names(want)).splitlines() if "coordinator" in line] == [
        "c 10.0.0.10 5432: coordinator, may hold shards"
    ]


# -- the moves, while they are under way


class Ended(Exception):
    """What a module says at its end."""


class Module:
    check_mode = False

    def fail_json(self, **result):
        raise Ended(result)


@pytest.fixture
def server(monkeypatch):
    """A server that has what a test says, and does as it is told; returns what was done."""
    done = []
    monkeypatch.setattr(citus_sql, "run", lambda _c, text, values=None: done.append((text.split("(")[0][-20:], values)))
    monkeypatch.setattr(citus_moves, "start", lambda *_args, **_more: done.append(("start", None)))
    monkeypatch.setattr(citus_moves, "stop", lambda _c: done.append(("stop", None)))
    monkeypatch.setattr(citus_moves, "set_shards", lambda _c, endpoint, takes: done.append((endpoint, takes)))
    monkeypatch.setattr(citus_cluster, "job", lambda _c: {"id": 7, "state": "running"})
    want, have = read({"want": {"nodes": {"w3": {"state": "absent"}}}})
    monkeypatch.setattr(citus_node, "observe", lambda _c, _want: have)
    drained = {**have["nodes"], SHORT["w3"]: {**have["nodes"][SHORT["w3"]], "takes": False}}
    monkeypatch.setattr(citus_cluster, "nodes", lambda _c: drained)
    return {**want, "seconds": 10, "poll": 1}, done


def failing(monkeypatch, progress):
    now = {"job": 7, "state": "running", "done": 1, "total": 4, "message": "1 of 4", "failed": ""}
    monkeypatch.setattr(citus_moves, "progress", lambda *_args: {**now, **progress})


def test_a_run_returns_while_shards_move(monkeypatch, server):
    want, done = server
    failing(monkeypatch, {})
    result = citus_node.take(Module(), None, {**want, "poll": 0})
    assert result["moving"]["message"] == "1 of 4"
    assert result["steps"][-1] == "wait until the shards have moved"
    assert done == [(SHORT["w3"], False), ("start", None)]


@pytest.mark.parametrize(
    ("progress", "seconds", "says"),
    [
        (
            {"failed": "logical decoding requires wal_level >= logical"},
            10,
            "a shard move fails: logical decoding requires",
        ),
        ({}, 0, "the time is over: 1 of 4"),
        ({"state": "cancelled"}, 10, "somebody ended the shard moves"),
    ],
)
def test_moves_that_fail_are_ended_and_the_node_holds_shards_again(monkeypatch, server, progress, seconds, says):
    want, done = server
    failing(monkeypatch, progress)
    with pytest.raises(Ended, match=says):
        citus_node.take(Module(), None, {**want, "seconds": seconds})
    assert done == [(SHORT["w3"], False), ("start", None), ("stop", None), (SHORT["w3"], True)]


def test_a_failed_task_is_told_without_what_led_to_it():
    says = "ERROR: ERROR:  logical decoding requires\n wal_level\nCONTEXT:  while executing command on 10.0.0.11:5432"
    assert citus_moves.reason(says) == "logical decoding requires wal_level"


def test_runs_of_one_task_are_told_as_one():
    first = {"steps": ["add w1", "wait"], "changed": True, "diff": [1], "moving": {"message": "1 of 4"}}
    second = {"steps": ["wait", "remove w3"], "changed": False, "notes": ["x"], "diff": []}
    assert joined(joined({"steps": [], "changed": False}, first), second) == {
        "steps": ["add w1", "wait", "remove w3"],
        "changed": True,
        "diff": [1],
        "notes": ["x"],
    }


def test_the_coordinator_of_a_new_cluster_holds_no_shards():
    want, _have = read({})
    nodes = afterwards(want, fresh(want))
    assert [endpoint for endpoint, node in nodes.items() if not node["takes"]] == [SHORT["c"]]
