"""What the doctor finds of a value just at its threshold, and just not."""

import pytest
from doctor_evidence import judged, of_disk, of_redis, of_redis1, replica


def memory(used, rss):
    return of_redis(used_memory=used << 20, used_memory_rss=rss)


def replies(commands, size):
    return of_redis(total_commands_processed=commands, total_net_output_bytes=size)


def lookups(hits, misses):
    return of_redis(keyspace_hits=hits, keyspace_misses=misses)


def cpu(before, after, seconds):
    """Of both kinds of CPU time half."""
    names = ("used_cpu_sys", "used_cpu_user")
    return {
        "redis1": {
            "redis": {
                "info": dict.fromkeys(names, before / 2), "later": dict.fromkeys(names, after / 2), "seconds": seconds,
            }
        }
    }  # fmt: skip


def certificate(seconds):
    return {"db1": {"citus": {"certificates": {"/etc/ssl/cistern-citus/node.crt": {"ends": 1000000 + seconds}}}}}


def shown_certificate(seconds):
    return {"watch1": {"app": {"database": {"ends": 1000000 + seconds}}}}


DAYS = 30 * 86400


@pytest.mark.parametrize(
    ("name", "fires", "quiet"),
    [
        ("memory-at-limit", of_redis(maxmemory=1000, used_memory=900), of_redis(maxmemory=1000, used_memory=899)),
        (
            "memory-near-limit",
            of_redis(maxmemory=1000, used_memory=900, maxmemory_policy="noeviction"),
            of_redis(maxmemory=1000, used_memory=899, maxmemory_policy="noeviction"),
        ),
        (
            "memory-full",
            of_redis(maxmemory=1000, used_memory=990, maxmemory_policy="noeviction"),
            of_redis(maxmemory=1000, used_memory=989, maxmemory_policy="noeviction"),
        ),
        ("memory-evicting", of_redis1(later={"evicted_keys": 1}), of_redis1(later={"evicted_keys": 0})),
        ("memory-over-machine", of_redis(maxmemory=(4 << 30) + 1), of_redis(maxmemory=4 << 30)),
        # both of it: what is lost, and what part of the whole that is
        ("memory-fragmented", memory(100, (200 << 20) + 1), memory(100, 200 << 20)),
        ("memory-fragmented", memory(400, (600 << 20) + 1), memory(400, 600 << 20)),
        ("keys-without-ttl", of_redis(db0="keys=100,expires=0"), of_redis(db0="keys=99,expires=0")),
        ("keys-without-ttl", of_redis(db0="keys=1000,expires=899"), of_redis(db0="keys=1000,expires=900")),
        (
            "keys-without-ttl",
            of_redis(db0="keys=60,expires=60", db1="keys=40,expires=29"),
            of_redis(db0="keys=60,expires=60", db1="keys=40,expires=30"),
        ),
        (
            "machine-memory-low",
            *({"redis1": {"machine": {"memory": {"total": 1000, "available": n}}}} for n in (49, 50)),
        ),
        ("disk-full", of_disk(free=20), of_disk(free=21)),
        ("disk-low", of_disk(free=99), of_disk(free=100)),
        ("disk-low", of_disk(free=21), of_disk(free=20)),
        ("disk-files", of_disk(files_free=20), of_disk(files_free=21)),
        ("clients-near-limit", of_redis(connected_clients=8000), of_redis(connected_clients=7999)),
        ("slow-commands", *(of_redis1(slow=[{"ms": ms, "seconds_ago": 1, "command": "GET"}]) for ms in (100, 99.9))),
        ("latency-events", *(of_redis1(latency={"fork": {"max_ms": ms, "seconds_ago": 1}}) for ms in (100, 99))),
        ("ping-slow", of_redis1(ping_ms=10.0), of_redis1(ping_ms=9.999)),
        ("cpu-busy", cpu(0, 1.8, 2.0), cpu(0, 1.78, 2.0)),
        ("cpu-busy", cpu(0, 1.8, 2.0), cpu(0, 1.8, 0)),
        ("replies-large", replies(1000, 65536000), replies(1000, 65535999)),
        ("replies-large", replies(1000, 65536000), replies(999, 65536000)),
        ("hit-rate-low", lookups(799, 201), lookups(800, 200)),
        ("hit-rate-low", lookups(0, 1000), lookups(0, 999)),
        ("fork-slow", of_redis(latest_fork_usec=500001), of_redis(latest_fork_usec=500000)),
        (
            "replication-lag",
            replica(slave_repl_offset=5000 - (1 << 20) - 1),
            replica(slave_repl_offset=5000 - (1 << 20)),
        ),
        ("replication-lag", replica(master_last_io_seconds_ago=16), replica(master_last_io_seconds_ago=15)),
        ("env-connect-slow", *({"watch1": {"app": {"redis": {"192.0.2.11 6379": {"ms": ms}}}}} for ms in (50, 49.9))),
        ("certificate-ends", certificate(DAYS - 1), certificate(DAYS)),
        ("certificate-ends", certificate(1), certificate(0)),
        ("certificate-ended", certificate(0), certificate(1)),
        ("env-database-certificate-ends", shown_certificate(DAYS - 1), shown_certificate(DAYS)),
        ("env-database-certificate-ends", shown_certificate(1), shown_certificate(0)),
        (
            "clock-differs",
            {"redis2": {"clock": {"least": 1.75, "most": 2}}},
            {"redis2": {"clock": {"least": 1.5, "most": 2}}},
        ),
    ],
)
def test_a_value_at_its_threshold(name, fires, quiet):
    for have, told in ((fires, True), (quiet, False)):
        assert (name in [each.id for each in judged({"have": have})[0]]) is told
