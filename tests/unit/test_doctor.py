"""What the doctor finds: each file of cases/doctor is one finding, with what makes it and what is just not it.

`fires` and `quiet` change `usual`, three instances in line with three Sentinels, a node of Citus and a host of the
application: `have` is laid over the evidence, `want` over what should be, and `gone` takes a key away. `findings` are
all that come of it, as "host id", none where it is left out; `finding` is what one of them says, in parts.
"""

import copy
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import context as doctor_case
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import judge as doctor_judgement
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import report as doctor_report
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import variables as doctor_variables
from laid_over import laid_over

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/doctor.md"
CASES = sorted(Path(__file__).parent.glob("cases/doctor/*.yml"))
HOSTS = ("redis1", "redis2", "redis3")
ADDRESSES = {host: f"192.0.2.1{number}" for number, host in enumerate((*HOSTS, "watch1", "db1"), 1)}
LIMITS = yaml.safe_load((ROOT / "roles/doctor/vars/main.yml").read_text(encoding="utf-8"))["__doctor_thresholds"]
GIB = 1 << 30


def case_of(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def unit(pid=100):
    return {
        "load": "loaded", "active": "active", "sub": "running", "enabled": "enabled", "result": "success", "pid": pid,
        "restarts": 0, "replaced": False, "journal": [], "log": [],
    }  # fmt: skip


def server(host, port, kind):
    """What Redis and Sentinel have in common."""
    address = ADDRESSES[host]
    want = {
        "unit": f"redis-{kind}.service", "conf": f"/etc/redis/{'redis' if kind == 'server' else kind}.conf",
        "log": f"/var/log/redis/redis-{kind}.log", "addresses": ["127.0.0.1", address], "port": port,
    }  # fmt: skip
    have = {
        "unit": unit(),
        "file": {"exists": True, "mode": "0640", "problem": "", "password": True},
        "sockets": [
            {"address": each, "port": port, "pid": 100, "program": f"redis-{kind}"} for each in want["addresses"]
        ],
        "places": {f"{each} {port}": {"connects": True, "login": "accepted"} for each in want["addresses"]},
        "installed": "7.0.15", "login": "accepted", "words": "", "answers": True, "why": "",
    }  # fmt: skip
    return want, have


def info(host):
    lead = host == "redis1"
    return {
        "redis_version": "7.0.15", "used_cpu_sys": 1.0, "used_cpu_user": 1.0, "loading": 0,
        "used_memory": 64 << 20, "used_memory_rss": 70 << 20, "mem_fragmentation_ratio": 1.09, "maxmemory": 256 << 20,
        "maxmemory_policy": "allkeys-lru", "evicted_keys": 0, "expired_keys": 10, "keyspace_hits": 9500,
        "keyspace_misses": 500, "connected_clients": 20, "blocked_clients": 0, "rejected_connections": 0,
        "total_commands_processed": 20000, "total_net_output_bytes": 2000000, "latest_fork_usec": 400,
        "rdb_last_bgsave_status": "ok", "rdb_changes_since_last_save": 3, "aof_enabled": 0,
        "aof_last_write_status": "ok", "aof_last_bgrewrite_status": "ok", "db0": "keys=1000,expires=1000,avg_ttl=9",
        "role": "master" if lead else "slave", "connected_slaves": 2 if lead else 0, "master_repl_offset": 5000,
        **(
            {
                "min_slaves_good_slaves": 2,
                "slave0": "ip=192.0.2.12,port=6379,state=online,offset=5000,lag=0",
                "slave1": "ip=192.0.2.13,port=6379,state=online,offset=5000,lag=1",
            }
            if lead
            else {
                "master_host": "192.0.2.11", "master_port": 6379, "master_link_status": "up",
                "master_sync_in_progress": 0, "master_last_io_seconds_ago": 1, "slave_repl_offset": 5000,
            }
        ),
    }  # fmt: skip


def redis(host):
    want, have = server(host, 6379, "server")
    want.update(folder="/var/lib/redis", deployment="cache", mode="sentinel")
    have.update(
        info=info(host), later=info(host), seconds=1.0, ping_ms=0.2, slow=[], latency={}, drift=[], may_write=True,
        swapped=0,
        config={
            "protected-mode": "yes", "maxclients": "10000", "save": "900 1", "appendonly": "no", "tcp-backlog": "511",
            "stop-writes-on-bgsave-error": "yes", "min-replicas-to-write": "1",
        },
    )  # fmt: skip
    return want, have


def sentinel(host):
    want, have = server(host, 26379, "sentinel")
    monitor = {
        "primary": "192.0.2.11 6379", "flags": ["master"], "quorum": 2, "ckquorum": True,
        "ckquorum_says": "OK 3 usable Sentinels.",
        "replicas": {"192.0.2.12 6379": ["slave"], "192.0.2.13 6379": ["slave"]},
        "sentinels": {f"{ADDRESSES[each]} 26379": ["sentinel"] for each in HOSTS if each != host},
    }  # fmt: skip
    have.update(version="7.0.15", tilt=False, monitors={"cache": monitor})
    return want, have


DISK = {
    "exists": True, "total": 100 * GIB, "free": 60 * GIB, "files": 1000000, "files_free": 900000, "read_only": False,
}  # fmt: skip


def machine(folders):
    return {
        "container": False, "cores": 2, "load": 0.1,
        "memory": {"total": 4 * GIB, "available": 3 * GIB, "swap_total": 0, "swap_free": 0},
        "kernel": {"vm.overcommit_memory": "1", "transparent_hugepage": "madvise", "net.core.somaxconn": "4096"},
        "killed": [],
        "clock": {"synchronized": True, "service": "chrony", "now": 1000000.0},
        "disks": {folder: dict(DISK) for folder in folders},
    }  # fmt: skip


def application():
    ends = [f"{ADDRESSES[host]}:26379" for host in HOSTS]
    login = {"connects": True, "login": "accepted", "words": "", "ms": 0.3}
    return {
        "exists": True, "mode": "0600", "wrong_lines": [], "missing": [], "differs": [], "kind": "sentinel",
        "shown": {"REDIS_SENTINELS": ",".join(ends), "REDIS_SENTINEL_MASTER": "cache"},
        "url": "redis+sentinel://...", "sentinels": {end: {**login, "names": "192.0.2.11 6379"} for end in ends},
        "redis": {"192.0.2.11 6379": {**login, "role": "master"}}, "replicas": {},
        "database": {"place": "192.0.2.15 5432", "connects": True, "tls": "verified", "login": "accepted"},
    }  # fmt: skip


def usual():
    """Return (want, evidence) of a deployment where all is well."""
    nodes = [
        {"host": host, "address": ADDRESSES[host], "port": 6379, "place": f"{ADDRESSES[host]} 6379"} for host in HOSTS
    ]
    ends = [{**node, "port": 26379, "place": f"{node['address']} 26379"} for node in nodes]
    want = {
        "inventory": "-i inventories/staging",
        "limits": dict(LIMITS),
        "sentinels": {},
        "cluster": {"coordinator": {"host": "db1"}},
        "deployments": {
            "cache": {
                "name": "cache", "mode": "sentinel", "quorum": 2, "initial_primary": "redis1",
                "initial": "192.0.2.11 6379", "nodes": nodes, "sentinels": ends,
            }
        },
        "hosts": {},
    }  # fmt: skip
    evidence = {}
    for host in HOSTS:
        (of_redis, redis_says), (of_sentinel, sentinel_says) = redis(host), sentinel(host)
        want["hosts"][host] = {"machine": f"{ADDRESSES[host]} 22", "redis": of_redis, "sentinel": of_sentinel}
        evidence[host] = {
            "machine": machine(["/var/lib/redis", "/var/log/redis"]), "redis": redis_says, "sentinel": sentinel_says,
        }  # fmt: skip
    want["hosts"]["watch1"] = {"machine": "192.0.2.14 22", "app": {"path": "/srv/app/.env"}}
    evidence["watch1"] = {"machine": machine(["/"]), "app": application()}
    want["hosts"]["db1"] = {
        "machine": "192.0.2.15 22",
        "citus": {
            "unit": "postgresql@17-citus.service", "log": "", "addresses": ["192.0.2.15"], "port": 5432,
        },
    }  # fmt: skip
    evidence["db1"] = {
        "machine": machine(["/var/lib/postgresql"]),
        "citus": {
            "unit": {**unit(), "enabled": "enabled-runtime"},
            "sockets": [{"address": "192.0.2.15", "port": 5432, "pid": 0, "program": ""}],
            "places": {"192.0.2.15 5432": {"connects": True}},
            "certificates": {"/etc/ssl/cistern-citus/node.crt": {"exists": True, "ends": 1000000 + 300 * 86400}},
        },
    }
    for says in evidence.values():
        says["clock"] = {"least": -0.5, "most": 0.5}
    return want, evidence


def changed(base, change):
    return without_gone(laid_over(base, change))


def without_gone(value):
    if not isinstance(value, dict):
        return value
    return {key: without_gone(item) for key, item in value.items() if item != "gone"}


def judged(part):
    want, evidence = usual()
    want, evidence = changed(want, part.get("want", {})), changed(evidence, part.get("have", {}))
    untouched = copy.deepcopy((want, evidence))
    found = doctor_judgement.judge(want, evidence)
    assert (want, evidence) == untouched
    return found, evidence


def test_a_deployment_where_all_is_well_has_no_finding():
    assert judged({})[0] == []


def test_every_finding_has_its_case():
    assert {path.stem for path in CASES} == set(doctor_case.catalogue()) and len(CASES) > 100


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_finding(path):
    case, name = case_of(path), path.stem
    found, _evidence = judged(case["fires"])
    assert sorted(f"{each.host} {each.id}" for each in found) == sorted(case["fires"]["findings"])
    [mine] = [each for each in found if each.id == name][:1]
    told = case["fires"]["finding"]
    assert mine.says == told["says"]
    assert {key: mine.evidence.get(key) for key in told.get("evidence", {})} == told.get("evidence", {})
    assert mine.mend and mine.mend == told.get("mend", mine.mend)
    assert mine.severity == told.get("severity", doctor_case.catalogue()[name]["severity"])
    assert all(isinstance(value, (str, list)) for value in mine.evidence.values())


def test_each_command_can_be_pasted():
    """A shell takes it as it stands."""
    offered = [each.mend for path in CASES for each in judged(case_of(path)["fires"])[0]]
    subprocess.run(["sh", "-n"], input="\n".join(offered), text=True, check=True)
    assert {"redis-cli", "ansible-playbook", "systemctl", "du"} <= {shlex.split(each)[0] for each in offered}


def test_a_command_takes_names_as_they_are():
    odd = "/srv/the app's; rm -rf x/.env"
    case = doctor_case.Case({"inventory": "-i inventories/staging", "limits": {}}, {})
    assert shlex.split(case.play("app_env", limit="app 1")) == [
        "ansible-playbook", "-i", "inventories/staging", "playbooks/app_env.yml", "--limit", "app 1",
    ]  # fmt: skip
    assert shlex.split(f"chmod o= {doctor_case.word(odd)}")[-1] == odd
    far = {"addresses": ["192.0.2.11", "fd00::1"], "port": 6380}
    assert doctor_case.cli(far, "ping") == "redis-cli -h 192.0.2.11 -p 6380 ping"
    assert doctor_case.cli({"addresses": ["192.0.2.11", "127.0.0.1"], "port": 6379}, "ping") == "redis-cli ping"
    for end in ("fd00::1 6379", "[fd00::1]:6379"):
        assert doctor_case.knock(end) == "nc -vz fd00::1 6379"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_is_just_not_it_is_quiet(path):
    quiet = case_of(path)["quiet"]
    assert quiet.get("have") or quiet.get("want")
    found, _evidence = judged(quiet)
    assert path.stem not in [each.id for each in found]
    assert sorted(f"{each.host} {each.id}" for each in found) == sorted(quiet.get("findings", []))


# -- how it is told


def test_report_has_severity_host_evidence_and_command():
    found, evidence = judged(case_of(ROOT / "tests/unit/cases/doctor/redis-failed.yml")["fires"])
    lines = doctor_report.lines(found, evidence)
    assert lines[0] == doctor_report.summary(found, evidence) == "5 hosts asked: 1 critical, 0 warnings, 0 notes."
    assert lines[2:5] == [
        "CRITICAL",
        "  redis2 (cache)",
        "    redis-failed: redis-server.service has failed and does not run.",
    ]
    assert lines[-1].startswith("      mend: ansible-playbook -i inventories/staging playbooks/redis.yml")


def test_document_is_what_the_page_says():
    found, evidence = judged(case_of(ROOT / "tests/unit/cases/doctor/host-unreachable.yml")["fires"])
    document = json.loads(json.dumps(doctor_report.document(found, evidence, "2026-01-01T00:00:00Z")))
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"`{key}`" in page for key in [*document, *document["findings"][0]])
    assert document["hosts"]["redis3"] == "unreachable" and document["counts"]["critical"] == 1


def test_page_has_every_finding():
    page = PAGE.read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    told = {row[1].strip(" `"): (row[2].strip(), row[3].strip().replace("`", "")) for row in rows if len(row) == 5}
    known = {name: (each["severity"], each["means"].replace("`", "")) for name, each in doctor_case.catalogue().items()}
    assert told == known


def test_every_part_of_the_catalogue_is_a_heading_of_the_page():
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"### {each['part']}\n" in page for each in doctor_case.catalogue().values())


def test_thresholds_of_the_page_are_those_of_the_role():
    [block] = re.findall(r"```yaml\n(doctor_thresholds:.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert yaml.safe_load(block)["doctor_thresholds"] == LIMITS


# -- where a place makes a finding graver, or less


@pytest.mark.parametrize(
    ("have", "says"),
    [
        ({"machine": {"container": True, "kernel": {"vm.overcommit_memory": "0"}}}, ("kernel-overcommit", "note")),
        ({"redis": {"later": {"rejected_connections": 3}}}, ("clients-rejected", "critical")),
        (
            {"redis": {"later": {"maxmemory_policy": "noeviction", "db0": "keys=900,expires=1,avg_ttl=1"}}},
            ("keys-without-ttl", "warning"),
        ),
    ],
)
def test_severity_follows_the_place(have, says):
    [found] = judged({"have": {"redis1": have}})[0]
    assert (found.id, found.severity) == says


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
    ("values", "says"),
    [
        ({"doctor_thresholds": {"memory_shares": 0.9}}, "no such threshold; did you mean memory_share?"),
        ({"doctor_thresholds": {"memory_share": "0.95"}}, "memory_share in doctor_thresholds: must be a number"),
        ({"doctor_thresholds": {"memory_share": 95}}, "must be a share between 0 and 1"),
        ({"doctor_thresholds": {"replica_behind_mb": 0.5}}, ""),
        ({"doctor_seconds": 0}, "doctor_seconds: is 0; write seconds"),
        ({"doctor_json": "/no/such/folder/f.json"}, "there is no folder /no/such/folder on this machine"),
        ({"doctor_json": "/tmp/f.json"}, ""),
        ({"doctor_stict": True}, "did you mean doctor_strict?"),
    ],
)
def test_variables_are_held_against_what_is_known(values, says):
    host = doctor_variables.Host("redis1", values, {}, {})
    errors = doctor_variables.check([host, host], role_files.options("doctor"), LIMITS)
    assert len(errors) == bool(says) and says in "".join(errors)


def test_a_threshold_may_be_a_fraction():
    want, evidence = usual()
    want["limits"].update(replica_behind_mb=0.5, fragmentation_mb=0.5)
    doctor_judgement.judge(want, evidence)
