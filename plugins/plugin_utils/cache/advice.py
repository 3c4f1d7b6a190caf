"""What a report says of a cache, judged: the guide's answers to trouble, each with its evidence and what to do. Pure.

A finding is {id, severity, title, evidence, do}; `severity` is high, medium or low. What the keys say is in
cache_advice_keys.
"""

from ansible_collections.cistern.core.plugins.plugin_utils.cache import advice_keys as cache_advice_keys
from ansible_collections.cistern.core.plugins.plugin_utils.cache.formatting import count, plural, share, size, usec

THRESHOLDS = {
    "memory_share": 0.9,  # of maxmemory
    "hit_rate": 0.8,
    "lookups": 1000,  # fewer say nothing of a hit rate
    "fragmentation": 1.5,
    "fragmentation_bytes": 64 << 20,  # below, the ratio says nothing
    "slow_seconds": 3600,  # how old an entry of the slow log may be
    "ping_usec": 1000,
    "cpu_share": 0.8,
    "clients_share": 0.8,  # of maxclients
    "connections_share": 0.1,  # new connections for each command
    "connections": 100,
    "clients_memory_share": 0.2,  # of the memory in use
    "drops_share": 0.5,  # keys dropped for each that is written
    "drops": 1000,
    "fork_usec": 100_000,
    **cache_advice_keys.THRESHOLDS,
}
ORDER = ("high", "medium", "low")


def advise(report, thresholds=None):
    """Return the findings, the most important first."""
    limits = {**THRESHOLDS, **(thresholds or {})}
    found = [*cache_advice_keys.findings(report, limits)]
    for host, facts in report["instances"].items():
        if facts.get("version"):
            for judge in (memory, fragmentation, slow, misses, invalidation, connections, persistence):
                found += [{**finding, "host": host} for finding in judge(host, facts, limits)]
    return sorted(found, key=lambda finding: ORDER.index(finding["severity"]))


def finding(name, severity, title, evidence, do):
    return {"id": name, "severity": severity, "title": title, "evidence": evidence, "do": do}


def memory(host, facts, limits):
    limit, used = facts["maxmemory"], facts["used_memory"]
    if not limit:
        yield finding(
            "memory_unlimited",
            "high",
            f"{host} has no memory limit",
            [f"maxmemory is 0, {size(used)} are in use"],
            ["Set maxmemory in redis_config, so that the machine does not run out of memory."],
        )
        return
    evidence = [f"{size(used)} of {size(limit)} are in use ({share(used, limit)}), policy {facts['policy']}"]
    evicted = facts["interval"]["evicted"]
    if evicted or facts["evicted"]:
        lately = f", {count(evicted)} of them in the last {facts['interval']['seconds']} s"
        evidence.append(f"{plural(facts['evicted'], 'key')} evicted since the start{lately}")
    refuses = facts["policy"] == "noeviction"
    if used >= limits["memory_share"] * limit:
        do = [
            "Raise maxmemory in redis_config, where the machine has the memory.",
            "Shorten the times to live of the families that hold most of it (cache_ttls).",
            "Look at the keys that are too many: without a time to live, of no family, big ones.",
        ]
        if refuses:
            do.insert(0, "Set maxmemory-policy to allkeys-lru: at the limit, writes fail now.")
        title = f"{host} is near its memory limit" + (", and writes will fail" if refuses else "")
        yield finding("memory_near_limit", "high" if refuses or evicted else "medium", title, evidence, do)
    elif refuses:
        do = ["Set maxmemory-policy to allkeys-lru in redis_group_config: a cache makes room for what is new."]
        yield finding("memory_policy", "medium", f"{host} refuses writes when its memory is full", evidence, do)


def fragmentation(host, facts, limits):
    ratio, used, rss = float(facts["fragmentation"] or 0), facts["used_memory"], facts["rss"]
    if used < limits["fragmentation_bytes"]:
        return
    evidence = [f"{size(used)} are in use, the process has {size(rss)} (ratio {ratio:.2f})"]
    if ratio > limits["fragmentation"]:
        do = [
            "Set activedefrag: true in redis_config, where the server was built with jemalloc.",
            "A peak that is long over leaves this too; a rolling restart (playbooks/redis_restart.yml) gives it back.",
        ]
        yield finding("fragmentation", "low", f"Memory of {host} is fragmented", evidence, do)
    elif 0 < ratio < 0.9:
        do = ["Free memory on the machine, or lower maxmemory: what is swapped out is slow."]
        yield finding("swapped", "high", f"Memory of {host} is swapped out", evidence, do)


def slow(host, facts, limits):
    log, latency = facts["slow_log"], facts["latency"]
    recent = [each for each in log["newest"] if facts["at"] - each["at"] <= limits["slow_seconds"]]
    evidence, do = [], []
    for each in sorted(recent, key=lambda each: -each["usec"])[:3]:
        evidence.append(f"{each['command']} took {usec(each['usec'])}")
    if recent:
        do.append("Ask for less at once: pages of a list, HSCAN for a hash, SCAN for keys. Serialise smaller values.")
    if latency["ping_usec"] > limits["ping_usec"]:
        evidence.append(f"a PING on the machine itself takes {usec(latency['ping_usec'])}")
        do.append("See what else the machine's processors do (top), and whether the server is alone on them.")
    if facts["interval"]["cpu_share"] > limits["cpu_share"]:
        evidence.append(f"the server uses {share(facts['interval']['cpu_share'], 1)} of a processor")
        do.append("Read from replicas, or split the families over two deployments: a server uses one processor.")
    for each in latency["events"]:
        if facts["at"] - each["at"] <= limits["slow_seconds"]:
            evidence.append(f"latency event {each['event']}: {each['latest_ms']} ms, at most {each['longest_ms']} ms")
            do.append("LATENCY DOCTOR says what causes such events; its text is in the JSON of this report.")
    if evidence:
        do.append("Measure the network from a client: redis-cli --latency -h ADDRESS.")
        yield finding("slow", "medium", f"Operations on {host} are slow", evidence, list(dict.fromkeys(do)))


def misses(host, facts, limits):
    interval = facts["interval"]
    lately = interval["hits"] + interval["misses"] >= limits["lookups"]
    seen = interval if lately else facts
    hits, missed = seen["hits"], seen["misses"]
    if hits + missed < limits["lookups"] or seen["hit_rate"] >= limits["hit_rate"]:
        return
    when = f"in {interval['seconds']} s" if lately else "since the start"
    evidence = [f"{share(hits, hits + missed)} of {count(hits + missed)} lookups {when} found their key"]
    do = []
    if seen["evicted"]:
        few = "the cache is too small for what is asked of it"
        evidence.append(f"{plural(seen['evicted'], 'key')} were evicted: {few}")
        do.append("Raise maxmemory, or let less into the cache.")
    if seen["expired"] > missed / 2:
        evidence.append(f"{plural(seen['expired'], 'key')} expired meanwhile, most misses may be of these")
        do.append("Lengthen the times to live of the families that are asked for (cache_ttls).")
    do += [
        "See what events drop: rules of invalidated_by that are wider than they have to be.",
        "See what is asked for: keys that nobody ever writes are missed each time.",
        "Let families be warmed (docs/cache.md), so that a restart does not begin with misses.",
    ]
    yield finding("misses", "medium", f"Many lookups on {host} find nothing", evidence, do)


def invalidation(host, facts, limits):
    calls = {name: each["calls"] for name, each in facts["by_command"].items()}
    by_keys = calls.get("keys", 0)
    if by_keys:
        took = facts["by_command"]["keys"]["usec"] / by_keys
        yield finding(
            "keys_command",
            "high",
            f"{host} is asked with KEYS",
            [f"KEYS was called {plural(by_keys, 'time')}; each held everybody up for {usec(took)}"],
            ["Use SCAN in the application; invalidate by pattern with playbooks/cache_invalidate.yml."],
        )
    flushes = calls.get("flushdb", 0) + calls.get("flushall", 0)
    if flushes and facts["role"] == "primary":
        yield finding(
            "flushes",
            "low",
            f"{host} was emptied",
            [f"FLUSHDB or FLUSHALL was called {plural(flushes, 'time')} since the start"],
            ["Drop a family or what an event makes stale instead: playbooks/cache_invalidate.yml."],
        )
    written = sum(calls.get(name, 0) for name in ("set", "setex", "psetex"))
    dropped = calls.get("del", 0) + calls.get("unlink", 0)
    if facts["role"] == "primary" and dropped >= limits["drops"] and dropped > limits["drops_share"] * written:
        evidence = [f"{plural(dropped, 'call')} of DEL and UNLINK for {plural(written, 'call')} of SET since the start"]
        do = [
            "See whether events drop more than they change: rules of invalidated_by in cache_families.",
            "Write the new value where it is known, in place of dropping the old one.",
        ]
        yield finding("invalidation", "medium", f"Much of what is written to {host} is dropped again", evidence, do)


def connections(host, facts, limits):
    interval, clients, most = facts["interval"], facts["clients"], facts["maxclients"] or 0
    evidence, do, severity = [], [], "medium"
    if interval["rejected"]:
        severity = "high"
    if facts["rejected"]:
        refused = plural(facts["rejected"], "connection")
        evidence.append(f"{refused} refused since the start, {interval['rejected']} just now")
        do.append("Raise maxclients in redis_config, and lower REDIS_MAX_CONNECTIONS times the number of processes.")
    if most and clients > limits["clients_share"] * most:
        evidence.append(f"{count(clients)} of {count(most)} connections are open")
        do.append("Count the processes of the application: each has a pool of REDIS_MAX_CONNECTIONS.")
    made = interval["connections"]
    if made >= limits["connections"] and made > limits["connections_share"] * interval["commands"]:
        used = f"{count(interval['commands'])} commands in {interval['seconds']} s"
        evidence.append(f"{count(made)} new connections for {used}")
        do.append("Use one connection pool a process: a connection costs more than a command.")
    buffers = facts["clients_memory"] or 0
    if buffers > limits["clients_memory_share"] * facts["used_memory"] and buffers > 10 << 20:
        evidence.append(f"{size(buffers)} are held for clients that do not read their answers")
        do.append("Find clients that ask for more than they read: CLIENT LIST, omem.")
    if evidence:
        yield finding("connections", severity, f"Connections to {host} are not pooled well", evidence, do)


def persistence(host, facts, limits):
    snapshots = bool(facts["snapshots"])
    if facts["snapshot_status"] != "ok" or (facts["aof"] and facts["aof_status"] != "ok"):
        yield finding(
            "persistence_fails",
            "high",
            f"{host} cannot write its data",
            [f"last snapshot: {facts['snapshot_status']}, append-only file: {facts['aof_status']}"],
            ["Look at the server's log and at the free space of its data folder (playbooks/doctor.yml)."],
        )
    evidence = []
    if facts["fork_usec"] and facts["fork_usec"] > limits["fork_usec"] and (snapshots or facts["aof"]):
        evidence.append(f"the last fork for a snapshot held everybody up for {usec(facts['fork_usec'])}")
    if facts["aof"]:
        evidence.append("the append-only file is on, and each write goes to the disk")
    if evidence:
        do = [
            "A cache can be filled anew: set save to '' and appendonly to false in redis_group_config,",
            "or keep snapshots alone where a cold start would be too much for the database.",
        ]
        yield finding("persistence", "low", f"{host} pays for keeping a cache on disk", evidence, do)
