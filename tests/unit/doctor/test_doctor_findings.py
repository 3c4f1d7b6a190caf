"""What a finding says where the evidence is another than in its case."""

import pytest
from doctor_evidence import DEAF, HOSTS, PLAY, REFUSES, STOPPED, judged, of_disk, of_redis, of_redis1, replica

UNPROTECTED = {"protected-mode": "no"}
NO_ENDPOINTS = {"127.0.0.1 6379": "gone", "192.0.2.11 6379": "gone"}
NO_HITS = {"keyspace_hits": 100, "keyspace_misses": 1900}
SOCKET = {"port": 6379, "pid": 100, "program": "redis-server"}
STRANGER = {"port": 6379, "pid": 7, "program": "nc"}
CONF = "/etc/redis/redis.conf"


def version(number):
    return {"redis": {"info": {"redis_version": number}, "later": {"redis_version": number}, "installed": number}}


def unit(**state):
    return {"redis1": {"redis": {"unit": state}}}


SILENT = {"connects": False, "why": "timed out", "login": "", "names": "gone"}
ANSWERS = {"connects": True, "login": "accepted", "words": "", "ms": 0.3}
SILENT_SENTINEL = {"answers": False, "login": "busy", "monitors": {"cache": "gone"}}


def sentinels_of_app(*says):
    return {"watch1": {"app": {"sentinels": {f"192.0.2.1{n}:26379": each for n, each in enumerate(says, start=1)}}}}


def monitors(hosts, **says):
    return {host: {"sentinel": {"monitors": {"cache": says}}} for host in hosts}


def kernel(container, **state):
    state = {{"overcommit": "vm.overcommit_memory", "pages": "transparent_hugepage"}[k]: v for k, v in state.items()}
    return {"redis1": {"machine": {"container": container, "kernel": state}}}


@pytest.mark.parametrize(
    ("have", "name", "told"),
    [
        # a server that answers at none of the addresses where it should be
        (
            {"redis1": {"redis": {"endpoints": NO_ENDPOINTS, "config": UNPROTECTED}}},
            "redis-protected-off",
            {"mend": "redis-cli config set protected-mode yes"},
        ),
        (
            {"redis1": {"redis": {"endpoints": NO_ENDPOINTS, "answers": False, "config": UNPROTECTED}}},
            "redis-protected-off",
            None,
        ),
        (
            {"redis1": {"redis": {"answers": False, "endpoints": DEAF, "config": UNPROTECTED}}},
            "redis-protected-off",
            {"host": "redis1"},
        ),
        (
            {"redis1": {"redis": {"login": "refused", "words": "WRONGPASS", "file": {"password": False}}}},
            "redis-password-refused",
            {"evidence": {"says": "WRONGPASS", CONF: "has another one too"}},
        ),
        (
            {"redis1": {"redis": {"login": "refused", "words": "WRONGPASS", "file": {"password": "gone"}}}},
            "redis-password-refused",
            {"evidence": {"says": "WRONGPASS", CONF: None}},
        ),
        (
            {"redis1": {"redis": {"answers": False, "why": "timed out", "endpoints": {"127.0.0.1 6379": REFUSES}}}},
            "redis-hangs",
            {"evidence": {"why": "timed out"}},
        ),
        (
            {"redis1": {"redis": {"installed": "7.0.16"}}},
            "redis-restart-pending",
            {
                "evidence": {"runs": "7.0.15", "installed": "7.0.16"},
                "mend": f"{PLAY}/redis_restart.yml -e redis_restart=cache",
            },
        ),
        ({"redis1": {"redis": {"installed": ""}}}, "redis-restart-pending", None),
        ({"redis1": {"redis": {"info": {"redis_version": "gone"}}}}, "redis-restart-pending", None),
        # the ninth comes before the fifteenth
        (
            {"redis1": version("7.0.9")},
            "redis-versions-differ",
            {"host": "redis1", "says": "The Redis versions of cache differ: redis1 behind the others."},
        ),
        (
            {"redis1": version("7.0.16")},
            "redis-versions-differ",
            {"host": "redis2", "says": "The Redis versions of cache differ: redis2, redis3 behind the others."},
        ),
        # the unit of a server
        (
            unit(active="failed", sub="failed", log=[], journal=["no room"], result="exit-code"),
            "redis-failed",
            {
                "evidence": {
                    "unit": "redis-server.service",
                    "state": "failed (failed)",
                    "result": "exit-code",
                    "last lines": ["no room"],
                }
            },
        ),
        (
            unit(active="activating", sub="auto-restart", result="success"),
            "redis-failed",
            {"evidence": {"unit": "redis-server.service", "state": "activating (auto-restart)", "result": None}},
        ),
        (unit(active="activating", sub="start"), "redis-stopped", {"says": "redis-server.service is starting."}),
        (unit(active="deactivating", sub="stop"), "redis-stopped", {"says": "redis-server.service is stopping."}),
        (unit(active="inactive", sub="dead"), "redis-stopped", {"says": "redis-server.service is stopped."}),
        (unit(restarts=1), "redis-restarted", {"evidence": {"restarts": "1 time"}}),
        (unit(load="masked", enabled="disabled"), "redis-not-enabled", None),
        # a port that somebody else has too, at another address
        (
            {"redis1": {"redis": {"sockets": [{**STRANGER, "address": "10.0.0.1"}, {**SOCKET, "address": "*"}]}}},
            "redis-port-taken",
            None,
        ),
        (
            {"redis1": {"redis": {"sockets": [{**STRANGER, "address": "192.0.2.11"}]}}},
            "redis-port-taken",
            {"says": "Port 6379 belongs to another program.", "evidence": {"program": "nc (process 7)"}},
        ),
        (
            {
                "redis1": {
                    "redis": {"sockets": [], "endpoints": {"127.0.0.1 6379": REFUSES, "192.0.2.11 6379": REFUSES}}
                }
            },
            "redis-not-listening",
            {
                "says": "Redis runs and does not listen on 127.0.0.1, 192.0.2.11 port 6379, where clients go.",
                "evidence": {"listens on": "nothing"},
            },
        ),
        ({"redis1": {"redis": {"sockets": []}}}, "redis-not-listening", None),
        (
            {"redis1": {"redis": {"file": {"exists": False, "mode": "", "why": "No such file"}}}},
            "redis-conf-broken",
            {"says": f"{CONF} cannot be read.", "evidence": {"why": "No such file"}},
        ),
        ({"redis1": {"redis": {"file": {"mode": "0641"}}}}, "redis-conf-open", {"evidence": {"mode": "0641"}}),
        # a container has the kernel of the machine that runs it
        (kernel(True, overcommit="0"), "kernel-overcommit", {"mend": "sysctl vm.overcommit_memory=1"}),
        (
            kernel(False, overcommit="2"),
            "kernel-overcommit",
            {"mend": f"{PLAY}/redis.yml --limit redis1", "evidence": {}},
        ),
        (kernel(False, overcommit="gone"), "kernel-overcommit", None),
        (
            kernel(True, pages="always"),
            "kernel-hugepages",
            {
                "mend": "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
                "severity": "note",
                "evidence": {"where": "on the machine that runs this container"},
            },
        ),
        (
            {"redis1": {"machine": {"kernel": {"net.core.somaxconn": "510"}}}},
            "kernel-somaxconn",
            {
                "mend": f"{PLAY}/redis.yml --limit redis1",
                "evidence": {"net.core.somaxconn": "510 connections", "tcp-backlog": "511 connections"},
            },
        ),
        ({"redis1": {"machine": {"kernel": {"net.core.somaxconn": "gone"}}}}, "kernel-somaxconn", None),
        # a file system that tells no sizes
        (of_disk(total=0, free=0), "disk-full", None),
        (of_disk(total=0, free=0), "disk-low", None),
        ({"redis1": {"machine": {"clock": {"synchronized": None}}}}, "clock-unsynchronized", None),
        (
            {"redis1": {"machine": {"clock": {"synchronized": False}}}},
            "clock-unsynchronized",
            {"evidence": {"service": "chrony"}},
        ),
        (
            {"redis2": {"clock": {"least": -5.0, "most": -4.0}}},
            "clock-differs",
            {"host": "redis2", "says": "Its clock differs from that of redis1."},
        ),
        # memory
        (
            of_redis(maxmemory=1000, used_memory=900),
            "memory-at-limit",
            {"mend": "redis-cli config set maxmemory 67108864"},
        ),
        (
            of_redis1(later={"evicted_keys": 1}, seconds=0.5),
            "memory-evicting",
            {"evidence": {"evicted": "1 keys in 0.5 s, 1 in all"}},
        ),
        (
            of_redis(db0="keys=100"),
            "keys-without-ttl",
            {"severity": "note", "evidence": {"keys": "100 keys", "without": "100 keys (100.0 %)"}},
        ),
        # what clients wait for
        (of_redis1(config={"maxclients": "gone"}), "clients-near-limit", None),
        (
            of_redis1(config={"maxclients": "gone"}, later={"maxclients": 20}),
            "clients-near-limit",
            {"evidence": {"connected_clients": "20 clients", "maxclients": "20 clients"}},
        ),
        (
            of_redis1(slow=[{"ms": ms, "seconds_ago": 1, "command": "GET"} for ms in (300, 700, 600, 200, 500, 400)]),
            "slow-commands",
            {"evidence": {"slowest": [f"GET: {ms} ms, 1.0 s ago" for ms in (700, 600, 500, 400, 300)]}},
        ),
        (
            {"redis1": {"redis": {"info": {**NO_HITS, "evicted_keys": 50}}}},
            "hit-rate-low",
            {
                "evidence": {
                    "hit rate": "5.0 % of 2000 lookups",
                    "evicted": "50 keys",
                    "expired": "10 keys",
                    "deleted": "0 calls of DEL and UNLINK",
                    "most likely": "it needs more memory",
                },
                "mend": "redis-cli config set maxmemory 536870912",
            },
        ),
        (
            {"redis1": {"redis": {"info": {**NO_HITS, "evicted_keys": 50, "maxmemory": 1000}}}},
            "hit-rate-low",
            {"mend": "redis-cli config set maxmemory 67108864"},
        ),
        (
            {"redis1": {"redis": {"info": {**NO_HITS, "cmdstat_del": "calls=6", "cmdstat_unlink": "calls=5,usec=9"}}}},
            "hit-rate-low",
            {
                "evidence": {"deleted": "11 calls of DEL and UNLINK", "most likely": "much is invalidated"},
                "mend": "redis-cli info commandstats | grep -E 'cmdstat_(del|unlink|set|get)'",
            },
        ),
        (
            {"redis1": {"redis": {"info": {**NO_HITS, "expired_keys": 0, "cmdstat_del": "usec=9"}}}},
            "hit-rate-low",
            {"evidence": {"most likely": "keys are asked for before they are written"}},
        ),
        # what lies on disk
        (of_redis1(may_write=False, config={"save": "", "appendonly": "yes"}), "disk-not-writable", {"host": "redis1"}),
        (of_redis1(may_write=False, config={"save": "900 1"}), "disk-not-writable", {"host": "redis1"}),
        (of_redis1(may_write=False, config="gone"), "disk-not-writable", {"host": "redis1"}),
        (of_redis1(may_write=None), "disk-not-writable", None),
        *(
            (
                {"redis1": {"redis": {"later": {"rdb_last_bgsave_status": "err"}, "config": config}}},
                "save-failed",
                {
                    "evidence": {
                        "rdb_last_bgsave_status": "err",
                        "rdb_changes_since_last_save": "3 changes",
                        "writes": None,
                    }
                },
            )
            for config in ({"save": ""}, {"stop-writes-on-bgsave-error": "no"})
        ),
        # replicas
        (
            {"redis1": {"redis": {"later": {"min_slaves_good_slaves": 1}, "config": {"min-replicas-to-write": "2"}}}},
            "replication-min-replicas",
            {"evidence": {"min-replicas-to-write": "2 replicas", "good": "1 replica"}},
        ),
        (of_redis1(config={"min-replicas-to-write": "2"}), "replication-min-replicas", None),
        (
            {
                "redis1": {
                    "redis": {"later": {"min_slaves_good_slaves": 0}, "config": {"min-replicas-to-write": "gone"}}
                }
            },
            "replication-min-replicas",
            None,
        ),
        (
            {"redis1": {"redis": {"later": {"min_slaves_good_slaves": "gone"}}}},
            "replication-min-replicas",
            {"evidence": {"min-replicas-to-write": "1 replica", "good": "0 replicas"}},
        ),
        (
            replica(master_link_status="down"),
            "replication-link-down",
            {"evidence": {"primary": "192.0.2.11 6379", "down for": None}},
        ),
        (
            replica(master_link_status="down", master_link_down_since_seconds=0),
            "replication-link-down",
            {"evidence": {"primary": "192.0.2.11 6379", "down for": "0.0 s"}},
        ),
        (
            replica(master_link_status="down", master_link_down_since_seconds=-1),
            "replication-link-down",
            {"evidence": {"primary": "192.0.2.11 6379", "down for": None}},
        ),
        (
            replica(slave_repl_offset=5000 - (2 << 20), master_last_io_seconds_ago="gone"),
            "replication-lag",
            {"evidence": {"behind": "2.0 MiB", "last word of its primary": "0 s ago"}},
        ),
        (
            replica(slave_repl_offset=6000, master_last_io_seconds_ago=60),
            "replication-lag",
            {"evidence": {"behind": "0 B", "last word of its primary": "60 s ago"}},
        ),
        # the application
        ({"watch1": {"app": {"unreadable": True}}}, "env-unreadable", {"evidence": {"lines": None}}),
        ({"watch1": {"app": {"mode": "0601"}}}, "env-open", {"mend": "chmod o= /srv/app/.env"}),
        (
            {"watch1": {"app": {"differs": ["REDIS_PASSWORD"]}}},
            "env-differs",
            {"evidence": {"keys": "REDIS_PASSWORD", "REDIS_SENTINELS": None}},
        ),
        (
            sentinels_of_app({"login": "refused", "words": "WRONGPASS", "names": ""}, {"names": ""}, {"names": ""}),
            "env-sentinel-password-refused",
            {"evidence": {"refused by": "192.0.2.11:26379", "says": "WRONGPASS"}},
        ),
        (
            sentinels_of_app({"login": "refused", "words": "WRONGPASS", "names": ""}, {"names": ""}, {"names": ""}),
            "env-sentinel-master",
            None,
        ),
        (
            sentinels_of_app(SILENT, {"names": ""}, {"names": "gone"}),
            "env-sentinel-master",
            {"evidence": {"REDIS_SENTINEL_MASTER": "cache"}},
        ),
        (sentinels_of_app({"names": ""}, {"names": ""}), "env-sentinel-master", None),
        (sentinels_of_app(SILENT, SILENT, SILENT), "env-sentinel-master", None),
        (
            sentinels_of_app(SILENT, SILENT),
            "env-sentinel-unreachable",
            {
                "says": "The application does not reach the Sentinel 192.0.2.11:26379, 192.0.2.12:26379.",
                "mend": "nc -vz 192.0.2.11 26379",
            },
        ),
        (
            {"watch1": {"app": {"kind": "server", **sentinels_of_app(SILENT)["watch1"]["app"]}}},
            "env-sentinel-unreachable",
            None,
        ),
        (
            {
                "watch1": {
                    "app": {"redis": {"192.0.2.11 6379": "gone", "192.0.2.99 6380": {"connects": False, "why": "no"}}}
                }
            },
            "env-redis-unreachable",
            {"says": "The application does not reach Redis at 192.0.2.99 6380.", "mend": "nc -vz 192.0.2.99 6380"},
        ),
        # a replica that is stopped is a finding of its own
        (
            {"redis1": {"redis": STOPPED}, "watch1": {"app": {"replicas": {"192.0.2.11:6379": REFUSES}}}},
            "env-replica-unreachable",
            None,
        ),
        (
            {"redis1": {"redis": STOPPED}, "watch1": {"app": {"replicas": {"[192.0.2.11]:6379": REFUSES}}}},
            "env-replica-unreachable",
            None,
        ),
        (
            {"redis1": {"redis": STOPPED}, "watch1": {"app": {"replicas": {"192.0.2.11:26379": REFUSES}}}},
            "env-replica-unreachable",
            {"says": "The application does not reach the replica 192.0.2.11:26379."},
        ),
        (
            {"redis1": "gone", "watch1": {"app": {"replicas": {"192.0.2.11:6379": REFUSES}}}},
            "env-replica-unreachable",
            {"evidence": {"why": "Connection refused"}},
        ),
        (
            {"watch1": {"app": {"redis": {"192.0.2.99 6379": {**ANSWERS, "role": "slave"}}}}},
            "env-not-primary",
            {"mend": f"{PLAY}/app_env.yml", "evidence": {"role": "replica", "primary": None}},
        ),
        (
            {"redis1": "gone", "watch1": {"app": {"redis": {"192.0.2.12 6379": {**ANSWERS, "role": "slave"}}}}},
            "env-not-primary",
            {"mend": f"{PLAY}/app_env.yml", "evidence": {"role": "replica", "primary": None}},
        ),
        (
            {"watch1": {"app": {"sentinels": {"192.0.2.12:26379": {"ms": 61.5}}}}},
            "env-connect-slow",
            {"mend": "ping -c 5 192.0.2.12", "evidence": {"192.0.2.12:26379": "61.5 ms"}},
        ),
        (
            {"watch1": {"app": {"replicas": {"192.0.2.13:6379": {**ANSWERS, "ms": 50}}}}},
            "env-connect-slow",
            {"mend": "ping -c 5 192.0.2.13", "evidence": {"192.0.2.13:6379": "50 ms"}},
        ),
        # the database
        ({"watch1": {"app": {"database": {"ends": None}}}}, "env-database-certificate-ends", None),
        (
            {"db1": "gone", "watch1": {"app": {"database": {"connects": False, "why": "timed out"}}}},
            "env-database-unreachable",
            {"evidence": {"why": "timed out"}},
        ),
        (
            {"watch1": {"app": {"database": {"login": ""}}}},
            "env-database-refused",
            {"mend": f"{PLAY}/app_env.yml --limit watch1"},
        ),
        (
            {"db1": {"citus": {"certificates": {"/etc/ssl/cistern-citus/node.crt": {"ends": None}}}}},
            "certificate-missing",
            {"says": "/etc/ssl/cistern-citus/node.crt is no certificate."},
        ),
        (
            {"db1": {"citus": {"certificates": {"/etc/ssl/cistern-citus/node.crt": {"ends": 1000000 - 7200}}}}},
            "certificate-ended",
            {"evidence": {"ended": "2 h ago"}},
        ),
        # Sentinels
        (
            {"redis3": {"sentinel": {"answers": False, "login": "busy", "monitors": {"cache": "gone"}}}},
            "sentinel-not-watching",
            None,
        ),
        (
            monitors(("redis1", "redis2", "redis3"), ckquorum=False, ckquorum_says="NOQUORUM"),
            "sentinel-no-quorum",
            {"host": "redis1", "evidence": {"answer": "3 of 3 Sentinels", "quorum": "2 Sentinels", "says": "NOQUORUM"}},
        ),
        (
            {host: {"sentinel": SILENT_SENTINEL} for host in HOSTS},
            "sentinel-no-quorum",
            {"host": "redis1", "evidence": {"answer": "0 of 3 Sentinels", "says": None}},
        ),
        # of those that were not asked nobody knows
        ({"redis1": "gone", **{host: {"sentinel": SILENT_SENTINEL} for host in HOSTS[1:]}}, "sentinel-no-quorum", None),
        (
            {"redis1": "gone", **monitors(HOSTS[1:], ckquorum=False)},
            "sentinel-no-quorum",
            {"host": "redis2", "evidence": {"answer": "2 of 2 Sentinels"}},
        ),
        (monitors(HOSTS, flags=["master", "s_down"]), "sentinel-primary-down", {"evidence": {"flags": "s_down"}}),
        (
            monitors(("redis3",), flags=["master", "failover_in_progress"]),
            "sentinel-failover",
            {"host": "redis3", "mend": "redis-cli -p 26379 sentinel master cache"},
        ),
        # what one that is cut off says of the primary, of others and of itself does not count
        (
            monitors(("redis3",), ckquorum=False, primary="192.0.2.12 6379", replicas={"192.0.2.99 6379": ["slave"]}),
            "sentinel-disagree",
            None,
        ),
        (
            monitors(("redis3",), ckquorum=False, primary="192.0.2.12 6379", replicas={"192.0.2.99 6379": ["slave"]}),
            "sentinel-stale",
            None,
        ),
        (
            monitors(("redis1",), sentinels={f"192.0.2.1{number} 26379": "gone" for number in (2, 3)}),
            "sentinel-unknown-peer",
            {"says": "The Sentinel has never heard of the one on redis2, redis3.", "evidence": {"knows": "0 others"}},
        ),
        (
            monitors(("redis1",), replicas={f"192.0.2.1{number} 6379": ["slave", "o_down"] for number in (2, 3)}),
            "sentinel-replica-down",
            {"says": "The Sentinel does not reach the replica on redis2, redis3, which runs."},
        ),
        # one that refuses a password, or does not take connections everywhere, says so itself
        (
            {
                **monitors(("redis1",), replicas={"192.0.2.12 6379": ["slave", "s_down"]}),
                "redis2": {"redis": {"login": "refused"}},
            },
            "sentinel-replica-down",
            None,
        ),
        (
            {
                **monitors(("redis1",), replicas={"192.0.2.12 6379": ["slave", "s_down"]}),
                "redis2": {"redis": {"endpoints": {"192.0.2.12 6379": {"connects": False}}}},
            },
            "sentinel-replica-down",
            None,
        ),
        (
            {
                **monitors(("redis1",), replicas={"192.0.2.12 6379": ["slave", "s_down"]}),
                "redis2": {"redis": {"login": ""}},
            },
            "sentinel-replica-down",
            {"says": "The Sentinel does not reach the replica on redis2, which runs."},
        ),
        (
            monitors(("redis1", "redis2"), quorum=1),
            "sentinel-quorum-differs",
            {
                "host": "redis1",
                "says": "The quorum of cache is not that of the inventory on redis1, redis2.",
                "evidence": {"redis1": "1 Sentinel", "redis3": "2 Sentinels", "inventory": "2 Sentinels"},
            },
        ),
    ],
)
def test_what_a_finding_says_elsewhere(have, name, told):
    found = [each for each in judged({"have": have})[0] if each.id == name]
    assert len(found) == (told is not None)
    for each in found:
        says = {"host": each.host, "severity": each.severity, "says": each.message, "mend": each.fix}
        says["evidence"] = {key: each.evidence.get(key) for key in told.get("evidence", {})}
        assert {key: says[key] for key in told} == told
