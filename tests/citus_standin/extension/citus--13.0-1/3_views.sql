-- What others may ask.

CREATE FUNCTION citus_internal.local_group() RETURNS int LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$ SELECT groupid FROM pg_dist_local_group $$;

CREATE FUNCTION pg_catalog.citus_is_coordinator() RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$ SELECT citus_internal.local_group() = 0 AND EXISTS (SELECT FROM pg_dist_node) $$;

CREATE FUNCTION citus_internal.check_coordinator() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM citus_internal.check_versions();
    IF citus_internal.local_group() <> 0 THEN
        RAISE EXCEPTION 'operation is not allowed on this node' USING ERRCODE = 'internal_error',
            HINT = 'Connect to the coordinator and run it again.';
    END IF;
END $$;

CREATE FUNCTION citus_internal.the_node(name text, port int) RETURNS pg_dist_node LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
DECLARE
    found pg_dist_node;
BEGIN
    SELECT * INTO found FROM pg_dist_node n WHERE n.nodename = name AND n.nodeport = port;
    IF found.nodeid IS NULL THEN
        RAISE EXCEPTION 'node at "%:%" does not exist', name, port USING ERRCODE = 'internal_error';
    END IF;
    RETURN found;
END $$;

CREATE FUNCTION pg_catalog.citus_coordinator_nodeid() RETURNS int LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$ SELECT coalesce((SELECT nodeid FROM pg_dist_node WHERE groupid = 0 AND noderole = 'primary'), 0) $$;

CREATE FUNCTION pg_catalog.citus_get_active_worker_nodes(OUT node_name text, OUT node_port bigint)
RETURNS SETOF record LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT nodename, nodeport FROM pg_dist_node
    WHERE isactive AND noderole = 'primary' AND (groupid <> 0 OR shouldhaveshards)
$$;

CREATE FUNCTION pg_catalog.master_get_active_worker_nodes(OUT node_name text, OUT node_port bigint)
RETURNS SETOF record LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$ SELECT * FROM citus_get_active_worker_nodes() $$;

CREATE FUNCTION pg_catalog.citus_nodename_for_nodeid(nodeid int) RETURNS text LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog AS $$ SELECT n.nodename FROM pg_dist_node n WHERE n.nodeid = $1 $$;
CREATE FUNCTION pg_catalog.citus_nodeport_for_nodeid(nodeid int) RETURNS int LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog AS $$ SELECT n.nodeport FROM pg_dist_node n WHERE n.nodeid = $1 $$;
CREATE FUNCTION pg_catalog.column_to_column_name(table_name regclass, column_var_text text) RETURNS text
LANGUAGE sql STABLE STRICT AS $$ SELECT $2 $$;

CREATE FUNCTION citus_internal.kind(method "char", model "char", colocation int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN model = 't' THEN 'reference' WHEN method = 'n' AND colocation = 0 THEN 'local' ELSE 'distributed' END
$$;

CREATE FUNCTION pg_catalog.citus_relation_size(logicalrelid regclass) RETURNS bigint LANGUAGE sql STRICT
AS $$ SELECT pg_relation_size($1) $$;
CREATE FUNCTION pg_catalog.citus_table_size(logicalrelid regclass) RETURNS bigint LANGUAGE sql STRICT
AS $$ SELECT pg_table_size($1) $$;
CREATE FUNCTION pg_catalog.citus_total_relation_size(logicalrelid regclass, fail_on_error boolean DEFAULT true)
RETURNS bigint LANGUAGE sql STRICT AS $$ SELECT pg_total_relation_size($1) $$;

CREATE VIEW public.citus_tables AS
    SELECT p.logicalrelid AS table_name,
        citus_internal.kind(p.partmethod, p.repmodel, p.colocationid) AS citus_table_type,
        coalesce(p.partkey, '<none>') AS distribution_column,
        p.colocationid AS colocation_id,
        pg_size_pretty(citus_total_relation_size(p.logicalrelid, false)) AS table_size,
        (SELECT count(*) FROM pg_dist_shard s WHERE s.logicalrelid = p.logicalrelid) AS shard_count,
        pg_get_userbyid(c.relowner) AS table_owner,
        coalesce(a.amname, 'heap') AS access_method
    FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid LEFT JOIN pg_am a ON a.oid = c.relam
    WHERE citus_internal.check_versions()
    ORDER BY p.logicalrelid::text;

CREATE VIEW citus.citus_shards AS
    SELECT s.logicalrelid AS table_name,
        s.shardid,
        s.logicalrelid::text || '_' || s.shardid AS shard_name,
        citus_internal.kind(p.partmethod, p.repmodel, p.colocationid) AS citus_table_type,
        p.colocationid AS colocation_id,
        n.nodename,
        n.nodeport,
        pg_total_relation_size(s.logicalrelid)
            / (SELECT count(*) FROM pg_dist_shard o WHERE o.logicalrelid = s.logicalrelid) AS shard_size
    FROM pg_dist_shard s JOIN pg_dist_partition p USING (logicalrelid)
        JOIN pg_dist_placement l USING (shardid) JOIN pg_dist_node n ON n.groupid = l.groupid AND n.noderole = 'primary'
    WHERE citus_internal.check_versions()
    ORDER BY s.logicalrelid::text, s.shardid;

CREATE VIEW citus.citus_nodes AS
    SELECT nodename, nodeport, CASE groupid WHEN 0 THEN 'coordinator' ELSE 'worker' END AS role, isactive AS active
    FROM pg_dist_node;

CREATE VIEW citus.pg_dist_shard_placement AS
    SELECT l.shardid, l.shardstate, l.shardlength, n.nodename, n.nodeport, l.placementid
    FROM pg_dist_placement l JOIN pg_dist_node n USING (groupid) WHERE n.noderole = 'primary';

CREATE VIEW citus.citus_dist_stat_activity AS
    SELECT citus_coordinator_nodeid() * 10000000000 + a.pid AS global_pid, citus_coordinator_nodeid() AS nodeid,
        a.application_name LIKE 'citus_internal%' AS is_worker_query, a.*
    FROM pg_stat_activity a WHERE a.backend_type = 'client backend';

CREATE VIEW citus.citus_lock_waits AS
    SELECT w.pid::bigint AS waiting_gpid, b.pid::bigint AS blocking_gpid, w.query AS blocked_statement,
        b.query AS current_statement_in_blocking_process, 0 AS waiting_nodeid, 0 AS blocking_nodeid
    FROM pg_stat_activity w JOIN pg_stat_activity b ON b.pid = ANY (pg_blocking_pids(w.pid));

ALTER VIEW citus.citus_nodes SET SCHEMA pg_catalog;
ALTER VIEW citus.pg_dist_shard_placement SET SCHEMA pg_catalog;
ALTER VIEW citus.citus_shards SET SCHEMA pg_catalog;
ALTER VIEW citus.citus_dist_stat_activity SET SCHEMA pg_catalog;
ALTER VIEW citus.citus_lock_waits SET SCHEMA pg_catalog;
GRANT SELECT ON public.citus_tables, pg_catalog.citus_nodes, pg_catalog.pg_dist_shard_placement,
    pg_catalog.citus_shards, pg_catalog.citus_dist_stat_activity, pg_catalog.citus_lock_waits TO PUBLIC;
