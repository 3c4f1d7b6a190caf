"""What makes a server slow or of little use: clients, slow commands, latency, CPU, misses. Pure."""

from ansible_collections.cistern.core.plugins.module_utils.host.formatting import size
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import cli, seconds_text, share_text


def judge(case):
    """Yield findings."""
    for host, want, state in case.having("redis"):
        if "connected_clients" in state.get("info", {}):
            yield from _clients(case, host, want, state)
            yield from _slow(case, host, want, state)
            yield from _hits(case, host, want, state)


def _clients(case, host, want, state):
    info, before = state["later"], state["info"]
    most = int(state.get("config", {}).get("maxclients") or info.get("maxclients", 0))
    evidence = {
        "connected_clients": f"{info['connected_clients']} clients",
        "maxclients": f"{most} clients",
        "rejected_connections": f"{info['rejected_connections']} since the start",
    }
    fix = cli(want, "client list")
    if info["rejected_connections"]:
        rising = info["rejected_connections"] > before["rejected_connections"]
        yield case.found(
            "clients-rejected",
            host,
            f"Connections {'are' if rising else 'were'} rejected, since there were too many.",
            evidence,
            fix,
            "critical" if rising else "",
        )
    if most and info["connected_clients"] >= case.limits["clients_share"] * most:
        yield case.found("clients-near-limit", host, "Nearly as many clients are connected as may be.", evidence, fix)
    if info["blocked_clients"]:
        evidence = {"blocked_clients": f"{info['blocked_clients']} clients"}
        yield case.found("clients-blocked", host, "Clients wait in a blocking command.", evidence, fix)


def _slow(case, host, want, state):
    limits = case.limits
    slow = [each for each in state["slow"] if each["ms"] >= limits["slow_command_ms"]]
    if slow:
        worst = sorted(slow, key=lambda each: -each["ms"])[:5]
        lines = [f"{each['command']}: {each['ms']:.0f} ms, {seconds_text(each['seconds_ago'])} ago" for each in worst]
        fix = cli(want, "slowlog get 10")
        yield case.found("slow-commands", host, "Commands held all clients up within an hour.", {"slowest": lines}, fix)
    events = {name: each for name, each in state["latency"].items() if each["max_ms"] >= limits["latency_event_ms"]}
    if events:
        lines = [
            f"{name}: {each['max_ms']} ms, {seconds_text(each['seconds_ago'])} ago" for name, each in events.items()
        ]
        fix = cli(want, "latency doctor")
        yield case.found(
            "latency-events", host, "The latency monitor has seen the server stand still.", {"events": lines}, fix
        )
    if state["ping_ms"] >= limits["ping_ms"]:
        evidence = {"PING on the host": f"{state['ping_ms']} ms"}
        fix = cli(want, "--intrinsic-latency 10")
        yield case.found("ping-slow", host, "The server answers slowly on its own host.", evidence, fix)
    busy = sum(state["later"][name] - state["info"][name] for name in ("used_cpu_sys", "used_cpu_user"))
    if state["seconds"] and busy / state["seconds"] >= limits["cpu_share"]:
        evidence = {"CPU": f"{share_text(busy, state['seconds'])} of a core over {state['seconds']} s"}
        fix = cli(want, "info commandstats")
        yield case.found("cpu-busy", host, "The server keeps its core busy.", evidence, fix)
    commands = state["info"]["total_commands_processed"]
    mean = state["info"]["total_net_output_bytes"] / commands if commands else 0
    if commands >= limits["hit_rate_lookups"] and mean >= 1024 * limits["reply_kb"]:
        fix = cli(want, "--bigkeys")
        evidence = {"mean reply": size(mean, narrow=True)}
        yield case.found(
            "replies-large", host, "Replies are large: the network and the reader pay for it.", evidence, fix
        )


def _hits(case, host, want, state):
    info = state["info"]
    lookups = info["keyspace_hits"] + info["keyspace_misses"]
    if lookups < case.limits["hit_rate_lookups"] or info["keyspace_hits"] >= case.limits["hit_rate"] * lookups:
        return
    gone = {name: info[f"{name}_keys"] for name in ("evicted", "expired")}
    # a replica is told its deletions and counts them as commands too, but has no lookups
    calls = [dict(part.split("=") for part in str(text).split(",")) for name, text in info.items() if "cmdstat" in name]
    gone["deleted"] = sum(int(each.get("calls", 0)) for each in calls)
    most = max(gone, key=lambda name: gone[name])
    causes = {"evicted": "it needs more memory", "expired": "times to live are short", "deleted": "much is invalidated"}
    evidence = {
        "hit rate": f"{share_text(info['keyspace_hits'], lookups)} of {lookups} lookups",
        **{
            name: f"{number} {'keys' if name != 'deleted' else 'calls of DEL and UNLINK'}"
            for name, number in gone.items()
        },
        "most likely": causes[most] if gone[most] else "keys are asked for before they are written",
    }
    fixes = {
        "evicted": f"config set maxmemory {max(2 * info['maxmemory'], 64 << 20)}",
        "expired": "info stats | grep -E '^(expired_keys|keyspace)'",
        "deleted": "info commandstats | grep -E 'cmdstat_(del|unlink|set|get)'",
    }
    yield case.found("hit-rate-low", host, "Most lookups miss.", evidence, cli(want, fixes[most]))
