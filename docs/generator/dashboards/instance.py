"""Instances of Redis, each by itself."""

from generator.dashboards.panels import (
    bad_above,
    bad_from,
    choice,
    dashboard,
    good_above,
    good_from,
    graph,
    row,
    stat,
    timeline,
)

OF = 'deployment=~"$deployment", instance=~"$instance"'
AT = f'job="redis", {OF}'


def instance():
    return dashboard(
        "cistern-instance",
        "Cistern: instances of Redis",
        "Commands, memory, clients, disk and replication of single instances.",
        [
            row("Now"),
            stat(
                "Answers", f"min(redis_up{{{AT}}})", steps=good_from(1), words={0: ("no", "red"), 1: ("yes", "green")}
            ),
            stat("Up since", f"min(redis_uptime_in_seconds{{{AT}}})", "s", bad_above(1e12, 1e13), decimals=0),
            stat(
                "Hit rate",
                f"min(instance:redis_hit_rate:ratio5m{{{OF}}})",
                "percentunit",
                good_above(0.5, 0.8),
                decimals=1,
            ),
            stat("Memory", f"max(redis_memory_used_bytes{{{AT}}})", "bytes"),
            stat("Memory share", f"max(instance:redis_memory_share:ratio{{{OF}}})", "percentunit", decimals=1),
            stat("Clients", f"sum(redis_connected_clients{{{AT}}})"),
            stat("Keys", f"max(sum by (instance) (redis_db_keys{{{AT}}}))"),
            stat(
                "Refused",
                f"sum(increase(redis_rejected_connections_total{{{AT}}}[1h]))",
                steps=bad_from(1),
                decimals=0,
                about="Connections in the last hour, since maxclients was reached.",
            ),
            row("Commands"),
            graph("Commands", (f"instance:redis_commands:rate5m{{{OF}}}", "{{instance}}"), unit="ops"),
            graph(
                "By command",
                (f"topk(10, sum by (cmd) (rate(redis_commands_total{{{AT}}}[$__rate_interval])))", "{{cmd}}"),
                unit="ops",
                stack=True,
            ),
            graph(
                "Time of a command",
                (f"instance:redis_latency:seconds5m{{{OF}}}", "{{instance}}"),
                unit="s",
                threshold="latency_seconds",
                about="The mean in the server, without network and queue.",
            ),
            graph(
                "Time taken by command",
                (
                    f"topk(10, sum by (cmd) (rate(redis_commands_duration_seconds_total{{{AT}}}[$__rate_interval])))",
                    "{{cmd}}",
                ),
                unit="percentunit",
                stack=True,
                about="Which share of a second the server works on it. All together at 100%, it is at its limit.",
            ),
            graph(
                "Lookups",
                (f"rate(redis_keyspace_hits_total{{{AT}}}[$__rate_interval])", "{{instance}} hits"),
                (f"rate(redis_keyspace_misses_total{{{AT}}}[$__rate_interval])", "{{instance}} misses"),
                unit="ops",
            ),
            graph(
                "Slow commands",
                (f"clamp_min(delta(redis_slowlog_last_id{{{AT}}}[10m]), 0)", "{{instance}}"),
                threshold="slow_commands",
                about="New entries of the slow log in 10 minutes.",
            ),
            row("Memory and keys"),
            graph(
                "Memory",
                (f"redis_memory_used_bytes{{{AT}}}", "{{instance}} used"),
                (f"redis_memory_used_rss_bytes{{{AT}}}", "{{instance}} of the machine"),
                (f"redis_memory_max_bytes{{{AT}}} > 0", "{{instance}} maxmemory"),
                unit="bytes",
            ),
            graph(
                "Keys that go",
                (f"rate(redis_expired_keys_total{{{AT}}}[$__rate_interval])", "{{instance}} expired"),
                (f"instance:redis_evictions:rate5m{{{OF}}}", "{{instance}} evicted"),
                unit="ops",
                about="Expired: their time to live has ended. Evicted: the memory was full.",
            ),
            graph(
                "Keys",
                (f"sum by (instance) (redis_db_keys{{{AT}}})", "{{instance}}"),
                (f"sum by (instance) (redis_db_keys_expiring{{{AT}}})", "{{instance}} with a time to live"),
            ),
            row("Clients and network"),
            graph(
                "Connections, share of maxclients",
                (f"instance:redis_connections_share:ratio{{{OF}}}", "{{instance}}"),
                unit="percentunit",
                threshold="connections_share",
            ),
            graph(
                "Clients",
                (f"redis_connected_clients{{{AT}}}", "{{instance}}"),
                (f"redis_blocked_clients{{{AT}}}", "{{instance}} blocked"),
            ),
            graph(
                "Network",
                (f"rate(redis_net_input_bytes_total{{{AT}}}[$__rate_interval])", "{{instance}} in"),
                (f"rate(redis_net_output_bytes_total{{{AT}}}[$__rate_interval])", "{{instance}} out"),
                unit="Bps",
            ),
            row("Replication and disk"),
            timeline(
                "Role",
                f"instance:redis_primary:bool{{{OF}}}",
                "{{instance}}",
                {0: ("replica", "semi-dark-blue"), 1: ("primary", "semi-dark-green")},
                width=8,
            ),
            graph(
                "Replicas are behind",
                (f"replica:redis_lag:bytes{{{OF}}}", "{{slave_ip}}:{{slave_port}}"),
                unit="bytes",
                threshold="replica_lag_bytes",
                about="Told by their primary: choose it, or all instances.",
            ),
            graph(
                "Since the last snapshot",
                (f"time() - redis_rdb_last_save_timestamp_seconds{{{AT}}}", "{{instance}}"),
                unit="s",
                threshold="snapshot_age_seconds",
            ),
            graph("Changes not in a snapshot", (f"redis_rdb_changes_since_last_save{{{AT}}}", "{{instance}}")),
            graph(
                "Processor",
                (
                    f"rate(redis_cpu_sys_seconds_total{{{AT}}}[$__rate_interval])"
                    f" + rate(redis_cpu_user_seconds_total{{{AT}}}[$__rate_interval])",
                    "{{instance}}",
                ),
                unit="percentunit",
                about="Of one core. Commands run on one.",
            ),
            graph(
                "Last fork",
                (f"redis_latest_fork_seconds{{{AT}}}", "{{instance}}"),
                unit="s",
                about="For how long a snapshot or a rewrite stopped the server.",
            ),
        ],
        [
            choice("deployment", 'label_values(redis_up{job="redis"}, deployment)'),
            choice("instance", 'label_values(redis_up{job="redis", deployment=~"$deployment"}, instance)'),
        ],
    )
