"""What a switchover decides to do: each file of cases/redis/switchover is one case.

A case changes `usual`, three instances in line below redis1 with three Sentinels: `want` and `have` are laid over it,
`steps` are the sentences that an operator would read, `refused` is a part of the refusal. r1 is the endpoint of redis1,
s1 that of its Sentinel.
"""

import copy
import re

import pytest
from ansible_collections.cistern.core.plugins.action.redis_failover import problems
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Failed, Refused
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover import apply as redis_switchover
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover import pause as redis_switchover_pause
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.plan import describe, plan
from ansible_collections.cistern.core.plugins.module_utils.redis.topology import names
from case_files import Cases

CASES = Cases("redis/switchover", "want", "have", "steps", "refused")
R1, R2, R3 = (f"192.0.2.1{number} 6379" for number in (1, 2, 3))
SHORT = {
    **{f"r{endpoint[9]}": endpoint for endpoint in (R1, R2, R3)},
    **{f"s{n}": f"192.0.2.1{n} 26379" for n in (1, 2, 3)},
}


def usual():
    nodes = [{"host": f"redis{number}", "address": f"192.0.2.1{number}", "port": 6379} for number in (1, 2, 3)]
    deployment = {
        "name": "cache",
        "mode": "sentinel",
        "me": None,
        "initial": R1,
        "nodes": nodes,
        "sentinels": [{**node, "port": 26379} for node in nodes],
    }
    says = {
        "answers": True,
        "role": "replica",
        "of": R1,
        "link": True,
        "syncs": False,
        "loading": False,
        "offset": 100,
        "history": ["a", "0" * 40],
        "priority": 100,
        "settings": {"min-replicas-to-write": 1, "min-replicas-max-lag": 10, "repl-ping-replica-period": 10},
        "version": "7.0.15",
    }
    seen = {"priority": 100, "age": 0, "flags": ["slave"]}
    sentinel = {"answers": True, "primary": R1, "flags": ["master"], "quorum": "", "tilt": False}
    have = {
        "primary": R1,
        "settled": True,
        "why": "the Sentinels say so",
        "nodes": {
            R1: {**says, "role": "primary", "of": None, "run_id": "a"},
            R2: {**says, "run_id": "b"},
            R3: {**says, "run_id": "c"},
        },
        "sentinels": {SHORT[f"s{n}"]: {**sentinel, "knows": {R2: dict(seen), R3: dict(seen)}} for n in (1, 2, 3)},
    }
    return {"deployment": deployment, "target": None}, have


def deep_merge(base, change):
    """A mapping is laid over a mapping; anything else replaces."""
    change = SHORT.get(change, change) if isinstance(change, str) else change
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    return {**base, **{SHORT.get(key, key): deep_merge(base.get(SHORT.get(key, key)), change[key]) for key in change}}


def test_there_are_cases():
    assert len(CASES) >= 20


@CASES.each
def test_plan(path):
    case = CASES.read(path)
    want, have = usual()
    want, have = deep_merge(want, case.get("want", {})), deep_merge(have, case.get("have", {}))
    untouched = copy.deepcopy((want, have))
    if "refused" in case:
        with pytest.raises(Refused, match=re.escape(case["refused"])):
            plan(want, have)
    else:
        hosts = names(want["deployment"])
        assert [describe(step, hosts) for step in plan(want, have)] == case["steps"]
    assert (want, have) == untouched


def test_the_sentinels_have_to_know_the_priorities_of_all_that_they_could_choose():
    r4 = "192.0.2.14 6379"
    want, have = usual()
    want["deployment"]["nodes"].append({"host": "redis4", "address": "192.0.2.14", "port": 6379})
    have["nodes"][r4] = {**have["nodes"][R3], "priority": 101, "run_id": "d"}
    for sentinel in have["sentinels"].values():
        sentinel["knows"][r4] = dict(sentinel["knows"][R3])
    [waits] = [step for step in plan({**want, "target": R2}, have) if step["do"] == "wait_priorities"]
    assert waits["priorities"] == {R2: 100, R3: 1000100, r4: 101} and waits["by"] == SHORT["s3"]


def test_it_is_told_how_long_writes_were_held():
    step = {"do": "resume", "endpoint": R1}
    assert describe(step, {}) == "let writes go on"
    assert describe(step, {}, 0) == "let writes go on after 0.0 s"
    assert describe(step, {}, 1.26) == "let writes go on after 1.3 s"


# -- the request, before a host is touched


@pytest.mark.parametrize(
    ("name", "to", "says"),
    [
        ("cache", "", []),
        ("cache", "redis2", []),
        ("", "", ["redis_failover: is missing"]),
        ("cash", "", ["redis_failover: there is none called cash"]),
        ("single", "", ["redis_failover: there is none called single"]),
        ("cache", "redis9", ["redis_failover_to: redis9 is no host of cache; write one of redis1, redis2, redis3"]),
    ],
)
def test_wrong_request_is_refused(name, to, says):
    deployment = usual()[0]["deployment"]
    deployments = {"cache": deployment, "single": {**deployment, "name": "single", "mode": "standalone"}}
    found = list(problems(deployments, name, to))
    assert len(found) == len(says)
    assert all(text.startswith(part) for text, part in zip(found, says, strict=True))


# -- a step that fails


class Servers:
    """Servers that obey, and fail where a test says so: {(endpoint, first words): error}."""

    def __init__(self, have, fails):
        want, _have = usual()
        self.deployment, self.hosts = want["deployment"], names(want["deployment"])
        self.sentinels = {SHORT[f"s{n}"]: f"redis{n}" for n in (1, 2, 3)}
        self.have, self.fails, self.done, self.failed_over = have, fails, [], False

    def _do(self, endpoint, words):
        text = " ".join(map(str, words))
        for (where, start), error in self.fails.items():
            if where == endpoint and text.startswith(start):
                raise error
        self.done.append((endpoint, text))

    def command(self, endpoint, *words):
        self._do(endpoint, words)

    def together(self, endpoint, *commands):
        for words in commands:
            self._do(endpoint, words)

    def sentinel(self, endpoint, *words):
        self._do(endpoint, words)

    def state(self, endpoint):
        return self.have["nodes"][endpoint]

    def reported_primary(self, _endpoint):
        return R1

    def master(self, _endpoint):
        return {"flags": "master", "failover_timeout": 1}

    def replicas_known_to(self, _endpoint):
        done = [endpoint for endpoint, text in self.done if text.startswith("CONFIG SET replica-priority 1000")]
        return {
            endpoint: {"priority": 1000100 if endpoint in done else 100, "age": 650, "flags": []}
            for endpoint in (R2, R3)
        }


BEHIND = {"nodes": {"r3": {"offset": 90}}}
GONE = {(R1, "CONFIG SET min-replicas-to-write 1"): ConnectionError("gone")}


@pytest.mark.parametrize(
    ("change", "now", "fails", "says"),
    [
        ({}, BEHIND, {}, "redis3 is 10 bytes behind redis1 1 s after the pause; everything is as before"),
        ({}, {}, {(SHORT["s3"], "FAILOVER"): ConnectionError("NOGOODSLAVE")}, "NOGOODSLAVE; everything is as before"),
        ({}, {}, {}, "the Sentinel gave the failover up"),
        ({"nodes": {"r1": {"settings": {"min-replicas-to-write": 0}}}}, {}, GONE, "gone; everything is as before"),
    ],
    ids=["behind", "refused", "given up", "lost connection"],
)
def test_what_was_changed_is_put_back(monkeypatch, change, now, fails, says):
    monkeypatch.setattr(redis_switchover_pause, "CATCH_UP", 0.05 if not now else 1)
    want, have = usual()
    have = deep_merge(have, change)
    servers = Servers(deep_merge(have, now), fails)
    with pytest.raises(Failed, match=re.escape(says)):
        redis_switchover.take(servers, plan({**want, "target": R2}, have), have, lambda _text: None)
    assert (R1, "CLIENT PAUSE 3000 WRITE") in servers.done
    assert (R1, "CLIENT UNPAUSE") in servers.done
    assert [text for endpoint, text in servers.done if endpoint == R1 and "repl-ping" in text] == [
        "CONFIG SET repl-ping-replica-period 1000010",
        "CONFIG SET repl-ping-replica-period 10",
    ]
    assert (R3, "CONFIG SET replica-priority 1000100") in servers.done
    assert servers.done[-2:] == [(R3, "CONFIG SET replica-priority 100"), (R3, "CONFIG REWRITE")]
    assert not [text for _endpoint, text in servers.done if text.startswith("REPLICAOF")]
