"""PostgreSQL and the nodes of Citus."""

from generator.dashboards.panels import (
    bad_from,
    bars,
    choice,
    dashboard,
    good_above,
    good_from,
    graph,
    row,
    stat,
    timeline,
)

OF = 'instance=~"$instance"'
AT = f'job="postgresql", {OF}'


def citus():
    return dashboard(
        "cistern-citus",
        "Cistern: Citus",
        "Nodes of Citus, their connections, transactions, shards, slots and sizes.",
        [
            row("Now"),
            stat("Servers down", f"count(pg_up{{{AT}}} == 0) or vector(0)", steps=bad_from(1)),
            stat("Inactive nodes", 'count(citus_node_active{job="postgresql"} == 0) or vector(0)', steps=bad_from(1)),
            stat(
                "Metadata not synced",
                'count(citus_node_metadata_synced{job="postgresql"} == 0) or vector(0)',
                steps=bad_from(1),
            ),
            stat("Nodes", 'count(citus_node_active{job="postgresql"})', steps=good_from(1)),
            stat("Shards", 'sum(citus_placement_shards{job="postgresql"})'),
            stat("Size", f"sum(pg_database_size_bytes{{{AT}}})", "bytes"),
            stat("Transactions", f"sum(instance:postgresql_transactions:rate5m{{{OF}}})", "ops"),
            stat(
                "Pages found in memory",
                f"min(instance:postgresql_cache_hit:ratio5m{{{OF}}})",
                "percentunit",
                good_above(0.9, 0.98),
                decimals=1,
            ),
            row("Nodes"),
            timeline(
                "Active in the metadata",
                'min by (node) (citus_node_active{job="postgresql"})',
                "{{node}}",
                {0: ("inactive", "red"), 1: ("active", "green")},
            ),
            timeline("Answers", f"pg_up{{{AT}}}", "{{instance}}", {0: ("no", "red"), 1: ("yes", "green")}),
            bars("Shards", 'max by (node) (citus_placement_shards{job="postgresql"})', "{{node}}"),
            bars(
                "Size of a database",
                f"max by (instance, datname) (pg_database_size_bytes{{{AT}}})",
                "{{instance}} {{datname}}",
                "bytes",
            ),
            graph("Transactions", (f"instance:postgresql_transactions:rate5m{{{OF}}}", "{{instance}}"), unit="ops"),
            row("Connections and transactions"),
            graph(
                "Connections, share of max_connections",
                (f"instance:postgresql_connections_share:ratio{{{OF}}}", "{{instance}}"),
                unit="percentunit",
                threshold="connections_share",
            ),
            graph(
                "Connections by state", (f"sum by (state) (pg_stat_activity_count{{{AT}}})", "{{state}}"), stack=True
            ),
            graph(
                "Oldest transaction",
                (f"max by (instance) (pg_stat_activity_max_tx_duration{{{AT}}})", "{{instance}}"),
                unit="s",
                threshold="transaction_seconds",
            ),
            graph(
                "Commits and rollbacks",
                (
                    f"sum by (instance) (rate(pg_stat_database_xact_commit{{{AT}}}[$__rate_interval]))",
                    "{{instance}} commits",
                ),
                (
                    f"sum by (instance) (rate(pg_stat_database_xact_rollback{{{AT}}}[$__rate_interval]))",
                    "{{instance}} rollbacks",
                ),
                unit="ops",
            ),
            graph(
                "Rows",
                (
                    f"sum by (instance) (rate(pg_stat_database_tup_returned{{{AT}}}[$__rate_interval]))",
                    "{{instance}} read",
                ),
                (
                    f"sum by (instance) (rate(pg_stat_database_tup_inserted{{{AT}}}[$__rate_interval])"
                    f" + rate(pg_stat_database_tup_updated{{{AT}}}[$__rate_interval])"
                    f" + rate(pg_stat_database_tup_deleted{{{AT}}}[$__rate_interval]))",
                    "{{instance}} written",
                ),
                unit="ops",
            ),
            graph(
                "Deadlocks", (f"sum by (instance) (increase(pg_stat_database_deadlocks{{{AT}}}[5m]))", "{{instance}}")
            ),
            row("Disk"),
            graph(
                "Pages found in memory",
                (f"instance:postgresql_cache_hit:ratio5m{{{OF}}}", "{{instance}}"),
                unit="percentunit",
                most=1,
            ),
            graph(
                "WAL that a slot keeps",
                (
                    f"max by (instance, slot_name) (pg_replication_slots_pg_wal_lsn_diff{{{AT}}})",
                    "{{instance}} {{slot_name}}",
                ),
                unit="bytes",
                threshold="slot_bytes",
            ),
            graph(
                "Size",
                (f"sum by (instance) (pg_database_size_bytes{{{AT}}})", "{{instance}}"),
                unit="bytes",
                stack=True,
            ),
        ],
        [choice("instance", 'label_values(pg_up{job="postgresql"}, instance)')],
    )
