"""What a server says of itself: memory, lookups, connections, its slow log. Numbers as they are, judged elsewhere.

Arguments of commands are values of the application and stay out: of a slow command its name is told, and its key.
"""

import statistics
import time

from ..client import redis
from ..key_names import shown
from .walk import SHA

SLOW_ENTRIES, COMMANDS, PINGS, LINE = 10, 12, 20, 80
# Counters, of which the difference over an interval is told too.
COUNTERS = {
    "hits": "keyspace_hits",
    "misses": "keyspace_misses",
    "evicted": "evicted_keys",
    "expired": "expired_keys",
    "rejected": "rejected_connections",
    "connections": "total_connections_received",
    "commands": "total_commands_processed",
}
GAUGES = {
    "version": "redis_version",
    "uptime": "uptime_in_seconds",
    "used_memory": "used_memory",
    "rss": "used_memory_rss",
    "peak": "used_memory_peak",
    "dataset": "used_memory_dataset",
    "maxmemory": "maxmemory",
    "policy": "maxmemory_policy",
    "fragmentation": "mem_fragmentation_ratio",
    "clients_memory": "mem_clients_normal",
    "clients": "connected_clients",
    "maxclients": "maxclients",
    "blocked": "blocked_clients",
    "fork_usec": "latest_fork_usec",
    "snapshot_status": "rdb_last_bgsave_status",
    "aof": "aof_enabled",
    "aof_status": "aof_last_write_status",
}
# Commands whose first argument is a key; of the others the name alone is told.
_KEYED = """
append bitcount decr decrby del dump exists expire expireat get getdel getex getrange getset hdel hexists hget
hgetall hincrby hkeys hlen hmget hmset hscan hset hsetnx hvals incr incrby lindex linsert llen lpop lpush lrange
lrem lset ltrim mget mset persist pexpire pexpireat psetex pttl rpop rpush sadd scard set setex setnx setrange
sismember smembers sort spop srandmember srem sscan strlen touch ttl type unlink xadd xlen xrange xrevrange zadd
zcard zcount zincrby zrange zrangebyscore zrank zrem zrevrange zscan zscore
"""
KEYED = set(_KEYED.split())


def read(client):
    """Return INFO, with the time at which it was read."""
    return {"at": time.time(), "info": client.info("all")}


def facts(before, after):
    """Return what two readings tell: what is so at the second, and what happened between them."""
    info = after["info"]
    gauges = {name: info.get(field) for name, field in {**GAUGES, **COUNTERS}.items()}
    seconds = max(after["at"] - before["at"], 1e-3)
    gauges["hits"] = hits(info)
    between = {name: info.get(field, 0) - before["info"].get(field, 0) for name, field in COUNTERS.items()}
    between["hits"] = hits(info) - hits(before["info"])
    if any(value < 0 for value in between.values()):  # the server was restarted
        between = dict.fromkeys(COUNTERS, 0)
    cpu = sum(info.get(name, 0) - before["info"].get(name, 0) for name in ("used_cpu_user", "used_cpu_sys"))
    return {
        **gauges,
        "at": int(after["at"]),
        "role": "primary" if info["role"] == "master" else "replica",
        "keys": sum(db["keys"] for db in _databases(info)),
        "with_ttl": sum(db["expires"] for db in _databases(info)),
        "hit_rate": rate(gauges["hits"], gauges["misses"]),
        "interval": {
            "seconds": round(seconds, 1),
            **between,
            "hit_rate": rate(between["hits"], between["misses"]),
            "cpu_share": round(max(0.0, cpu) / seconds, 4),
        },
        "by_command": by_command(info),
    }


def _databases(info):
    return [value for name, value in info.items() if name.startswith("db") and name[2:].isdigit()]


def hits(info):
    """Return the lookups that found something, without those of walks, which the server counts too: PTTL and TYPE."""
    by_scans = sum(info.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("pttl", "type"))
    return max(0, info.get("keyspace_hits", 0) - by_scans)


def rate(found, missed):
    """Return the share of lookups that found something, None where there were none."""
    return round(found / (found + missed), 4) if found + missed else None


def by_command(info):
    """Return {command: {calls, usec}} of those that took most of the server's time, and of those that are judged."""
    found = {
        name[8:]: {"calls": each["calls"], "usec": each["usec"]}
        for name, each in info.items()
        if name.startswith("cmdstat_")
    }
    most = sorted(found, key=lambda name: -found[name]["usec"])[:COMMANDS]
    judged = ("keys", "flushdb", "flushall", "del", "unlink", "set", "setex", "psetex", "get", "mget")
    return {name: found[name] for name in dict.fromkeys([*most, *judged]) if name in found}


def slow_log(client):
    """Return the newest entries of the slow log, and how many there are; none where the server refuses to tell."""
    try:
        # by its raw reply: some versions of redis-py put the arguments together
        entries = client.execute_command("SLOWLOG", "GET", SLOW_ENTRIES)
        number = int(client.execute_command("SLOWLOG", "LEN"))
    except redis.ResponseError:
        return {"entries": 0, "newest": []}
    # pages of the walk itself, on a machine that had no time for them
    others = [each for each in entries if SHA.encode() not in each[3]]
    return {"entries": number, "newest": [_slow(each) for each in others]}


def _slow(entry):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in entry[3]]
    name = shown(words[0]).lower()
    rest = len(words) - 1
    text = name
    if name in KEYED and rest:
        key = shown(words[1])
        text, rest = f"{name} {key[:LINE]}", rest - 1
    if rest:
        text += f" (and {rest} more argument{'s' if rest > 1 else ''})"
    return {"at": int(entry[1]), "usec": int(entry[2]), "command": text}


def latency(client):
    """Return {threshold, events, doctor, ping_usec}; the server notes no events while the threshold is 0."""
    threshold = setting(client, "latency-monitor-threshold")
    try:
        events = client.execute_command("LATENCY", "LATEST")
        doctor = client.execute_command("LATENCY", "DOCTOR").decode(errors="replace") if events else ""
    except redis.ResponseError:
        events, doctor = [], ""
    took = []
    for _ in range(PINGS):
        began = time.perf_counter()
        client.ping()
        took.append(time.perf_counter() - began)
    return {
        "threshold": int(threshold or 0),
        "events": [
            {"event": each[0].decode(), "at": each[1], "latest_ms": each[2], "longest_ms": each[3]} for each in events
        ],
        "doctor": doctor,
        "ping_usec": round(statistics.median(took) * 1e6),
    }


def setting(client, name):
    """Return a directive of the running server, None where this user may not ask."""
    try:
        answer = client.execute_command("CONFIG", "GET", name)
    except redis.ResponseError:
        return None
    values = list(answer.values()) if isinstance(answer, dict) else answer[1::2]
    value = values[0] if values else None
    return value.decode() if isinstance(value, bytes) else value
