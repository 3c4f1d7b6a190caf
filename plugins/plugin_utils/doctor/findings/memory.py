"""What is wrong with the memory of a server: its limit, eviction, fragmentation, swap. Pure."""

from ansible_collections.cistern.core.plugins.module_utils.host.formatting import size
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import cli, share_text

# How many keys have to go in the second between the two samples.
EVICTS = 1


def judge(case):
    """Yield findings."""
    for host, want, state in case.having("redis"):
        if "used_memory" in state.get("info", {}):
            yield from _limit(case, host, want, state)
            yield from _waste(case, host, want, state)
    yield from _machines(case)


def _keys(info):
    """Return how many keys there are, and how many of them have a time to live."""
    databases = [
        dict(part.split("=") for part in str(text).split(",")) for name, text in info.items() if name[:2] == "db"
    ]
    return tuple(sum(int(each.get(kind, 0)) for each in databases) for kind in ("keys", "expires"))


def _limit(case, host, want, state):
    info = state["later"]
    used, limit, policy = info["used_memory"], info["maxmemory"], info["maxmemory_policy"]
    keys, expires = _keys(info)
    evidence = {
        "used_memory": size(used),
        "maxmemory": f"{size(limit)} ({share_text(used, limit)} used)" if limit else "0, no limit",
        "maxmemory-policy": policy,
        "keys": f"{keys}, {expires} with a time to live",
    }
    raises = cli(want, f"config set maxmemory {max(2 * limit, 64 << 20)}")
    if not limit:
        yield case.found(
            "memory-unlimited",
            host,
            "maxmemory is 0: the server may take all memory of its machine.",
            evidence,
            cli(want, "config set maxmemory 256mb"),
        )
        return
    # a policy that has nothing to evict refuses writes as noeviction does
    stuck = policy == "noeviction" or (policy.startswith("volatile-") and not expires)
    if used >= 0.99 * limit and stuck:
        yield case.found(
            "memory-full", host, "The memory is full and nothing may be evicted: writes fail.", evidence, raises
        )
    elif used >= case.limits["memory_share"] * limit and stuck:
        yield case.found("memory-near-limit", host, "Writes will fail soon: the memory fills up.", evidence, raises)
    elif used >= case.limits["memory_share"] * limit:
        yield case.found("memory-at-limit", host, "The cache is as full as it may be.", evidence, raises)
    evicted = info["evicted_keys"] - state["info"]["evicted_keys"]
    if evicted >= EVICTS:
        evidence = {**evidence, "evicted": f"{evicted} keys in {state['seconds']} s, {info['evicted_keys']} in all"}
        yield case.found("memory-evicting", host, "Keys are evicted all the time.", evidence, raises)
    if keys >= case.limits["keys_without_ttl_keys"] and keys - expires > case.limits["keys_without_ttl_share"] * keys:
        # where nothing is evicted, they fill the memory for good
        severity = "" if policy.startswith("allkeys-") else "warning"
        evidence = {"keys": f"{keys} keys", "without": f"{keys - expires} keys ({share_text(keys - expires, keys)})"}
        yield case.found(
            "keys-without-ttl",
            host,
            "Many keys have no time to live, and stay until they are evicted.",
            evidence,
            cli(want, "--scan --pattern '*' | head"),
            severity,
        )


def _waste(case, host, want, state):
    info, limits = state["info"], case.limits
    lost = info["used_memory_rss"] - info["used_memory"]
    if lost > limits["fragmentation_mb"] * (1 << 20) and info["used_memory_rss"] > (
        limits["fragmentation_ratio"] * info["used_memory"]
    ):
        evidence = {
            "mem_fragmentation_ratio": str(info["mem_fragmentation_ratio"]),
            "used_memory": size(info["used_memory"]),
            "used_memory_rss": size(info["used_memory_rss"]),
        }
        fix = cli(want, "memory purge")
        yield case.found("memory-fragmented", host, "Much memory is lost to fragmentation.", evidence, fix)
    if state["swapped"]:
        evidence = {"in swap": size(state["swapped"]), "used_memory": size(info["used_memory"])}
        yield case.found(
            "memory-swapped",
            host,
            "Part of the server lies in swap, so that commands wait for a disk.",
            evidence,
            "free --human; vmstat 1 5",
        )


def _machines(case):
    """The limits of all instances of a machine, beside the memory it has."""
    of: dict = {}
    for host, _want, state in case.having("redis"):
        limit = state.get("info", {}).get("maxmemory", 0)
        of.setdefault(case.want["hosts"][host]["machine"], {})[host] = limit
    for host, machine in case.machines("redis"):
        limits = of.get(case.want["hosts"][host]["machine"], {})
        if sum(limits.values()) > machine["memory"]["total"]:
            evidence = {"maxmemory": size(sum(limits.values())), "memory": size(machine["memory"]["total"])}
            fix = cli(case.want["hosts"][host]["redis"], f"config set maxmemory {machine['memory']['total'] // 2}")
            yield case.found("memory-over-machine", host, "maxmemory is more than the machine has.", evidence, fix)
