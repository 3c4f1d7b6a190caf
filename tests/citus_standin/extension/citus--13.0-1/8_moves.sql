-- Moves of shards.

CREATE FUNCTION pg_catalog.citus_shard_cost_1(shardid bigint) RETURNS float4 LANGUAGE sql IMMUTABLE AS $$ SELECT 1.0::float4 $$;
CREATE FUNCTION pg_catalog.citus_shard_cost_by_disk_size(bigint) RETURNS float4 LANGUAGE sql IMMUTABLE
AS $$ SELECT 1.0::float4 $$;
CREATE FUNCTION pg_catalog.citus_node_capacity_1(nodeidarg int) RETURNS float4 LANGUAGE sql IMMUTABLE
AS $$ SELECT 1.0::float4 $$;
CREATE FUNCTION pg_catalog.citus_shard_allowed_on_node_true(shardid bigint, nodeidarg int) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT true $$;

CREATE TABLE citus.pg_dist_rebalance_strategy (
    name name UNIQUE NOT NULL,
    default_strategy boolean NOT NULL DEFAULT false,
    shard_cost_function regproc NOT NULL,
    node_capacity_function regproc NOT NULL,
    shard_allowed_on_node_function regproc NOT NULL,
    default_threshold float4 NOT NULL,
    minimum_threshold float4 NOT NULL DEFAULT 0,
    improvement_threshold float4 NOT NULL DEFAULT 0
);
INSERT INTO citus.pg_dist_rebalance_strategy VALUES
    ('by_shard_count', false, 'citus_shard_cost_1', 'citus_node_capacity_1', 'citus_shard_allowed_on_node_true', 0, 0, 0),
    ('by_disk_size', true, 'citus_shard_cost_by_disk_size', 'citus_node_capacity_1', 'citus_shard_allowed_on_node_true',
     0.1, 0.01, 0.5);
ALTER TABLE citus.pg_dist_rebalance_strategy SET SCHEMA pg_catalog;
GRANT SELECT ON pg_catalog.pg_dist_rebalance_strategy TO PUBLIC;

CREATE FUNCTION citus_internal.check_strategy(wanted name) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF wanted IS NOT NULL AND NOT EXISTS (SELECT FROM pg_dist_rebalance_strategy s WHERE s.name = wanted) THEN
        RAISE EXCEPTION 'could not find rebalance strategy with name %', wanted USING ERRCODE = 'internal_error';
    END IF;
END $$;

CREATE FUNCTION citus_internal.check_replica_identity(colocation int) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
DECLARE
    without name;
BEGIN
    SELECT c.relname INTO without FROM pg_dist_partition JOIN pg_class c ON c.oid = logicalrelid
    WHERE (colocationid = colocation OR (colocation IS NULL AND partmethod = 'h')) AND c.relreplident <> 'f'
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND
                        (i.indisreplident OR (c.relreplident = 'd' AND i.indisprimary)))
    ORDER BY logicalrelid::text LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'cannot use logical replication to transfer shards of the relation % since it doesn''t have a REPLICA IDENTITY or PRIMARY KEY',
            without USING ERRCODE = 'feature_not_supported',
            DETAIL = 'UPDATE and DELETE commands on the shard will error out during logical replication unless there is '
                'a REPLICA IDENTITY or PRIMARY KEY.',
            HINT = 'If you wish to continue without a replica identity set the shard_transfer_mode to ''force_logical'' '
                'or ''block_writes''.';
    END IF;
END $$;

CREATE FUNCTION pg_catalog.citus_move_shard_placement(
    shard_id bigint, source_node_id int, target_node_id int,
    transfer_mode citus.shard_transfer_mode DEFAULT 'auto'
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    source pg_dist_node := (SELECT n FROM pg_dist_node n WHERE nodeid = source_node_id);
    target pg_dist_node := (SELECT n FROM pg_dist_node n WHERE nodeid = target_node_id);
    shard record;
BEGIN
    PERFORM citus_internal.check_coordinator();
    SELECT s.shardminvalue, p.colocationid INTO shard FROM pg_dist_shard s JOIN pg_dist_partition p USING (logicalrelid)
    WHERE s.shardid = shard_id;
    IF EXISTS (SELECT FROM pg_dist_placement l WHERE l.shardid = shard_id AND l.groupid = target.groupid) THEN
        RAISE WARNING 'shard is already present on node %:%', target.nodename, target.nodeport;
        RETURN;
    ELSIF NOT EXISTS (SELECT FROM pg_dist_placement l WHERE l.shardid = shard_id AND l.groupid = source.groupid) THEN
        RAISE EXCEPTION 'could not find placement matching "%:%"', source.nodename, source.nodeport
            USING ERRCODE = 'internal_error',
            HINT = 'Confirm the placement still exists and try again.';
    END IF;
    IF transfer_mode = 'auto' THEN
        PERFORM citus_internal.check_replica_identity(shard.colocationid);
    END IF;
    IF transfer_mode <> 'block_writes' AND citus_internal.remote(source.nodename, source.nodeport,
        'SELECT current_setting(''wal_level'')', citus_internal.owner()) <> 'logical'
    THEN
        RAISE EXCEPTION 'logical decoding requires wal_level >= logical'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    -- the target subscribes to the source
    PERFORM citus_internal.remote(target.nodename, target.nodeport,
        format('SELECT citus_internal.reach_source(%L, %s)', source.nodename, source.nodeport), citus_internal.owner());
    PERFORM pg_sleep(0.2 + random() * 0.3);
    UPDATE pg_dist_placement SET groupid = target.groupid
    WHERE groupid = source.groupid AND shardid IN (
        SELECT s.shardid FROM pg_dist_shard s JOIN pg_dist_partition p USING (logicalrelid)
        WHERE p.colocationid = shard.colocationid AND s.shardminvalue = shard.shardminvalue);
    PERFORM citus_internal.sync();
END $$;

CREATE FUNCTION citus_internal.reach_source(host text, port int) RETURNS void LANGUAGE sql SET search_path = pg_catalog
AS $$ SELECT citus_internal.remote(host, port, 'SELECT 1', citus_internal.owner()) $$;

CREATE FUNCTION pg_catalog.citus_move_shard_placement(
    shard_id bigint, source_node_name text, source_node_port int, target_node_name text, target_node_port int,
    shard_transfer_mode citus.shard_transfer_mode DEFAULT 'auto'
) RETURNS void LANGUAGE sql AS $$
    SELECT citus_move_shard_placement(shard_id, (citus_internal.the_node(source_node_name, source_node_port)).nodeid,
        (citus_internal.the_node(target_node_name, target_node_port)).nodeid, shard_transfer_mode)
$$;

CREATE FUNCTION pg_catalog.replicate_reference_tables(shard_transfer_mode citus.shard_transfer_mode DEFAULT 'auto')
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM citus_internal.check_coordinator();
    INSERT INTO pg_dist_placement (shardid, groupid)
    SELECT s.shardid, n.groupid FROM pg_dist_partition p JOIN pg_dist_shard s USING (logicalrelid), pg_dist_node n
    WHERE p.repmodel = 't' AND n.isactive AND n.noderole = 'primary'
    ON CONFLICT (shardid, groupid) DO NOTHING;
    PERFORM citus_internal.sync();
END $$;

-- The moves of one shard each of a group of tables: off the nodes that should have none, then to an even spread.
CREATE FUNCTION citus_internal.moves(
    drain_only boolean, OUT relation regclass, OUT shardid bigint, OUT source_group int, OUT target_group int
) RETURNS SETOF record LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    colocation record;
    wanted int[] := ARRAY(SELECT groupid FROM pg_dist_node
                          WHERE isactive AND shouldhaveshards AND noderole = 'primary' ORDER BY nodeid);
    shards bigint[];
    places int[];
    fewest record;
    most record;
    at int;
BEGIN
    FOR colocation IN
        SELECT colocationid, min(logicalrelid::oid)::regclass AS relation FROM pg_dist_partition WHERE partmethod = 'h'
        GROUP BY colocationid ORDER BY colocationid
    LOOP
        SELECT array_agg(s.shardid ORDER BY s.shardid), array_agg(l.groupid ORDER BY s.shardid) INTO shards, places
        FROM pg_dist_shard s JOIN pg_dist_placement l USING (shardid) WHERE s.logicalrelid = colocation.relation;
        LOOP
            SELECT g, cardinality(array_positions(places, g)) AS count INTO fewest FROM unnest(wanted) g
            ORDER BY 2, array_position(wanted, g) LIMIT 1;
            EXIT WHEN fewest.g IS NULL;
            SELECT p INTO at FROM generate_subscripts(places, 1) p WHERE NOT places[p] = ANY (wanted) ORDER BY p LIMIT 1;
            IF at IS NULL THEN
                EXIT WHEN drain_only;
                SELECT g, cardinality(array_positions(places, g)) AS count INTO most FROM unnest(wanted) g
                ORDER BY 2 DESC, array_position(wanted, g) LIMIT 1;
                EXIT WHEN most.count - fewest.count <= 1;
                at := array_position(places, most.g);
            END IF;
            relation := colocation.relation;
            shardid := shards[at];
            source_group := places[at];
            target_group := fewest.g;
            places[at] := target_group;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END $$;

CREATE FUNCTION pg_catalog.get_rebalance_table_shards_plan(
    relation regclass DEFAULT NULL, threshold float4 DEFAULT NULL, max_shard_moves int DEFAULT 1000000,
    excluded_shard_list bigint[] DEFAULT '{}', drain_only boolean DEFAULT false, rebalance_strategy name DEFAULT NULL,
    improvement_threshold float4 DEFAULT NULL,
    OUT table_name regclass, OUT shardid bigint, OUT shard_size bigint,
    OUT sourcename text, OUT sourceport int, OUT targetname text, OUT targetport int
) RETURNS SETOF record LANGUAGE sql SET search_path = pg_catalog AS $$
    SELECT d.logicalrelid, d.shardid, pg_total_relation_size(d.logicalrelid)
            / (SELECT count(*) FROM pg_dist_shard o WHERE o.logicalrelid = d.logicalrelid),
        s.nodename, s.nodeport, t.nodename, t.nodeport
    FROM citus_internal.moves(drain_only) m
        JOIN pg_dist_node s ON s.groupid = m.source_group AND s.noderole = 'primary'
        JOIN pg_dist_node t ON t.groupid = m.target_group AND t.noderole = 'primary'
        JOIN pg_dist_shard own ON own.shardid = m.shardid
        JOIN pg_dist_partition p ON p.logicalrelid = own.logicalrelid
        -- a shard takes along those of the same range
        JOIN pg_dist_partition c ON c.colocationid = p.colocationid
        JOIN pg_dist_shard d ON d.logicalrelid = c.logicalrelid AND d.shardminvalue = own.shardminvalue
    WHERE citus_internal.check_versions() AND citus_internal.check_room() AND m.shardid <> ALL (excluded_shard_list)
        AND (relation IS NULL OR d.logicalrelid = relation)
    LIMIT max_shard_moves
$$;

CREATE FUNCTION citus_internal.check_room() RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_dist_node n WHERE n.isactive AND n.shouldhaveshards AND n.noderole = 'primary') THEN
        RAISE EXCEPTION 'Shard replication factor (1) cannot be greater than number of nodes with should_have_shards=true (0).'
            USING ERRCODE = 'internal_error';
    END IF;
    RETURN true;
END $$;

CREATE FUNCTION citus_internal.move_commands(
    drain_only boolean, mode citus.shard_transfer_mode, OUT command text, OUT nodes int[], OUT told text
) RETURNS SETOF record LANGUAGE sql SET search_path = pg_catalog AS $$
    SELECT format('SELECT pg_catalog.citus_move_shard_placement(%s,%s,%s,%L)', m.shardid, s.nodeid, t.nodeid, mode),
        ARRAY[s.nodeid, t.nodeid],
        format('Moving shard %s from %s:%s to %s:%s ...', m.shardid, s.nodename, s.nodeport, t.nodename, t.nodeport)
    FROM citus_internal.moves(drain_only) m
        JOIN pg_dist_node s ON s.groupid = m.source_group AND s.noderole = 'primary'
        JOIN pg_dist_node t ON t.groupid = m.target_group AND t.noderole = 'primary'
$$;

CREATE FUNCTION citus_internal.check_no_rebalance() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    job bigint;
BEGIN
    SELECT job_id INTO job FROM pg_dist_background_job
    WHERE job_type = 'rebalance' AND state IN ('scheduled', 'running', 'cancelling', 'failing') ORDER BY job_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'A rebalance is already running as job %', job USING
            ERRCODE = 'internal_error',
            DETAIL = 'A rebalance was already scheduled as background job',
            HINT = 'To monitor progress, run: SELECT * FROM citus_rebalance_status();';
    END IF;
END $$;

-- Each move is a transaction of its own, so what was moved before an error stays moved. And the node is marked before
-- anything is checked: one whose drain failed gets no shards any more.
CREATE FUNCTION pg_catalog.citus_drain_node(
    nodename text, nodeport int, shard_transfer_mode citus.shard_transfer_mode DEFAULT 'auto',
    rebalance_strategy name DEFAULT NULL
) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM citus_internal.check_coordinator();
    IF NOT EXISTS (SELECT FROM pg_dist_node n WHERE n.nodename = $1 AND n.nodeport = $2) THEN
        RAISE EXCEPTION 'node %:% not found', nodename, nodeport USING ERRCODE = 'no_data_found';
    END IF;
    PERFORM citus_internal.self(format('SELECT citus_set_node_property(%L, %s, ''shouldhaveshards'', false)',
                                       nodename, nodeport), citus_internal.owner());
    PERFORM citus_internal.check_no_rebalance();
    IF EXISTS (SELECT FROM pg_dist_partition WHERE partmethod = 'h') THEN
        PERFORM citus_internal.check_room();
    END IF;
    PERFORM citus_internal.run_moves(true, shard_transfer_mode);
END $$;

CREATE FUNCTION citus_internal.run_moves(drain_only boolean, mode citus.shard_transfer_mode) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
DECLARE
    move record;
BEGIN
    FOR move IN SELECT * FROM citus_internal.move_commands(drain_only, mode) LOOP
        IF mode = 'auto' THEN
            PERFORM citus_internal.check_replica_identity(NULL);
        END IF;
        RAISE NOTICE '%', move.told;
        PERFORM citus_internal.self(move.command, citus_internal.owner());
    END LOOP;
END $$;

CREATE FUNCTION pg_catalog.rebalance_table_shards(
    relation regclass DEFAULT NULL, threshold float4 DEFAULT NULL, max_shard_moves int DEFAULT 1000000,
    excluded_shard_list bigint[] DEFAULT '{}', shard_transfer_mode citus.shard_transfer_mode DEFAULT 'auto',
    drain_only boolean DEFAULT false, rebalance_strategy name DEFAULT NULL
) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM citus_internal.check_coordinator();
    PERFORM citus_internal.self('SELECT replicate_reference_tables()', citus_internal.owner());
    PERFORM citus_internal.run_moves(drain_only, shard_transfer_mode);
END $$;
