"""What is in the cache, by key family."""

from generator.dashboards.panels import bad_above, bars, choice, dashboard, graph, row, stat, table

OF = 'deployment=~"$deployment"'
IN = f'{OF}, family=~"$family"'
EACH = "{{family}}"


def families():
    return dashboard(
        "cistern-families",
        "Cistern: key families",
        "Keys, memory and times to live by key family, counted by the walker; hit rate and evictions beside them.",
        [
            row("Now"),
            stat("Keys", f"sum(max by (deployment) (cistern_cache_walk_keys{{{OF}}}))", width=4),
            stat("Memory of the families", f"sum(family:cache_bytes:max{{{IN}}})", "bytes", width=4),
            stat(
                "Keys of no family",
                f"max(deployment:cache_keys_unknown:ratio{{{OF}}})",
                "percentunit",
                bad_above(0.005, 0.01),
                width=4,
                decimals=2,
            ),
            stat(
                "Counted",
                f"max(deployment:cache_walk_age:seconds{{{OF}}})",
                "s",
                bad_above(5400, 10800),
                "Seconds ago.",
                4,
            ),
            stat("Time of a walk", f"max(cistern_cache_walk_seconds{{{OF}}})", "s", width=4),
            stat("Hit rate", f"min(deployment:redis_hit_rate:ratio5m{{{OF}}})", "percentunit", width=4, decimals=1),
            bars("Keys", f"sum by (family) (family:cache_keys:max{{{IN}}})", EACH),
            bars("Memory", f"sum by (family) (family:cache_bytes:max{{{IN}}})", EACH, "bytes"),
            bars("Memory, share", f"max by (family) (family:cache_bytes_share:ratio{{{IN}}})", EACH, "percentunit"),
            row("Over time"),
            graph("Keys", (f"sum by (family) (family:cache_keys:max{{{IN}}})", EACH), stack=True, width=12),
            graph(
                "Memory",
                (f"sum by (family) (family:cache_bytes:max{{{IN}}})", EACH),
                unit="bytes",
                stack=True,
                width=12,
            ),
            row("Times to live"),
            graph(
                "Without a time to live",
                (f"max by (family) (family:cache_keys_without_ttl:ratio{{{IN}}})", EACH),
                unit="percentunit",
                threshold="cache_share_without_ttl",
                width=12,
                about="Share of the keys of the family that never expire.",
            ),
            graph(
                "Longer than the policy allows",
                (f"max by (family) (family:cache_keys_over_ttl:ratio{{{IN}}})", EACH),
                unit="percentunit",
                threshold="cache_share_over_ttl",
                width=12,
            ),
            table(
                "Families",
                [
                    ("keys", f"max by (deployment, family) (family:cache_keys:max{{{IN}}})", "short"),
                    ("bytes", f"max by (deployment, family) (family:cache_bytes:max{{{IN}}})", "bytes"),
                    ("share", f"max by (deployment, family) (family:cache_bytes_share:ratio{{{IN}}})", "percentunit"),
                    (
                        "bytes a key",
                        f"max by (deployment, family) (family:cache_bytes:max{{{IN}}})"
                        f" / (max by (deployment, family) (family:cache_keys:max{{{IN}}}) > 0)",
                        "bytes",
                    ),
                    ("time to live", f"max by (deployment, family) (cistern:cache_family_ttl_seconds{{{IN}}})", "s"),
                    (
                        "without one",
                        f"max by (deployment, family) (cistern_cache_family_keys_without_ttl{{{IN}}})",
                        "short",
                    ),
                    ("too long", f"max by (deployment, family) (cistern_cache_family_keys_over_ttl{{{IN}}})", "short"),
                ],
                "family",
            ),
            row("What it costs"),
            graph(
                "Hit rate",
                (f"deployment:redis_hit_rate:ratio5m{{{OF}}}", "{{deployment}}"),
                unit="percentunit",
                most=1,
                threshold="hit_rate",
            ),
            graph("Evictions", (f"deployment:redis_evictions:rate5m{{{OF}}}", "{{deployment}}"), unit="ops"),
            graph(
                "Memory, share of maxmemory",
                (f"deployment:redis_memory_share:ratio{{{OF}}}", "{{deployment}}"),
                unit="percentunit",
                threshold="memory_share",
            ),
        ],
        [
            choice("deployment", "label_values(cistern:cache_family_ttl_seconds, deployment)"),
            choice("family", 'label_values(cistern:cache_family_ttl_seconds{deployment=~"$deployment"}, family)'),
        ],
    )
