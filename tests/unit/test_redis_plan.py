"""What a run decides to do: each file of cases/redis_plan is one case.

A case changes `usual`, an instance that is as the inventory wants it: `want` and `have` are laid over it, `steps` are
the sentences that an operator would read, `refused` is a part of the refusal. `deployment` makes it a replica of three
instances; it may change what the deployment `is` and what is `seen` of it.
"""

import copy
from pathlib import Path

import pytest
import yaml
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.redis import acl_file as redis_acl_file
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.describe import describe, notes
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.plan import plan, restarts
from ansible_collections.cistern.core.plugins.module_utils.redis.topology import decide
from laid_over import laid_over

CASES = sorted(Path(__file__).parent.glob("cases/redis_plan/*.yml"))
SETTINGS = {
    "maxmemory": "268435456",
    "save": "900 1",
    "appendonly": "no",
    "databases": "16",
    "maxclients": "10000",
    "requirepass": "secret",
    "dir": "/var/lib/redis",
    "dbfilename": "dump.rdb",
    "appendfilename": "appendonly.aof",
    "appenddirname": "appendonlydir",
    "replica-priority": "100",
    "slave-priority": "100",
    "rename-command": "flushall get set",
    "loadmodule": "",
}


def usual():
    conf = {"path": "/etc/redis/redis.conf", "content": "x", "owner": "redis", "group": "redis", "mode": "0640"}
    unit = {
        "path": "/etc/systemd/system/x.d/cistern.conf",
        "content": "u",
        "owner": "root",
        "group": "root",
        "mode": "0644",
        "unit": True,
    }
    found = {"kind": "file", "mtime": 100}
    want = {
        "conf": conf,
        "files": [unit],
        "unit": "redis-server.service",
        "kernel": {"vm.overcommit_memory": 1},
        "restart": True,
        "force_restart": False,
        "deployment": {},
        "immutable": ["databases", "dir", "dbfilename", "appendfilename", "appenddirname"],
        "aliases": {"slave-priority": "replica-priority"},
    }
    have = {
        "files": {file["path"]: {**file, **found, "text": file["content"]} for file in (conf, unit)},
        "unit": {
            "load": "loaded",
            "active": "active",
            "enabled": "enabled",
            "reload": False,
            "pid": 7,
            "started": 200,
            "replaced": False,
        },
        "kernel": {"vm.overcommit_memory": "1"},
        "container": False,
        "version": "7.0.15",
        "running_version": "7.0.15",
        "wanted": dict(SETTINGS),
        "on_disk": dict(SETTINGS),
        "running": {k: v for k, v in SETTINGS.items() if isinstance(v, str)},
        "keys": 0,
        "databases": [],
        "stored": False,
        "descriptors": 65535,
        "replicaof": "",
        "says": None,
        "decision": None,
        "no_password": [],
        "acl_file": "",
        "acl_default": None,
        "wrong_default": False,
        "open": [],
    }
    return want, have


def in_a_deployment(case, want, have):
    """One of three instances, a replica that is in line, where a case says `deployment` (what differs from that)."""
    if "deployment" not in case:
        return want, have
    places = {name: f"10.0.0.{number} 6379" for number, name in enumerate(("a", "b", "c"), start=1)}
    nodes = [{"host": name, "address": at.split()[0], "port": 6379, "place": at} for name, at in places.items()]
    primary = {"answers": True, "role": "primary", "of": None, "link": False, "syncs": False, "loading": False}
    primary |= {"offset": 100, "keys": 7, "history": ["one", "none"], "shared": -1, "priority": 100, "run_id": "p"}
    replica = {**primary, "role": "replica", "of": places["a"], "link": True, "replicas": []}
    primary["replicas"] = [places["b"], places["c"]]
    seen = {"nodes": {places["a"]: primary, places["b"]: replica, places["c"]: replica}, "sentinels": {}}
    deployment = {"name": "cache", "mode": "replication", "me": places["b"], "initial": places["a"], "nodes": nodes}
    deployment |= {"sentinels": []}
    deployment, seen = (
        laid_over(each, case["deployment"].get(key, {})) for each, key in ((deployment, "is"), (seen, "seen"))
    )
    says = seen["nodes"][deployment["me"]]
    have = {**have, "says": says if says["answers"] else None, "seen": seen, "replicaof": places["a"]}
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


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_plan(path):
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    want, have = in_a_deployment(case, *usual())
    want, have = laid_over(want, case.get("want", {})), laid_over(have, case.get("have", {}))
    untouched = copy.deepcopy((want, have))
    if "refused" in case:
        with pytest.raises((Refused, redis_acl_file.Unusable), match=case["refused"]):
            plan(want, have)
    else:
        assert [describe(step) for step in plan(want, have)] == case["steps"]
    assert (want, have) == untouched


@pytest.mark.parametrize(
    ("force_restart", "with_file", "told"),
    [(False, True, ["write", "restart"]), (False, False, ["restart"]), (True, True, ["restart"])],
)
def test_steps_of_a_restart(force_restart, with_file, told):
    """What else is due is not among them: the phase before has done it, or told it in check mode."""
    want = {**usual()[0], "force_restart": force_restart}
    steps = [{"do": "set", "want": {}}, {"do": "write", "path": want["conf"]["path"]}, {"do": "restart"}]
    steps += [{"do": "write", "path": "/etc/other"}]
    assert [step["do"] for step in restarts(steps, want, with_file)] == told
    assert restarts(steps[:2], want, with_file) == []
