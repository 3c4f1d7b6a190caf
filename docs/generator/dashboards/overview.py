"""All deployments at one glance: is anything wrong, and where."""

from generator.dashboards.panels import (
    bad_above,
    bad_from,
    choice,
    dashboard,
    good_above,
    graph,
    row,
    stat,
    table,
    timeline,
)

OF = 'deployment=~"$deployment"'


def overview():
    return dashboard(
        "cistern-overview",
        "Cistern: overview",
        "All deployments: what fires, hit rate, memory, latency, replication, machines.",
        [
            row("Now"),
            stat(
                "Alerts",
                'sum(ALERTS{alertstate="firing", severity=~"critical|warning"}) or vector(0)',
                steps=bad_from(1),
            ),
            stat("Instances down", 'count(redis_up{job="redis"} == 0) or vector(0)', steps=bad_from(1)),
            stat("Machines down", 'count(up{job="node"} == 0) or vector(0)', steps=bad_from(1)),
            stat(
                "Deployments without primary",
                "count(deployment:redis_primaries:count == 0) or vector(0)",
                steps=bad_from(1),
            ),
            stat(
                "Lowest hit rate",
                f"min(deployment:redis_hit_rate:ratio5m{{{OF}}})",
                "percentunit",
                good_above(0.5, 0.8),
                decimals=1,
            ),
            stat(
                "Highest memory share", f"max(deployment:redis_memory_share:ratio{{{OF}}})", "percentunit", decimals=1
            ),
            stat("Commands", f"sum(deployment:redis_commands:rate5m{{{OF}}})", "ops"),
            stat(
                "Keys",
                f'sum(redis_db_keys{{job="redis", {OF}}}'
                " and on (deployment, instance) instance:redis_primary:bool == 1)",
            ),
            table(
                "Firing",
                [("fires", 'ALERTS{alertstate="firing", severity!="none"}', "short")],
                "severity",
                about="Each alert has a page in docs/alerts/. Nothing here is good news.",
                hidden=("alertstate", "Value"),
            ),
            row("Deployments"),
            graph(
                "Hit rate",
                (f"deployment:redis_hit_rate:ratio5m{{{OF}}}", "{{deployment}}"),
                unit="percentunit",
                most=1,
                threshold="hit_rate",
                about="Lookups that find their key, of all instances of the deployment.",
            ),
            graph(
                "Memory, share of maxmemory",
                (f"deployment:redis_memory_share:ratio{{{OF}}}", "{{deployment}}"),
                unit="percentunit",
                threshold="memory_share",
                about="The fullest instance. A deployment without maxmemory has no share.",
            ),
            graph(
                "Time of a command",
                (f"deployment:redis_latency:seconds5m{{{OF}}}", "{{deployment}}"),
                unit="s",
                threshold="latency_seconds",
                about="The mean in the server, without network and queue.",
            ),
            graph("Commands", (f"deployment:redis_commands:rate5m{{{OF}}}", "{{deployment}}"), unit="ops"),
            graph("Evictions", (f"deployment:redis_evictions:rate5m{{{OF}}}", "{{deployment}}"), unit="ops"),
            graph("Connections", (f"deployment:redis_connections:sum{{{OF}}}", "{{deployment}}")),
            row("Replication and Sentinels"),
            timeline(
                "Who is primary",
                f"instance:redis_primary:bool{{{OF}}}",
                "{{deployment}} {{instance}}",
                {0: ("replica", "semi-dark-blue"), 1: ("primary", "semi-dark-green")},
            ),
            graph(
                "Replicas",
                (f"deployment:redis_replicas:count{{{OF}}}", "{{deployment}}"),
                (f"cistern:redis_replicas{{{OF}}}", "{{deployment}}, in the inventory"),
                width=6,
            ),
            graph(
                "Sentinels",
                (f"deployment:redis_sentinels:min{{{OF}}}", "{{deployment}}"),
                (f"cistern:redis_sentinels{{{OF}}}", "{{deployment}}, in the inventory"),
                width=6,
                about="How many the loneliest Sentinel reaches, itself among them.",
            ),
            row("Machines"),
            graph(
                "Processors, busy",
                ("instance:node_cpu_busy:ratio5m", "{{instance}}"),
                unit="percentunit",
                most=1,
                width=6,
            ),
            graph(
                "Memory, available",
                ("instance:node_memory_available:ratio", "{{instance}}"),
                unit="percentunit",
                most=1,
                width=6,
                threshold="memory_available_share",
            ),
            graph(
                "Disk, free",
                ("device:node_disk_free:ratio", "{{instance}} {{device}}"),
                unit="percentunit",
                most=1,
                width=6,
                threshold="disk_free_share",
            ),
            graph(
                "Clock, off by",
                ('abs(node_timex_offset_seconds{job="node"})', "{{instance}}"),
                unit="s",
                width=6,
                threshold="clock_offset_seconds",
            ),
            row("Monitoring"),
            timeline(
                "Targets",
                "min by (job, instance) (up)",
                "{{job}} {{instance}}",
                {0: ("down", "red"), 1: ("up", "green")},
            ),
            graph("Time of a scrape", ("max by (job) (scrape_duration_seconds)", "{{job}}"), unit="s", width=6),
            stat("Alertmanagers", "min(prometheus_notifications_alertmanagers_discovered)", steps=good_above(0.5, 1)),
            stat("Series", "sum(prometheus_tsdb_head_series)", steps=bad_above(1000000, 3000000)),
        ],
        [choice("deployment", 'label_values(redis_up{job="redis"}, deployment)')],
    )
