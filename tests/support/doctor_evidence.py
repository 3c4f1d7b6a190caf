"""What the doctor is given of a deployment where all is well, and what it finds where some of that is changed."""

import copy
from pathlib import Path

import yaml
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import judge as doctor_judgement
from deep_merge import deep_merge

ROOT = Path(__file__).resolve().parents[2]
HOSTS = ("redis1", "redis2", "redis3")
ADDRESSES = {host: f"192.0.2.1{number}" for number, host in enumerate((*HOSTS, "watch1", "db1"), 1)}
LIMITS = yaml.safe_load((ROOT / "roles/doctor/vars/main.yml").read_text(encoding="utf-8"))["__doctor_thresholds"]
GIB = 1 << 30
REFUSES = {"connects": False, "why": "Connection refused"}
DEAF = {"127.0.0.1 6379": REFUSES, "192.0.2.11 6379": REFUSES}
STOPPED = {
    "unit": {"active": "inactive", "sub": "dead", "pid": 0}, "answers": False, "login": "", "sockets": [],
    "endpoints": DEAF, "info": "gone", "later": "gone", "config": "gone",
}  # fmt: skip
PLAY = "ansible-playbook -i inventories/staging playbooks"


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
        "endpoints": {f"{each} {port}": {"connects": True, "login": "accepted"} for each in want["addresses"]},
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
        "database": {"endpoint": "192.0.2.15 5432", "connects": True, "tls": "verified", "login": "accepted"},
    }  # fmt: skip


def usual():
    """Return (want, evidence) of a deployment where all is well."""
    nodes = [
        {"host": host, "address": ADDRESSES[host], "port": 6379, "endpoint": f"{ADDRESSES[host]} 6379"}
        for host in HOSTS
    ]
    ends = [{**node, "port": 26379, "endpoint": f"{node['address']} 26379"} for node in nodes]
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
            "endpoints": {"192.0.2.15 5432": {"connects": True}},
            "certificates": {"/etc/ssl/cistern-citus/node.crt": {"exists": True, "ends": 1000000 + 300 * 86400}},
        },
    }
    for observed in evidence.values():
        observed["clock"] = {"least": -0.5, "most": 0.5}
    return want, evidence


def changed(base, change):
    return without_gone(deep_merge(base, change))


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


def of_redis(**info):
    """What is the same in both samples of an instance."""
    return {"redis1": {"redis": {"info": info, "later": info}}}


def of_disk(**disk):
    return {"redis1": {"machine": {"disks": {"/var/lib/redis": {"total": 1000, "files": 1000, **disk}}}}}


def replica(**info):
    return {"redis2": {"redis": {"later": info}}}


def of_redis1(**redis):
    return {"redis1": {"redis": redis}}
