"""What the doctor finds follows what should be: modes, machines that hosts share, who was asked."""

import pytest
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import judge as doctor_judgement
from deep_merge import deep_merge
from doctor_evidence import DISK, HOSTS, PLAY, STOPPED, judged, usual

REPLICA = {
    "role": "slave", "master_host": "192.0.2.12", "master_port": 6379, "master_link_status": "up", "slave0": "gone",
    "slave1": "gone",
}  # fmt: skip
LEADS = {"role": "master", "min_slaves_good_slaves": 1}
FOLLOWED = {**LEADS, "connected_slaves": 1}
FORKS_BADLY = {"kernel": {"vm.overcommit_memory": "0", "transparent_hugepage": "always"}}
ONE_MACHINE = {"hosts": {host: {"machine": "192.0.2.11 22"} for host in HOSTS[:2]}}


def mode_is(mode, **deployment):
    hosts = {host: {"redis": {"mode": mode}} for host in HOSTS}
    return {"deployments": {"cache": {"mode": mode, **deployment}}, "hosts": hosts}


@pytest.mark.parametrize(
    ("want", "have", "name", "told"),
    [
        (
            mode_is("standalone"),
            {"redis1": {"redis": {"installed": "7.0.16"}}},
            "redis-restart-pending",
            ("redis1", "systemctl restart redis-server.service"),
        ),
        (mode_is("standalone"), {"redis1": {"redis": {"later": REPLICA}}}, "replication-no-primary", None),
        # a host with a Sentinel alone forks nothing
        ({"hosts": {"watch1": {"sentinel": {}}}}, {"watch1": {"machine": FORKS_BADLY}}, "kernel-overcommit", None),
        ({"hosts": {"watch1": {"sentinel": {}}}}, {"watch1": {"machine": FORKS_BADLY}}, "kernel-hugepages", None),
        (
            {"hosts": {"watch1": {"redis": {"deployment": "other"}}}},
            {"watch1": {"machine": FORKS_BADLY}},
            "kernel-overcommit",
            ("watch1", f"{PLAY}/redis.yml --limit watch1"),
        ),
        # two instances of one machine: each has room, both have none
        (
            ONE_MACHINE,
            {host: {"redis": {"info": {"maxmemory": 3 << 30}}} for host in HOSTS[:2]},
            "memory-over-machine",
            ("redis1", "redis-cli config set maxmemory 2147483648"),
        ),
        ({}, {host: {"redis": {"info": {"maxmemory": 3 << 30}}} for host in HOSTS[:2]}, "memory-over-machine", None),
        (
            ONE_MACHINE,
            {"redis1": {"redis": {"info": {"maxmemory": 4 << 30}}}, "redis2": {"redis": STOPPED}},
            "memory-over-machine",
            None,
        ),
        (
            ONE_MACHINE,
            {host: {"machine": {"memory": {"available": 0}}} for host in HOSTS[:2]},
            "machine-memory-low",
            ("redis1", "ps -eo rss,pid,comm --sort=-rss | head"),
        ),
        # who is primary, where no Sentinel says so
        (
            mode_is("replication", sentinels=[]),
            {"redis1": {"redis": {"later": REPLICA}}},
            "replication-no-primary",
            ("redis1", f"{PLAY}/redis.yml"),
        ),
        (
            mode_is("replication"),
            {"redis1": {"redis": {"later": REPLICA}}},
            "replication-no-primary",
            ("redis1", f"{PLAY}/redis.yml"),
        ),
        (
            mode_is("sentinel", sentinels=[]),
            {"redis1": {"redis": {"later": REPLICA}}},
            "replication-no-primary",
            ("redis1", f"{PLAY}/redis.yml"),
        ),
        ({}, {"redis1": {"redis": {"later": REPLICA}}, "redis3": "gone"}, "replication-no-primary", None),
        ({}, dict.fromkeys(HOSTS, "gone"), "replication-no-primary", None),
        # the one that nobody follows is the one too many; where each is followed, the first stays
        (
            mode_is("replication", sentinels=[]),
            {"redis2": {"redis": {"later": LEADS}}},
            "replication-two-primaries",
            ("redis2", "redis-cli replicaof 192.0.2.11 6379"),
        ),
        (
            mode_is("replication", sentinels=[]),
            {"redis1": {"redis": {"later": {"connected_slaves": 0}}}, "redis2": {"redis": {"later": FOLLOWED}}},
            "replication-two-primaries",
            ("redis1", "redis-cli replicaof 192.0.2.12 6379"),
        ),
        (
            mode_is("replication", sentinels=[]),
            {"redis2": {"redis": {"later": FOLLOWED}}},
            "replication-two-primaries",
            ("redis2", "redis-cli replicaof 192.0.2.11 6379"),
        ),
        # a coordinator that is no host of the inventory
        (
            {"cluster": {"coordinator": "gone"}},
            {"watch1": {"app": {"database": {"connects": False, "why": "timed out"}}}},
            "env-database-unreachable",
            ("watch1", "nc -vz 192.0.2.15 5432"),
        ),
        (
            {"limits": {"replica_behind_mb": 2}},
            {"redis2": {"redis": {"later": {"slave_repl_offset": 5000 - (3 << 19)}}}},
            "replication-lag",
            None,
        ),
    ],
)
def test_what_is_found_follows_what_should_be(want, have, name, told):
    found = [each for each in judged({"want": want, "have": have})[0] if each.id == name]
    assert [(each.host, each.fix) for each in found] == ([told] if told else [])


@pytest.mark.parametrize("mode", ["replication", "sentinel"])
def test_where_no_sentinel_was_asked_none_is_missed(mode):
    change = {"mode": mode, "sentinels": []}
    found = judged({"want": {"deployments": {"cache": change}}})[0]
    assert [each.id for each in found if each.id.startswith("sentinel-")] == []


def test_two_hosts_are_enough_to_compare_clocks():
    off = {"clock": {"least": 4.0, "most": 5.0}}
    rest = dict.fromkeys(("redis3", "watch1", "db1"), {"clock": "gone"})
    assert [(each.id, each.host) for each in judged({"have": {"redis2": off, **rest}})[0]] == [
        ("clock-differs", "redis2")
    ]
    assert judged({"have": {"redis2": off, "redis1": {"clock": "gone"}, **rest}})[0] == []


def test_every_folder_of_a_machine_is_judged_and_each_once():
    want, evidence = usual()
    want["hosts"]["db1"]["machine"] = want["hosts"]["redis1"]["machine"]
    for host, folders in (("redis1", ["/srv"]), ("db1", ["/srv", "/var/lib/postgresql"])):
        evidence[host]["machine"]["disks"] = {folder: {**DISK, "free": 0} for folder in folders}
    found = [each for each in doctor_judgement.judge(want, evidence) if each.id == "disk-full"]
    assert [(each.host, each.evidence["folder"]) for each in found] == [
        ("redis1", "/srv"),
        ("db1", "/var/lib/postgresql"),
    ]


@pytest.mark.parametrize(
    ("have", "found"),
    [
        ({"redis": {"info": {"maxmemory": 5 << 30}, "later": {"maxmemory": 5 << 30}}}, "memory-over-machine"),
        ({"machine": {"kernel": {"vm.overcommit_memory": "0"}}}, "kernel-overcommit"),
    ],
)
@pytest.mark.parametrize("part", ["app", "sentinel"])
def test_a_machine_of_redis_is_judged_as_one_whichever_of_its_hosts_comes_first(part, have, found):
    want, evidence = usual()
    evidence["redis1"] = deep_merge(evidence["redis1"], have)
    machine = evidence["redis1"]["machine"]
    want["hosts"] = {"first": {"machine": want["hosts"]["redis1"]["machine"], part: {}}, **want["hosts"]}
    evidence = {"first": {"machine": machine}, **evidence}
    assert [f"{each.host} {each.id}" for each in doctor_judgement.judge(want, evidence)] == [f"redis1 {found}"]
