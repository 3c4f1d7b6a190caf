"""What a rebalance decides to do: each file of cases/citus/rebalance is one case.

A case changes `usual`, three workers (w1, w2, w3) whose shards are even: `want` and `have` are laid over it, `steps`
are the sentences that an operator would read, `refused` is a part of the refusal.
"""

import re

import pytest
from ansible_collections.cistern.core.plugins.module_utils.citus import shard_moves as citus_moves
from ansible_collections.cistern.core.plugins.module_utils.citus.rebalance.plan import describe, evenness, names, plan
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from case_files import Cases
from test_citus_node import SHORT, deep_merge, read

CASES = Cases("citus/rebalance", "want", "have", "steps", "refused")


def usual():
    want, have = read({})
    nodes = [want["coordinator"], *want["nodes"]]
    return {"stop": False, "shard_transfer_mode": "auto", "nodes": nodes}, {**have, "moves": []}


def test_there_are_cases():
    assert len(CASES) >= 10


@CASES.each
def test_plan(path):
    case = CASES.read(path)
    want, have = usual()
    want, have = deep_merge(want, case.get("want", {})), deep_merge(have, case.get("have", {}))
    for move in have["moves"]:
        move.update({end: SHORT[move[end]] for end in ("from", "to")})
    if "refused" in case:
        with pytest.raises(Refused, match=re.escape(case["refused"])):
            plan(want, have)
    else:
        assert [describe(step, names(want)) for step in plan(want, have)] == case["steps"]


def test_what_each_node_holds_is_told():
    want, have = usual()
    have["shards"][SHORT["w2"]] = {"count": 0, "bytes": None}
    found = evenness(have, names(want))
    assert found == ["w1 holds 8 shards, 80 MB", "w2 holds 0 shards", "w3 holds 8 shards, 80 MB"]


# -- how far the moves are


def server(monkeypatch, state, tasks, copied=()):
    """A server that answers what a job, its tasks and their copies are."""
    monkeypatch.setattr(citus_moves.citus_sql, "value", lambda *_args: state)
    answers = {"pg_dist_background_task": tasks, "get_rebalance_progress": copied}

    def rows(_connection, query, _parameters=None):
        return next(list(found) for name, found in answers.items() if name in query)

    monkeypatch.setattr(citus_moves.citus_sql, "rows", rows)


def task(status, tries=0, message=""):
    return {"status": status, "tries": tries, "message": message}


def test_what_is_copied_is_told(monkeypatch):
    copy = {"tables": "messages", "source": SHORT["w1"], "target": SHORT["w3"], "bytes": 2**30, "copied": 2**29}
    server(monkeypatch, "running", [task("done"), task("running"), task("blocked")], [copy])
    now = citus_moves.progress(None, 7, {SHORT["w1"]: "w1", SHORT["w3"]: "w3"})
    assert (now["done"], now["total"], now["failed"]) == (1, 3, "")
    assert now["message"] == "1 of 3 shard moves done; messages from w1 to w3, 512 MB of 1024 MB"


@pytest.mark.parametrize(
    ("status", "tries", "failed"),
    [("runnable", 1, ""), ("running", 2, ""), ("runnable", 3, "no room"), ("error", 1, "no room"), ("done", 3, "")],
)
def test_a_move_that_fails_again_and_again_is_given_up(monkeypatch, status, tries, failed):
    server(monkeypatch, "running", [task(status, tries, "ERROR: no room")])
    now = citus_moves.progress(None, 7, {})
    assert now["failed"] == failed
    assert status == "done" or now["message"] == f"0 of 1 shard moves done; failed {tries} times: no room"


def test_a_job_that_is_done_is_not_waited_for(monkeypatch):
    server(monkeypatch, "finished", [task("done")])
    assert citus_moves.wait(None, 7, 0, 0, {}) is None
