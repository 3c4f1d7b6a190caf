/* What came with 13.1 and 13.2. */
\echo Use "ALTER EXTENSION citus UPDATE" to load this file. \quit

ALTER TABLE pg_catalog.pg_dist_node
    ADD COLUMN nodeisclone boolean NOT NULL DEFAULT false,
    ADD COLUMN nodeprimarynodeid int NOT NULL DEFAULT 0;

CREATE FUNCTION pg_catalog.citus_stat_counters(
    database_id oid DEFAULT 0, OUT database_id oid, OUT connection_establishment_succeeded bigint, OUT connection_establishment_failed bigint,
    OUT connection_reused bigint, OUT query_execution_single_shard bigint, OUT query_execution_multi_shard bigint,
    OUT stats_reset timestamptz
) RETURNS SETOF record LANGUAGE sql AS $$
    SELECT oid, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, NULL::timestamptz FROM pg_database
    WHERE $1 IN (0, oid) AND datallowconn
$$;
CREATE VIEW citus.citus_stat_counters AS
    SELECT s.database_id AS oid, d.datname AS name, s.connection_establishment_succeeded, s.connection_establishment_failed,
        s.connection_reused, s.query_execution_single_shard, s.query_execution_multi_shard, s.stats_reset
    FROM pg_catalog.citus_stat_counters() s JOIN pg_database d ON d.oid = s.database_id;
ALTER VIEW citus.citus_stat_counters SET SCHEMA pg_catalog;
GRANT SELECT ON pg_catalog.citus_stat_counters TO PUBLIC;
