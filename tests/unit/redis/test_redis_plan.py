"""What a run decides to do: each file of cases/redis/instance is one case.

A case changes `usual`, an instance that is as the inventory wants it: `want` and `have` are laid over it, `steps` are
the sentences that an operator would read, `refused` is a part of the refusal. `deployment` makes it a replica of three
instances; it may change what the deployment `is` and what is `seen` of it.
"""

import copy

import pytest
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.redis import acl_file as redis_acl_file
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.describe import describe, diffs, notes
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.plan import plan, restarts
from ansible_collections.cistern.core.plugins.module_utils.redis.topology import decide
from case_files import Cases
from deep_merge import deep_merge
from instance_usual import usual

CASES = Cases("redis/instance", "want", "have", "deployment", "steps", "refused")


def in_a_deployment(case, want, have):
    """One of three instances, a replica that is in line, where a case says `deployment` (what differs from that)."""
    if "deployment" not in case:
        return want, have
    endpoints = {name: f"10.0.0.{number} 6379" for number, name in enumerate(("a", "b", "c"), start=1)}
    nodes = [
        {"host": name, "address": endpoint.split()[0], "port": 6379, "endpoint": endpoint}
        for name, endpoint in endpoints.items()
    ]
    primary = {"answers": True, "role": "primary", "of": None, "link": False, "syncs": False, "loading": False}
    primary |= {"offset": 100, "keys": 7, "history": ["one", "none"], "shared": -1, "priority": 100, "run_id": "p"}
    replica = {**primary, "role": "replica", "of": endpoints["a"], "link": True, "replicas": []}
    primary["replicas"] = [endpoints["b"], endpoints["c"]]
    seen = {"nodes": {endpoints["a"]: primary, endpoints["b"]: replica, endpoints["c"]: replica}, "sentinels": {}}
    deployment = {
        "name": "cache",
        "mode": "replication",
        "me": endpoints["b"],
        "initial": endpoints["a"],
        "nodes": nodes,
    }
    deployment |= {"sentinels": []}
    deployment, seen = (
        deep_merge(each, case["deployment"].get(key, {})) for each, key in ((deployment, "is"), (seen, "seen"))
    )
    state = seen["nodes"][deployment["me"]]
    have = {**have, "state": state if state["answers"] else None, "seen": seen, "replicaof": endpoints["a"]}
    return {**want, "deployment": deployment}, {**have, "decision": decide(deployment, seen)}


def test_what_is_not_ours_is_noted():
    """In a container the kernel is the machine's; what an ACL file lets happen is its writer's."""
    want, have = usual()
    want, have = {**want, "kernel": {"vm.overcommit_memory": 1}}, {**have, "kernel": {}, "risks": ["a risk"]}
    assert notes(want, have) == ["a risk"]
    assert notes(want, {**have, "container": True}) == [
        "a risk",
        "vm.overcommit_memory is not readable and should be 1: set it on the machine that runs this container",
    ]
    assert notes(want, {**have, "container": True, "kernel": {"vm.overcommit_memory": "1"}}) == ["a risk"]


def test_there_are_cases():
    assert len(CASES) >= 20


@CASES.each
def test_plan(path):
    case = CASES.read(path)
    want, have = in_a_deployment(case, *usual())
    want, have = deep_merge(want, case.get("want", {})), deep_merge(have, case.get("have", {}))
    untouched = copy.deepcopy((want, have))
    if "refused" in case:
        with pytest.raises((Refused, redis_acl_file.Unusable), match=case["refused"]):
            plan(want, have)
    else:
        assert [describe(step) for step in plan(want, have)] == case["steps"]
    assert (want, have) == untouched


@pytest.mark.parametrize(
    ("force_restart", "with_file", "expected"),
    [(False, True, ["write", "restart"]), (False, False, ["restart"]), (True, True, ["restart"])],
)
def test_steps_of_a_restart(force_restart, with_file, expected):
    """What else is due is not among them: the phase before has done it, or told it in check mode."""
    want = {**usual()[0], "force_restart": force_restart}
    steps = [{"do": "set", "want": {}}, {"do": "write", "path": want["conf"]["path"]}, {"do": "restart"}]
    steps += [{"do": "write", "path": "/etc/other"}]
    assert [step["do"] for step in restarts(steps, want, with_file)] == expected
    assert restarts(steps[:2], want, with_file) == []


def test_what_differs_is_shown_without_secrets():
    want, have = usual()
    conf, unit = want["conf"], want["files"][0]
    conf["content"] = "requirepass new\nport 1\n"
    have["files"][conf["path"]]["text"] = "requirepass old\n"
    steps = [
        {"do": "write", "path": conf["path"], "appendonly": "no"},
        {"do": "start", "unit": want["unit"]},
        {"do": "set", "have": {"hz": "1", "requirepass": "old"}, "want": {"hz": "2", "requirepass": "new"}},
        # the same file once more, and one that goes
        {"do": "write", "path": conf["path"]},
        {"do": "remove", "path": unit["path"]},
    ]
    of_conf, of_unit, of_server = diffs(steps, {**want, "files": [{**unit, "absent": True}]}, have)
    assert (of_conf["before"], of_conf["after"]) == ("requirepass (hidden)\n", "requirepass (hidden)\nport 1\n")
    assert (of_unit["before_header"], of_unit["before"], of_unit["after"]) == (unit["path"], "u\n", "")
    assert of_server == {
        "before_header": "running server",
        "after_header": "running server",
        "before": "hz 1\nrequirepass (hidden)\n",
        "after": "hz 2\nrequirepass (hidden)\n",
    }
    assert diffs([], want, have) == []


def test_a_kernel_that_is_not_as_it_should_be_is_noted_in_a_container_alone():
    want, have = usual()
    have = {**have, "risks": [], "kernel": {"vm.overcommit_memory": "0"}}
    assert notes(want, have) == []
    assert notes(want, {**have, "container": True}) == [
        "vm.overcommit_memory is 0 and should be 1: set it on the machine that runs this container"
    ]
