/* A stand-in for Citus, for tests: what a cluster answers to those who look after it. Rows stay on the coordinator. */
\echo Use "CREATE EXTENSION citus" to load this file. \quit

CREATE SCHEMA citus;
CREATE SCHEMA citus_internal;
GRANT USAGE ON SCHEMA citus, citus_internal TO PUBLIC;

-- ---- what is known of the cluster ------------------------------------------------------------------------------------
-- Tables cannot be made in pg_catalog, but be moved there, which is where those of Citus are.

CREATE TYPE citus.distribution_type AS ENUM ('hash', 'range', 'append');
CREATE TYPE citus.shard_transfer_mode AS ENUM ('auto', 'force_logical', 'block_writes');
CREATE TYPE citus.noderole AS ENUM ('primary', 'secondary', 'unavailable');
CREATE TYPE citus.citus_job_status AS ENUM
    ('scheduled', 'running', 'finished', 'cancelling', 'cancelled', 'failing', 'failed');
CREATE TYPE citus.citus_task_status AS ENUM
    ('blocked', 'runnable', 'running', 'done', 'cancelling', 'error', 'unscheduled', 'cancelled');
ALTER TYPE citus.noderole SET SCHEMA pg_catalog;
ALTER TYPE citus.citus_job_status SET SCHEMA pg_catalog;
ALTER TYPE citus.citus_task_status SET SCHEMA pg_catalog;

CREATE SEQUENCE citus.pg_dist_node_nodeid_seq AS int;
CREATE SEQUENCE citus.pg_dist_groupid_seq AS int;
CREATE SEQUENCE citus.pg_dist_colocationid_seq AS int;
CREATE SEQUENCE citus.pg_dist_shardid_seq START 102008;
CREATE SEQUENCE citus.pg_dist_placement_placementid_seq;
CREATE SEQUENCE citus.pg_dist_background_job_job_id_seq;
CREATE SEQUENCE citus.pg_dist_background_task_task_id_seq;

CREATE TABLE citus.pg_dist_node (
    nodeid int PRIMARY KEY DEFAULT nextval('citus.pg_dist_node_nodeid_seq'),
    groupid int NOT NULL,
    nodename text NOT NULL,
    nodeport int NOT NULL DEFAULT 5432,
    noderack text NOT NULL DEFAULT 'default',
    hasmetadata boolean NOT NULL DEFAULT false,
    isactive boolean NOT NULL DEFAULT true,
    noderole noderole NOT NULL DEFAULT 'primary',
    nodecluster name NOT NULL DEFAULT 'default',
    metadatasynced boolean DEFAULT false,
    shouldhaveshards boolean NOT NULL DEFAULT true,
    UNIQUE (nodename, nodeport),
    CONSTRAINT primaries_are_only_allowed_in_the_default_cluster
        CHECK (NOT (nodecluster <> 'default' AND noderole = 'primary'))
);
CREATE TABLE citus.pg_dist_local_group (groupid int PRIMARY KEY);
INSERT INTO citus.pg_dist_local_group VALUES (0);
CREATE TABLE citus.pg_dist_node_metadata (metadata jsonb NOT NULL);
-- Two nodes with one id are one data directory that was copied.
INSERT INTO citus.pg_dist_node_metadata VALUES (jsonb_build_object('server_id', gen_random_uuid()));
CREATE TABLE citus.pg_dist_partition (
    logicalrelid regclass PRIMARY KEY,
    partmethod "char" NOT NULL,
    partkey text,
    colocationid int NOT NULL DEFAULT 0,
    repmodel "char" NOT NULL DEFAULT 's',
    autoconverted boolean NOT NULL DEFAULT false
);
CREATE TABLE citus.pg_dist_colocation (
    colocationid int PRIMARY KEY,
    shardcount int NOT NULL,
    replicationfactor int NOT NULL,
    distributioncolumntype oid NOT NULL,
    distributioncolumncollation oid NOT NULL
);
CREATE TABLE citus.pg_dist_shard (
    logicalrelid regclass NOT NULL,
    shardid bigint PRIMARY KEY,
    shardstorage "char" NOT NULL DEFAULT 't',
    shardminvalue text,
    shardmaxvalue text
);
CREATE TABLE citus.pg_dist_placement (
    placementid bigint PRIMARY KEY DEFAULT nextval('citus.pg_dist_placement_placementid_seq'),
    shardid bigint NOT NULL,
    shardstate int NOT NULL DEFAULT 1,
    shardlength bigint NOT NULL DEFAULT 0,
    groupid int NOT NULL,
    UNIQUE (shardid, groupid)
);
CREATE TABLE citus.pg_dist_background_job (
    job_id bigint PRIMARY KEY DEFAULT nextval('citus.pg_dist_background_job_job_id_seq'),
    state citus_job_status NOT NULL DEFAULT 'scheduled',
    job_type name NOT NULL,
    description text NOT NULL,
    started_at timestamptz,
    finished_at timestamptz
);
CREATE TABLE citus.pg_dist_background_task (
    job_id bigint NOT NULL REFERENCES citus.pg_dist_background_job,
    task_id bigint PRIMARY KEY DEFAULT nextval('citus.pg_dist_background_task_task_id_seq'),
    owner regrole NOT NULL DEFAULT current_user::regrole,
    pid int,
    status citus_task_status NOT NULL DEFAULT 'runnable',
    command text NOT NULL,
    retry_count int,
    not_before timestamptz,
    message text NOT NULL DEFAULT '',
    nodes_involved int[]
);
CREATE TABLE citus.pg_dist_background_task_depend (
    job_id bigint NOT NULL,
    task_id bigint NOT NULL,
    depends_on bigint NOT NULL,
    PRIMARY KEY (job_id, task_id, depends_on)
);
CREATE TABLE citus.pg_dist_transaction (groupid int NOT NULL, gid text NOT NULL);
CREATE TABLE citus.pg_dist_schema (schemaid oid PRIMARY KEY, colocationid int NOT NULL);
CREATE TABLE citus.pg_dist_cleanup (
    record_id bigint PRIMARY KEY,
    operation_id bigint NOT NULL,
    object_type int NOT NULL,
    object_name text NOT NULL,
    node_group_id int NOT NULL,
    policy_type int NOT NULL
);
CREATE TABLE citus.pg_dist_authinfo (nodeid int NOT NULL, rolename name NOT NULL, authinfo text NOT NULL);
CREATE TABLE citus.pg_dist_poolinfo (nodeid int PRIMARY KEY, poolinfo text NOT NULL);

DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT relname, relkind FROM pg_class
        WHERE relnamespace = 'citus'::regnamespace AND relkind IN ('r', 'S') ORDER BY relkind DESC
    LOOP
        IF item.relkind = 'S' THEN
            EXECUTE format('ALTER SEQUENCE citus.%I SET SCHEMA pg_catalog', item.relname);
        ELSE
            EXECUTE format('ALTER TABLE citus.%I SET SCHEMA pg_catalog', item.relname);
            IF item.relname <> 'pg_dist_authinfo' THEN
                EXECUTE format('GRANT SELECT ON pg_catalog.%I TO PUBLIC', item.relname);
            END IF;
        END IF;
    END LOOP;
END $$;

-- ---- versions --------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_catalog.citus_version() RETURNS text LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'citus_standin_version';

CREATE FUNCTION citus_internal.loaded_version() RETURNS text LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'citus_standin_extension_version';

-- The library in memory, the files of the package, and what ALTER EXTENSION made: only together they are one version.
CREATE FUNCTION citus_internal.check_versions() RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    loaded text := citus_internal.loaded_version();
    installed text := (SELECT extversion FROM pg_extension WHERE extname = 'citus');
    available text := (SELECT default_version FROM pg_available_extensions() WHERE name = 'citus');
BEGIN
    IF available <> loaded THEN
        RAISE EXCEPTION 'loaded Citus library version differs from latest available extension version' USING
            DETAIL = format('Loaded library requires %s, but the latest control file specifies %s.',
                            split_part(loaded, '-', 1), available),
            HINT = 'Restart the database to load the latest Citus library.';
    ELSIF installed <> loaded THEN
        RAISE EXCEPTION 'loaded Citus library version differs from installed extension version' USING
            DETAIL = format('Loaded library requires %s, but the installed extension version is %s.',
                            split_part(loaded, '-', 1), installed),
            HINT = 'Run ALTER EXTENSION citus UPDATE and try again.';
    END IF;
    RETURN true;
END $$;

CREATE PROCEDURE pg_catalog.citus_finish_citus_upgrade() LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'already at the latest distributed schema version (%)',
        (SELECT extversion FROM pg_extension WHERE extname = 'citus');
END $$;

-- ---- connections between nodes ---------------------------------------------------------------------------------------

CREATE FUNCTION citus_internal.dblink(text, text) RETURNS SETOF record LANGUAGE c VOLATILE STRICT
AS '$libdir/dblink', 'dblink_record';
REVOKE EXECUTE ON FUNCTION citus_internal.dblink(text, text) FROM PUBLIC;

-- Who asks, also below a function that runs as its owner.
CREATE FUNCTION citus_internal.who() RETURNS name LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$ SELECT CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role')::name END $$;

CREATE FUNCTION citus_internal.owner() RETURNS name LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$ SELECT pg_get_userbyid(extowner) FROM pg_extension WHERE extname = 'citus' $$;

CREATE FUNCTION citus_internal.quoted(value text) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
AS $$ SELECT '''' || replace(replace(value, '\', '\\'), '''', '\''') || '''' $$;

-- Run a command on a node as a user. A connection is made for it, with what citus.node_conninfo says.
CREATE FUNCTION citus_internal.remote(host text, port int, command text, username name) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    seconds int := greatest(2, ceil(extract(epoch FROM current_setting('citus.node_connection_timeout')::interval)));
    answers text[];
    reason text;
BEGIN
    IF current_setting('citus.log_remote_commands')::boolean THEN
        RAISE NOTICE 'issuing %', command USING DETAIL = format('on server %s@%s:%s', username, host, port);
    END IF;
    SELECT array_agg(result) INTO answers FROM citus_internal.dblink(
        format('host=%s port=%s dbname=%s user=%s connect_timeout=%s application_name=citus_internal %s %s',
            citus_internal.quoted(host), port, citus_internal.quoted(current_database()),
            citus_internal.quoted(username), seconds, current_setting('citus.node_conninfo'),
            (SELECT a.authinfo FROM pg_dist_authinfo a LEFT JOIN pg_dist_node n USING (nodeid)
             WHERE a.rolename = username AND (a.nodeid = 0 OR (n.nodename = host AND n.nodeport = port))
             ORDER BY a.nodeid DESC LIMIT 1)),
        command) AS t(result text);
    IF cardinality(answers) > 1 THEN
        RAISE EXCEPTION 'expected a single row in query result';
    END IF;
    RETURN answers[1];
EXCEPTION WHEN sqlclient_unable_to_establish_sqlconnection THEN
    GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION USING ERRCODE = 'connection_failure', MESSAGE = format(
        'connection to the remote node %s@%s:%s failed with the following error: %s',
        username, host, port,
        -- libpq says once more where
        regexp_replace(rtrim(reason, E'\n'), '^connection to server at .*, port \d+ failed: ', ''));
END $$;
REVOKE EXECUTE ON FUNCTION citus_internal.remote(text, int, text, name) FROM PUBLIC;

-- The node to itself, as citus.local_hostname says.
CREATE FUNCTION citus_internal.self(command text, username name) RETURNS text LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog
AS $$ SELECT citus_internal.remote(current_setting('citus.local_hostname'), current_setting('port')::int, command, username) $$;
REVOKE EXECUTE ON FUNCTION citus_internal.self(text, name) FROM PUBLIC;

CREATE FUNCTION pg_catalog.citus_check_connection_to_node(nodename text, nodeport int DEFAULT 5432) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM citus_internal.remote(nodename, nodeport, 'SELECT 1', citus_internal.who());
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    RETURN false;
END $$;

CREATE FUNCTION pg_catalog.assign_distributed_transaction_id(int, bigint, timestamptz) RETURNS void LANGUAGE sql
AS $$ SELECT $$;

-- ---- what others may ask ---------------------------------------------------------------------------------------------

CREATE FUNCTION citus_internal.local_group() RETURNS int LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$ SELECT groupid FROM pg_dist_local_group $$;

CREATE FUNCTION pg_catalog.citus_is_coordinator() RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$ SELECT citus_internal.local_group() = 0 AND EXISTS (SELECT FROM pg_dist_node) $$;

CREATE FUNCTION citus_internal.check_coordinator() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM citus_internal.check_versions();
    IF citus_internal.local_group() <> 0 THEN
        RAISE EXCEPTION 'operation is not allowed on this node' USING
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
        RAISE EXCEPTION 'node at "%:%" does not exist', name, port;
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

CREATE FUNCTION citus_internal.kind(method "char", model "char") RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN method = 'h' THEN 'distributed' WHEN model = 't' THEN 'reference' ELSE 'local' END
$$;

CREATE FUNCTION pg_catalog.citus_relation_size(logicalrelid regclass) RETURNS bigint LANGUAGE sql STRICT
AS $$ SELECT pg_relation_size($1) $$;
CREATE FUNCTION pg_catalog.citus_table_size(logicalrelid regclass) RETURNS bigint LANGUAGE sql STRICT
AS $$ SELECT pg_table_size($1) $$;
CREATE FUNCTION pg_catalog.citus_total_relation_size(logicalrelid regclass, fail_on_error boolean DEFAULT true)
RETURNS bigint LANGUAGE sql STRICT AS $$ SELECT pg_total_relation_size($1) $$;

CREATE VIEW public.citus_tables AS
    SELECT p.logicalrelid AS table_name,
        citus_internal.kind(p.partmethod, p.repmodel) AS citus_table_type,
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
        citus_internal.kind(p.partmethod, p.repmodel) AS citus_table_type,
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
GRANT SELECT ON public.citus_tables, pg_catalog.citus_nodes, pg_catalog.pg_dist_shard_placement, pg_catalog.citus_shards, pg_catalog.citus_dist_stat_activity,
    pg_catalog.citus_lock_waits TO PUBLIC;

-- ---- metadata on every node ------------------------------------------------------------------------------------------

-- All that a node of a group has to know. Tables go by name and columns, as their numbers differ from node to node.
CREATE FUNCTION citus_internal.metadata(target_group int) RETURNS jsonb LANGUAGE sql SET search_path = pg_catalog AS $$
    SELECT jsonb_build_object(
        'group', target_group,
        'nodes', (SELECT jsonb_agg(to_jsonb(n)) FROM pg_dist_node n),
        'colocation', (SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') FROM pg_dist_colocation c),
        'placements', (SELECT coalesce(jsonb_agg(to_jsonb(l)), '[]') FROM pg_dist_placement l),
        'shards', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM pg_dist_shard s),
        'tables', (
            SELECT coalesce(jsonb_agg(to_jsonb(p) || jsonb_build_object(
                'schema', c.relnamespace::regnamespace::text, 'name', c.relname, 'owner', pg_get_userbyid(c.relowner),
                'columns', (
                    SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
                    FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped))), '[]')
            FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid))
$$;

-- Take over what the coordinator knows: the rows, and an empty table for each one there that this node has not.
CREATE FUNCTION citus_internal.accept_metadata(told jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog SET client_min_messages = warning AS $$
DECLARE
    item jsonb;
    old regclass;
    place text;
    names jsonb := '{}';
BEGIN
    DELETE FROM pg_dist_node;
    INSERT INTO pg_dist_node (nodeid, groupid, nodename, nodeport, noderack, hasmetadata, isactive, noderole,
                              nodecluster, metadatasynced, shouldhaveshards)
    SELECT nodeid, groupid, nodename, nodeport, noderack, hasmetadata, isactive, noderole, nodecluster,
           metadatasynced, shouldhaveshards
    FROM jsonb_populate_recordset(NULL::pg_dist_node, told -> 'nodes');
    UPDATE pg_dist_local_group SET groupid = (told ->> 'group')::int;
    FOR old IN SELECT logicalrelid FROM pg_dist_partition JOIN pg_class ON pg_class.oid = logicalrelid LOOP
        IF NOT EXISTS (SELECT FROM jsonb_array_elements(told -> 'tables') t
                       WHERE to_regclass(format('%I.%I', t ->> 'schema', t ->> 'name')) = old) THEN
            EXECUTE format('DROP TABLE %s CASCADE', old);
        END IF;
    END LOOP;
    DELETE FROM pg_dist_partition;
    FOR item IN SELECT * FROM jsonb_array_elements(told -> 'tables') LOOP
        place := format('%I.%I', item ->> 'schema', item ->> 'name');
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', item ->> 'schema');
        EXECUTE format('CREATE TABLE IF NOT EXISTS %s (%s)', place, item ->> 'columns');
        EXECUTE format('ALTER TABLE %s OWNER TO %I', place, item ->> 'owner');
        INSERT INTO pg_dist_partition VALUES (place::regclass, (item ->> 'partmethod')::"char", item ->> 'partkey',
            (item ->> 'colocationid')::int, (item ->> 'repmodel')::"char", (item ->> 'autoconverted')::boolean);
        names := names || jsonb_build_object(item ->> 'logicalrelid', place);
    END LOOP;
    DELETE FROM pg_dist_colocation;
    INSERT INTO pg_dist_colocation SELECT * FROM jsonb_populate_recordset(NULL::pg_dist_colocation, told -> 'colocation');
    DELETE FROM pg_dist_placement;
    INSERT INTO pg_dist_placement SELECT * FROM jsonb_populate_recordset(NULL::pg_dist_placement, told -> 'placements');
    DELETE FROM pg_dist_shard;
    INSERT INTO pg_dist_shard
    SELECT (names ->> (s ->> 'logicalrelid'))::regclass, (s ->> 'shardid')::bigint, (s ->> 'shardstorage')::"char",
        s ->> 'shardminvalue', s ->> 'shardmaxvalue'
    FROM jsonb_array_elements(told -> 'shards') s;
END $$;

CREATE FUNCTION citus_internal.sync_node(target pg_dist_node) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT citus_internal.remote(target.nodename, target.nodeport,
        format('SELECT citus_internal.accept_metadata(%L)', citus_internal.metadata(target.groupid)),
        citus_internal.owner())
$$;

CREATE FUNCTION citus_internal.other_nodes() RETURNS SETOF pg_dist_node LANGUAGE sql STABLE
SET search_path = pg_catalog AS $$
    SELECT * FROM pg_dist_node
    WHERE citus_internal.local_group() = 0 AND groupid <> 0 AND isactive AND noderole = 'primary' ORDER BY nodeid
$$;

-- After citus_update_node the others learn of it in the background; until then nothing else may change.
CREATE FUNCTION citus_internal.check_synced() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    behind pg_dist_node := (SELECT n FROM citus_internal.other_nodes() n WHERE NOT metadatasynced LIMIT 1);
BEGIN
    IF behind.nodeid IS NOT NULL THEN
        RAISE EXCEPTION '%:% is a metadata node, but is out of sync', behind.nodename, behind.nodeport USING
            ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'If the node is up, wait until metadata gets synced to it and try again.';
    END IF;
END $$;

CREATE FUNCTION citus_internal.sync() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM citus_internal.check_synced();
    PERFORM citus_internal.sync_node(n) FROM citus_internal.other_nodes() n;
END $$;

-- ---- roles on every node ---------------------------------------------------------------------------------------------

CREATE FUNCTION citus_internal.roles() RETURNS jsonb LANGUAGE sql SET search_path = pg_catalog AS $$
    SELECT jsonb_build_object(
        'roles', coalesce(jsonb_agg(jsonb_build_object('name', rolname, 'settings', setconfig, 'options', concat_ws(' ',
            CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END,
            CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
            CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END,
            CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
            CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
            CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
            CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END,
            'CONNECTION LIMIT ' || rolconnlimit,
            'PASSWORD ' || quote_nullable(rolpassword),
            'VALID UNTIL ' || quote_literal(rolvaliduntil)))), '[]'),
        'members', (
            SELECT coalesce(jsonb_agg(format('GRANT %I TO %I%s', g.rolname, m.rolname,
                CASE WHEN admin_option THEN ' WITH ADMIN OPTION' ELSE '' END)), '[]')
            FROM pg_auth_members a JOIN pg_authid g ON g.oid = a.roleid JOIN pg_authid m ON m.oid = a.member
            WHERE m.oid >= 16384))
    FROM pg_authid r LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0
    -- those that initdb made are on every node
    WHERE r.oid >= 16384
$$;
REVOKE EXECUTE ON FUNCTION citus_internal.roles() FROM PUBLIC;

CREATE FUNCTION citus_internal.accept_roles(told jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog SET client_min_messages = warning AS $$
DECLARE
    item jsonb;
    setting text;
    grants text;
BEGIN
    FOR item IN SELECT * FROM jsonb_array_elements(told -> 'roles') LOOP
        IF to_regrole(quote_ident(item ->> 'name')) IS NULL THEN
            EXECUTE format('CREATE ROLE %I %s', item ->> 'name', item ->> 'options');
        ELSE
            EXECUTE format('ALTER ROLE %I %s', item ->> 'name', item ->> 'options');
        END IF;
        EXECUTE format('ALTER ROLE %I RESET ALL', item ->> 'name');
        CONTINUE WHEN jsonb_typeof(item -> 'settings') <> 'array';
        FOR setting IN SELECT * FROM jsonb_array_elements_text(item -> 'settings') LOOP
            EXECUTE format('ALTER ROLE %I SET %s = %L', item ->> 'name', split_part(setting, '=', 1),
                           substr(setting, strpos(setting, '=') + 1));
        END LOOP;
    END LOOP;
    FOR grants IN SELECT * FROM jsonb_array_elements_text(told -> 'members') LOOP
        EXECUTE grants;
    END LOOP;
END $$;

CREATE FUNCTION citus_internal.sync_roles(target pg_dist_node) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT citus_internal.remote(target.nodename, target.nodeport,
        format('SELECT citus_internal.accept_roles(%L)', citus_internal.roles()), citus_internal.owner())
$$;

-- The library calls these two after a statement on roles.
CREATE FUNCTION citus_internal.sync_roles() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF current_setting('citus.enable_ddl_propagation')::boolean THEN
        PERFORM citus_internal.sync_roles(n) FROM citus_internal.other_nodes() n;
    END IF;
END $$;

CREATE FUNCTION citus_internal.drop_roles(names text[]) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF current_setting('citus.enable_ddl_propagation')::boolean THEN
        PERFORM citus_internal.remote(n.nodename, n.nodeport,
            format('DROP ROLE IF EXISTS %s', (SELECT string_agg(quote_ident(name), ', ') FROM unnest(names) name)),
            citus_internal.owner())
        FROM citus_internal.other_nodes() n;
    END IF;
END $$;

-- ---- nodes -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_catalog.citus_set_coordinator_host(
    host text, port int DEFAULT current_setting('port')::int, node_role noderole DEFAULT 'primary',
    node_cluster name DEFAULT 'default'
) RETURNS void LANGUAGE plpgsql STRICT SET search_path = pg_catalog AS $$
BEGIN
    PERFORM citus_internal.check_coordinator();
    UPDATE pg_dist_node SET nodename = host, nodeport = port WHERE groupid = 0 AND noderole = node_role;
    IF NOT FOUND THEN
        INSERT INTO pg_dist_node (groupid, nodename, nodeport, hasmetadata, noderole, nodecluster, metadatasynced,
                                  shouldhaveshards)
        VALUES (0, host, port, true, node_role, node_cluster, true, false);
    END IF;
    PERFORM citus_internal.sync();
END $$;

CREATE FUNCTION citus_internal.reach(host text, port int) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    BEGIN
        PERFORM citus_internal.remote(host, port, format('SELECT assign_distributed_transaction_id(0, 1, %L)', now()),
                                      citus_internal.owner());
    EXCEPTION WHEN undefined_function THEN
        RAISE WARNING '%', SQLERRM;
        RAISE EXCEPTION 'failure on connection marked as essential: %:%', host, port;
    END;
    IF citus_internal.remote(host, port, $q$SELECT metadata ->> 'server_id' FROM pg_dist_node_metadata$q$,
                             citus_internal.owner())
        = (SELECT metadata ->> 'server_id' FROM pg_dist_node_metadata)
    THEN
        RAISE EXCEPTION 'Node cannot add itself as a worker.' USING HINT = format(
            'Add the node as a coordinator by using: SELECT citus_set_coordinator_host(''%s'', %s);', host, port);
    END IF;
END $$;

CREATE FUNCTION pg_catalog.citus_activate_node(nodename text, nodeport int) RETURNS int LANGUAGE plpgsql STRICT
SET search_path = pg_catalog AS $$
DECLARE
    target pg_dist_node;
BEGIN
    PERFORM citus_internal.check_coordinator();
    target := citus_internal.the_node(nodename, nodeport);
    PERFORM citus_internal.remote(nodename, nodeport, 'SELECT 1', citus_internal.owner());
    UPDATE pg_dist_node SET isactive = true, hasmetadata = true, metadatasynced = true WHERE nodeid = target.nodeid;
    PERFORM citus_internal.sync_roles(target);
    PERFORM citus_internal.sync();
    RETURN target.nodeid;
END $$;

CREATE FUNCTION pg_catalog.citus_add_inactive_node(
    nodename text, nodeport int, groupid int DEFAULT -1, noderole noderole DEFAULT 'primary',
    nodecluster name DEFAULT 'default'
) RETURNS int LANGUAGE plpgsql STRICT SET search_path = pg_catalog AS $$
DECLARE
    found int;
BEGIN
    PERFORM citus_internal.check_coordinator();
    SELECT n.nodeid INTO found FROM pg_dist_node n WHERE n.nodename = $1 AND n.nodeport = $2;
    IF found IS NOT NULL THEN
        RETURN found;
    END IF;
    IF $1 NOT IN ('localhost', '127.0.0.1', '::1') AND EXISTS
        (SELECT FROM pg_dist_node n WHERE n.groupid = 0 AND n.nodename IN ('localhost', '127.0.0.1', '::1'))
    THEN
        RAISE EXCEPTION 'cannot add a worker node when the coordinator hostname is set to localhost' USING
            DETAIL = 'Worker nodes need to be able to connect to the coordinator to transfer data.',
            HINT = 'Use SELECT citus_set_coordinator_host(''<hostname>'') to configure the coordinator hostname';
    END IF;
    INSERT INTO pg_dist_node (groupid, nodename, nodeport, isactive, noderole, nodecluster)
    VALUES (CASE WHEN $3 < 0 THEN nextval('pg_dist_groupid_seq') ELSE $3 END, $1, $2, false, $4, $5)
    RETURNING nodeid INTO found;
    RETURN found;
END $$;

CREATE FUNCTION pg_catalog.citus_add_node(
    nodename text, nodeport int, groupid int DEFAULT -1, noderole noderole DEFAULT 'primary',
    nodecluster name DEFAULT 'default'
) RETURNS int LANGUAGE plpgsql STRICT SET search_path = pg_catalog AS $$
DECLARE
    id int;
BEGIN
    PERFORM citus_internal.check_coordinator();
    SELECT n.nodeid INTO id FROM pg_dist_node n WHERE n.nodename = $1 AND n.nodeport = $2;
    IF id IS NULL THEN
        id := citus_add_inactive_node($1, $2, $3, $4, $5);
        PERFORM citus_internal.reach($1, $2);
        PERFORM citus_activate_node($1, $2);
    END IF;
    RETURN id;
END $$;

CREATE FUNCTION citus_internal.check_not_needed(target pg_dist_node) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
DECLARE
    kept record;
BEGIN
    SELECT s.shardid, s.logicalrelid INTO kept FROM pg_dist_placement l JOIN pg_dist_shard s USING (shardid)
    WHERE l.groupid = target.groupid AND NOT EXISTS
        (SELECT FROM pg_dist_placement o WHERE o.shardid = l.shardid AND o.groupid <> l.groupid)
    ORDER BY s.shardid LIMIT 1;
    IF FOUND AND target.noderole = 'primary' THEN
        RAISE EXCEPTION 'cannot remove or disable the node %:% because because it contains the only shard placement for shard %',
            target.nodename, target.nodeport, kept.shardid USING
            DETAIL = format('One of the table(s) that prevents the operation complete successfully is %s',
                            (SELECT format('%I.%I', relnamespace::regnamespace, relname) FROM pg_class
                             WHERE oid = kept.logicalrelid)),
            HINT = 'To proceed, either drop the tables or use undistribute_table() function to convert them to local tables';
    END IF;
END $$;

CREATE FUNCTION pg_catalog.citus_remove_node(nodename text, nodeport int) RETURNS void LANGUAGE plpgsql STRICT
SET search_path = pg_catalog AS $$
DECLARE
    target pg_dist_node;
BEGIN
    PERFORM citus_internal.check_coordinator();
    target := citus_internal.the_node(nodename, nodeport);
    PERFORM citus_internal.check_not_needed(target);
    IF target.noderole = 'primary' THEN
        DELETE FROM pg_dist_placement l WHERE l.groupid = target.groupid;
    END IF;
    DELETE FROM pg_dist_node n WHERE n.nodeid = target.nodeid;
    PERFORM citus_internal.sync();
END $$;

CREATE FUNCTION pg_catalog.citus_disable_node(nodename text, nodeport int, synchronous boolean DEFAULT false)
RETURNS void LANGUAGE plpgsql STRICT SET search_path = pg_catalog AS $$
DECLARE
    target pg_dist_node;
BEGIN
    PERFORM citus_internal.check_coordinator();
    target := citus_internal.the_node(nodename, nodeport);
    IF target.groupid = 0 THEN
        RAISE EXCEPTION 'cannot change "isactive" field of the coordinator node';
    END IF;
    PERFORM citus_internal.check_not_needed(target);
    IF NOT synchronous AND target.nodeid =
        (SELECT min(nodeid) FROM citus_internal.other_nodes() n WHERE n.noderole = 'primary')
    THEN
        RAISE EXCEPTION 'disabling the first worker node in the metadata is not allowed' USING
            ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Citus uses the first worker node in the metadata for certain internal operations when replicated tables are modified. '
                'Synchronous mode ensures that all nodes have the same view of the first worker node, which is used for certain locking operations.',
            HINT = format('You can force disabling node, SELECT citus_disable_node(%L, %s, synchronous:=true);',
                          nodename, nodeport);
    END IF;
    DELETE FROM pg_dist_placement l WHERE l.groupid = target.groupid;
    UPDATE pg_dist_node n SET isactive = false, metadatasynced = synchronous WHERE n.nodeid = target.nodeid;
    PERFORM citus_internal.sync();
END $$;

CREATE FUNCTION pg_catalog.citus_set_node_property(nodename text, nodeport int, property text, value boolean)
RETURNS void LANGUAGE plpgsql STRICT SET search_path = pg_catalog AS $$
DECLARE
    target pg_dist_node;
BEGIN
    PERFORM citus_internal.check_coordinator();
    target := citus_internal.the_node(nodename, nodeport);
    IF property <> 'shouldhaveshards' THEN
        RAISE EXCEPTION 'only the ''shouldhaveshards'' property can be set using this function';
    END IF;
    UPDATE pg_dist_node n SET shouldhaveshards = value WHERE n.nodeid = target.nodeid;
    PERFORM citus_internal.sync();
END $$;

CREATE FUNCTION pg_catalog.citus_update_node(
    node_id int, new_node_name text, new_node_port int, force boolean DEFAULT false, lock_cooldown int DEFAULT 10000
) RETURNS void LANGUAGE plpgsql STRICT SET search_path = pg_catalog AS $$
DECLARE
    other int;
BEGIN
    SELECT nodeid INTO other FROM pg_dist_node WHERE nodename = new_node_name AND nodeport = new_node_port;
    IF other = node_id THEN
        RETURN;
    ELSIF other IS NOT NULL THEN
        RAISE EXCEPTION 'there is already another node with the specified hostname and port'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    PERFORM citus_internal.check_coordinator();
    UPDATE pg_dist_node SET nodename = new_node_name, nodeport = new_node_port WHERE nodeid = node_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'node % not found', node_id USING ERRCODE = 'no_data_found';
    END IF;
    -- the background worker tells the others
    UPDATE pg_dist_node SET metadatasynced = false WHERE groupid <> 0 AND hasmetadata;
    PERFORM citus_internal.wake();
END $$;

CREATE FUNCTION pg_catalog.start_metadata_sync_to_all_nodes() RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
BEGIN
    PERFORM citus_internal.check_coordinator();
    PERFORM citus_internal.sync();
    RETURN true;
END $$;

CREATE FUNCTION pg_catalog.citus_check_cluster_node_health(
    OUT from_nodename text, OUT from_nodeport int, OUT to_nodename text, OUT to_nodeport int, OUT result boolean
) RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM citus_internal.check_versions();
    FOR from_nodename, from_nodeport, to_nodename, to_nodeport IN
        SELECT f.nodename, f.nodeport, t.nodename, t.nodeport FROM pg_dist_node f, pg_dist_node t
        WHERE f.isactive AND t.isactive AND f.noderole = 'primary' AND t.noderole = 'primary' ORDER BY f.nodeid, t.nodeid
    LOOP
        BEGIN
            result := citus_internal.remote(from_nodename, from_nodeport,
                format('SELECT citus_check_connection_to_node(%L, %s)', to_nodename, to_nodeport), citus_internal.who());
        EXCEPTION WHEN OTHERS THEN
            result := NULL;
        END;
        RETURN NEXT;
    END LOOP;
END $$;

-- ---- one command on many nodes ---------------------------------------------------------------------------------------

CREATE FUNCTION citus_internal.run_on(target pg_dist_node, command text, warn boolean, OUT success boolean, OUT result text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF target.nodeid IS NULL THEN
        result := citus_internal.self(command, citus_internal.who());
    ELSE
        result := citus_internal.remote(target.nodename, target.nodeport, command, citus_internal.who());
    END IF;
    result := coalesce(result, '');
    success := true;
EXCEPTION
    WHEN connection_failure THEN
        IF warn THEN
            RAISE WARNING '%', SQLERRM;
        END IF;
        success := false;
        result := format('failed to connect to %s:%s', target.nodename, target.nodeport);
    WHEN OTHERS THEN
        success := false;
        result := CASE
            WHEN SQLERRM = 'remote query result rowtype does not match the specified FROM clause rowtype'
                THEN 'expected a single column in query target'
            WHEN SQLERRM = 'expected a single row in query result' THEN SQLERRM
            ELSE 'ERROR:  ' || SQLERRM
        END;
END $$;
REVOKE EXECUTE ON FUNCTION citus_internal.run_on(pg_dist_node, text, boolean) FROM PUBLIC;

CREATE FUNCTION pg_catalog.run_command_on_all_nodes(
    command text, parallel boolean DEFAULT true, give_warning_for_connection_errors boolean DEFAULT false,
    OUT nodeid int, OUT success boolean, OUT result text
) RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    target pg_dist_node;
BEGIN
    PERFORM citus_internal.check_versions();
    FOR target IN
        SELECT * FROM pg_dist_node n WHERE n.isactive AND n.noderole = 'primary'
        -- a server that knows of no node runs it on itself
        UNION ALL SELECT (NULL::pg_dist_node).* WHERE NOT EXISTS (SELECT FROM pg_dist_node) ORDER BY nodeid
    LOOP
        nodeid := coalesce(target.nodeid, 0);
        SELECT * INTO success, result
        FROM citus_internal.run_on(target, command, give_warning_for_connection_errors);
        RETURN NEXT;
    END LOOP;
END $$;

CREATE FUNCTION pg_catalog.run_command_on_workers(
    command text, parallel boolean DEFAULT true, OUT nodename text, OUT nodeport int, OUT success boolean, OUT result text
) RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    target pg_dist_node;
BEGIN
    PERFORM citus_internal.check_versions();
    FOR target IN
        SELECT * FROM pg_dist_node n WHERE n.isactive AND n.noderole = 'primary' AND n.groupid <> 0 ORDER BY n.nodeid
    LOOP
        nodename := target.nodename;
        nodeport := target.nodeport;
        SELECT * INTO success, result FROM citus_internal.run_on(target, command, false);
        RETURN NEXT;
    END LOOP;
END $$;

CREATE FUNCTION pg_catalog.run_command_on_coordinator(
    command text, give_warning_for_connection_errors boolean DEFAULT false,
    OUT nodeid int, OUT success boolean, OUT result text
) RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    target pg_dist_node;
BEGIN
    PERFORM citus_internal.check_versions();
    SELECT * INTO target FROM pg_dist_node n WHERE n.groupid = 0 AND n.noderole = 'primary';
    nodeid := target.nodeid;
    SELECT * INTO success, result FROM citus_internal.run_on(target, command, give_warning_for_connection_errors);
    RETURN NEXT;
END $$;

CREATE FUNCTION pg_catalog.citus_create_restore_point(text) RETURNS pg_lsn LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM citus_internal.check_coordinator();
    PERFORM citus_internal.remote(n.nodename, n.nodeport, format('SELECT pg_create_restore_point(%L)', $1),
                                  citus_internal.owner())
    FROM citus_internal.other_nodes() n;
    RETURN pg_create_restore_point($1);
END $$;

CREATE FUNCTION pg_catalog.recover_prepared_transactions() RETURNS int LANGUAGE sql AS $$ SELECT 0 $$;
CREATE PROCEDURE pg_catalog.citus_cleanup_orphaned_resources() LANGUAGE sql AS $$ SELECT $$;

-- ---- tables ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION citus_internal.check_table(target regclass) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    own pg_class := (SELECT c FROM pg_class c WHERE oid = target);
BEGIN
    PERFORM citus_internal.check_coordinator();
    IF NOT pg_has_role(citus_internal.who(), own.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', own.relname USING ERRCODE = 'insufficient_privilege';
    ELSIF own.relpersistence = 't' THEN
        RAISE EXCEPTION 'cannot distribute a temporary table' USING ERRCODE = 'feature_not_supported';
    ELSIF own.relkind NOT IN ('r', 'p', 'f') THEN
        RAISE EXCEPTION '% is not a regular, foreign or partitioned table', own.relname;
    END IF;
END $$;

-- The user's own connection to each node: one who may not connect cannot distribute.
CREATE FUNCTION citus_internal.check_user() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT citus_internal.remote(n.nodename, n.nodeport, 'SELECT 1', citus_internal.who())
    FROM citus_internal.other_nodes() n
$$;

CREATE FUNCTION citus_internal.check_not_known(target regclass) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = target AND NOT (repmodel = 's' AND partmethod = 'n')) THEN
        RAISE EXCEPTION 'table "%" is already distributed', (SELECT relname FROM pg_class WHERE oid = target)
            USING ERRCODE = 'invalid_table_definition';
    END IF;
END $$;

-- The groups that new shards go to; a cluster of nothing but this node begins with this node.
CREATE FUNCTION citus_internal.groups_for_shards() RETURNS int[] LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    found int[];
BEGIN
    IF NOT EXISTS (SELECT FROM pg_dist_node) THEN
        INSERT INTO pg_dist_node (groupid, nodename, nodeport, hasmetadata, metadatasynced, shouldhaveshards)
        VALUES (0, current_setting('citus.local_hostname'), current_setting('port')::int, true, true, true);
    END IF;
    SELECT array_agg(groupid ORDER BY nodeid) INTO found FROM pg_dist_node
    WHERE isactive AND shouldhaveshards AND noderole = 'primary';
    IF found IS NULL THEN
        RAISE EXCEPTION 'replication_factor (1) exceeds number of worker nodes (0)'
            USING HINT = 'Add more worker nodes or try again with a lower replication factor.';
    END IF;
    RETURN found;
END $$;

CREATE FUNCTION citus_internal.check_keys(target regclass, key_column name, group_id int) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    found record;
BEGIN
    IF EXISTS (
        SELECT FROM pg_index i WHERE i.indrelid = target AND (i.indisunique OR i.indisexclusion) AND NOT EXISTS
            (SELECT FROM pg_attribute a WHERE a.attrelid = target AND a.attname = key_column AND a.attnum = ANY (i.indkey)))
    THEN
        RAISE EXCEPTION 'cannot create constraint on "%"', (SELECT relname FROM pg_class WHERE oid = target) USING
            ERRCODE = 'feature_not_supported',
            DETAIL = 'Distributed relations cannot have UNIQUE, EXCLUDE, or PRIMARY KEY constraints that do not include '
                'the partition column (with an equality operator if EXCLUDE).';
    END IF;
    FOR found IN
        SELECT k.confrelid, p.colocationid, p.partmethod FROM pg_constraint k
        LEFT JOIN pg_dist_partition p ON p.logicalrelid = k.confrelid
        WHERE k.conrelid = target AND k.contype = 'f' AND k.confrelid <> target
    LOOP
        IF found.partmethod IS NULL THEN
            RAISE EXCEPTION 'referenced table "%" must be a distributed table or a reference table',
                (SELECT relname FROM pg_class WHERE oid = found.confrelid) USING
                DETAIL = 'To enforce foreign keys, the referencing and referenced rows need to be stored on the same node.',
                HINT = format('You could use SELECT create_reference_table(''%s'') to replicate the referenced table '
                              'to all nodes or consider dropping the foreign key', found.confrelid::regclass);
        ELSIF found.partmethod = 'h' AND found.colocationid <> group_id THEN
            RAISE EXCEPTION 'cannot create foreign key constraint since relations are not colocated or not referencing a reference table'
                USING DETAIL = 'A distributed table can only have foreign keys if it is referencing another colocated '
                    'hash distributed table or a reference table';
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION citus_internal.make_shards(target regclass, shards int, like_table regclass, groups int[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    width bigint := 4294967296 / shards;
    low bigint;
    id bigint;
BEGIN
    FOR number IN 0 .. shards - 1 LOOP
        low := -2147483648 + number * width;
        id := nextval('pg_dist_shardid_seq');
        INSERT INTO pg_dist_shard VALUES (target, id, 't', low::text,
            CASE WHEN number = shards - 1 THEN 2147483647 ELSE low + width - 1 END::text);
        INSERT INTO pg_dist_placement (shardid, groupid)
        SELECT id, coalesce(
            (SELECT l.groupid FROM pg_dist_placement l JOIN pg_dist_shard s USING (shardid)
             WHERE s.logicalrelid = like_table AND s.shardminvalue = low::text),
            groups[1 + number % cardinality(groups)]);
    END LOOP;
END $$;

CREATE FUNCTION citus_internal.colocation_for(
    target regclass, kind oid, colocate_with text, shards int, OUT id int, OUT like_table regclass, OUT shard_count int
) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    shard_count := coalesce(shards, current_setting('citus.shard_count')::int);
    IF colocate_with = 'default' AND shards IS NULL THEN
        SELECT c.colocationid INTO id FROM pg_dist_colocation c
        WHERE c.shardcount = colocation_for.shard_count AND c.distributioncolumntype = kind AND EXISTS
            (SELECT FROM pg_dist_partition p WHERE p.colocationid = c.colocationid) ORDER BY c.colocationid LIMIT 1;
    ELSIF colocate_with NOT IN ('default', 'none') THEN
        SELECT p.colocationid INTO id FROM pg_dist_partition p
        WHERE p.logicalrelid = colocate_with::regclass AND p.partmethod = 'h';
        IF id IS NULL THEN
            RAISE EXCEPTION 'relation % is not distributed', colocate_with;
        ELSIF kind <> (SELECT c.distributioncolumntype FROM pg_dist_colocation c WHERE c.colocationid = id) THEN
            RAISE EXCEPTION 'cannot colocate tables % and %', colocate_with, target USING
                DETAIL = format('Distribution column types don''t match for %s and %s.', colocate_with, target);
        END IF;
    END IF;
    IF id IS NULL THEN
        id := nextval('pg_dist_colocationid_seq');
        INSERT INTO pg_dist_colocation VALUES (id, colocation_for.shard_count, 1, kind, 0);
    ELSE
        SELECT c.shardcount INTO colocation_for.shard_count FROM pg_dist_colocation c WHERE c.colocationid = id;
        SELECT p.logicalrelid INTO like_table FROM pg_dist_partition p WHERE p.colocationid = id LIMIT 1;
    END IF;
END $$;

CREATE FUNCTION citus_internal.record_table(
    target regclass, method "char", key_column text, group_id int, model "char"
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    DELETE FROM pg_dist_placement WHERE shardid IN (SELECT shardid FROM pg_dist_shard WHERE logicalrelid = target);
    DELETE FROM pg_dist_shard WHERE logicalrelid = target;
    DELETE FROM pg_dist_partition WHERE logicalrelid = target;
    INSERT INTO pg_dist_partition VALUES (target, method, key_column, group_id, model);
END $$;

CREATE FUNCTION pg_catalog.create_distributed_table(
    table_name regclass, distribution_column text, distribution_type citus.distribution_type DEFAULT 'hash',
    colocate_with text DEFAULT 'default', shard_count int DEFAULT NULL
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    key record;
    place record;
    groups int[];
BEGIN
    PERFORM citus_internal.check_table(table_name);
    PERFORM citus_internal.check_not_known(table_name);
    IF shard_count NOT BETWEEN 1 AND 64000 THEN
        RAISE EXCEPTION '% is outside the valid range for parameter "shard_count" (1 .. 64000)', shard_count;
    ELSIF shard_count IS NOT NULL AND colocate_with NOT IN ('default', 'none') THEN
        RAISE EXCEPTION 'Cannot use colocate_with with a table and shard_count at the same time';
    END IF;
    SELECT attname, atttypid INTO key FROM pg_attribute
    WHERE attrelid = table_name AND attname = distribution_column AND attnum > 0 AND NOT attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', distribution_column,
            (SELECT relname FROM pg_class WHERE oid = table_name) USING ERRCODE = 'undefined_column';
    END IF;
    PERFORM citus_internal.check_user();
    groups := citus_internal.groups_for_shards();
    SELECT * INTO place FROM citus_internal.colocation_for(table_name, key.atttypid, colocate_with, shard_count);
    PERFORM citus_internal.check_keys(table_name, key.attname, place.id);
    PERFORM citus_internal.record_table(table_name, 'h', distribution_column, place.id, 's');
    PERFORM citus_internal.make_shards(table_name, place.shard_count, place.like_table, groups);
    PERFORM citus_internal.sync();
END $$;

CREATE FUNCTION pg_catalog.create_reference_table(table_name regclass) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM citus_internal.check_table(table_name);
    PERFORM citus_internal.check_not_known(table_name);
    PERFORM citus_internal.check_user();
    PERFORM citus_internal.make_single_shard(table_name, 't');
    PERFORM citus_internal.sync();
END $$;

-- A table of one shard: on every node, or ('s') on this one alone.
CREATE FUNCTION citus_internal.make_single_shard(target regclass, model "char") RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    id bigint := nextval('pg_dist_shardid_seq');
    colocation int := 0;
BEGIN
    PERFORM citus_internal.groups_for_shards();
    IF model = 't' THEN
        SELECT colocationid INTO colocation FROM pg_dist_colocation WHERE replicationfactor = -1;
        IF colocation IS NULL THEN
            colocation := nextval('pg_dist_colocationid_seq');
            INSERT INTO pg_dist_colocation VALUES (colocation, 1, -1, 0, 0);
        END IF;
    END IF;
    PERFORM citus_internal.record_table(target, 'n', NULL, colocation, model);
    INSERT INTO pg_dist_shard VALUES (target, id, 't', NULL, NULL);
    INSERT INTO pg_dist_placement (shardid, groupid)
    SELECT id, groupid FROM pg_dist_node
    WHERE isactive AND noderole = 'primary' AND (model = 't' OR groupid = 0);
END $$;

CREATE FUNCTION pg_catalog.citus_add_local_table_to_metadata(
    table_name regclass, cascade_via_foreign_keys boolean DEFAULT false
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM citus_internal.check_table(table_name);
    IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = table_name) THEN
        RAISE EXCEPTION 'table "%" is already added to citus metadata or it is a distributed or reference table', table_name;
    END IF;
    PERFORM citus_internal.make_single_shard(table_name, 's');
    PERFORM citus_internal.sync();
END $$;

CREATE FUNCTION citus_internal.forget_table(target oid) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    DELETE FROM pg_dist_placement WHERE shardid IN (SELECT shardid FROM pg_dist_shard WHERE logicalrelid = target);
    DELETE FROM pg_dist_shard WHERE logicalrelid = target;
    DELETE FROM pg_dist_partition WHERE logicalrelid = target;
    DELETE FROM pg_dist_colocation c WHERE NOT EXISTS
        (SELECT FROM pg_dist_partition p WHERE p.colocationid = c.colocationid) AND replicationfactor <> -1;
END $$;

CREATE FUNCTION pg_catalog.undistribute_table(table_name regclass, cascade_via_foreign_keys boolean DEFAULT false)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $body$
BEGIN
    PERFORM citus_internal.check_table(table_name);
    IF NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = table_name) THEN
        RAISE EXCEPTION 'cannot undistribute table because the table is not distributed';
    END IF;
    IF NOT cascade_via_foreign_keys AND EXISTS (
        SELECT FROM pg_constraint JOIN pg_dist_partition p
            ON p.logicalrelid = CASE conrelid WHEN table_name THEN confrelid ELSE conrelid END
        WHERE contype = 'f' AND conrelid <> confrelid AND table_name IN (conrelid, confrelid))
    THEN
        RAISE EXCEPTION 'cannot complete operation because table % has a foreign key', table_name
            USING HINT = format('Use cascade option to execute this function on all relations connected by foreign keys: '
                'SELECT undistribute_table($$%s$$, cascade_via_foreign_keys=>true)', table_name);
    END IF;
    PERFORM citus_internal.forget_table(table_name);
    PERFORM citus_internal.sync();
END $body$;

CREATE FUNCTION citus_internal.on_drop() RETURNS event_trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    gone oid[];
BEGIN
    SELECT array_agg(p.logicalrelid) INTO gone FROM pg_event_trigger_dropped_objects() d
    JOIN pg_dist_partition p ON p.logicalrelid = d.objid WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0;
    IF gone IS NOT NULL THEN
        PERFORM citus_internal.forget_table(oid) FROM unnest(gone) oid;
        IF citus_internal.local_group() = 0 THEN
            PERFORM citus_internal.sync();
        END IF;
    END IF;
END $$;
CREATE EVENT TRIGGER citus_cascade_to_partition ON sql_drop EXECUTE FUNCTION citus_internal.on_drop();

-- ---- rebalancing: strategies ------------------------------------------------------------------------------------------

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
        RAISE EXCEPTION 'could not find rebalance strategy with name %', wanted;
    END IF;
END $$;

-- ---- moves -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION citus_internal.check_replica_identity(colocation int) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
DECLARE
    without regclass;
BEGIN
    SELECT logicalrelid INTO without FROM pg_dist_partition JOIN pg_class c ON c.oid = logicalrelid
    WHERE (colocationid = colocation OR (colocation IS NULL AND partmethod = 'h')) AND c.relreplident <> 'f'
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND
                        (i.indisreplident OR (c.relreplident = 'd' AND i.indisprimary)))
    ORDER BY logicalrelid::text LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'cannot use logical replication to transfer shards of the relation % since it doesn''t have a REPLICA IDENTITY or PRIMARY KEY',
            without USING
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
            USING HINT = 'Confirm the placement still exists and try again.';
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
    SELECT m.relation, m.shardid, pg_total_relation_size(m.relation)
            / (SELECT count(*) FROM pg_dist_shard d WHERE d.logicalrelid = m.relation),
        s.nodename, s.nodeport, t.nodename, t.nodeport
    FROM citus_internal.moves(drain_only) m
        JOIN pg_dist_node s ON s.groupid = m.source_group AND s.noderole = 'primary'
        JOIN pg_dist_node t ON t.groupid = m.target_group AND t.noderole = 'primary'
    WHERE citus_internal.check_versions() AND m.shardid <> ALL (excluded_shard_list)
    LIMIT max_shard_moves
$$;

CREATE FUNCTION citus_internal.move_commands(drain_only boolean, mode citus.shard_transfer_mode, OUT command text, OUT nodes int[])
RETURNS SETOF record LANGUAGE sql SET search_path = pg_catalog AS $$
    SELECT format('SELECT pg_catalog.citus_move_shard_placement(%s,%s,%s,%L)', m.shardid, s.nodeid, t.nodeid, mode),
        ARRAY[s.nodeid, t.nodeid]
    FROM citus_internal.moves(drain_only) m
        JOIN pg_dist_node s ON s.groupid = m.source_group AND s.noderole = 'primary'
        JOIN pg_dist_node t ON t.groupid = m.target_group AND t.noderole = 'primary'
$$;

-- Each move is a transaction of its own, so what was moved before an error stays moved.
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
    IF NOT EXISTS (SELECT FROM pg_dist_node n WHERE n.isactive AND n.shouldhaveshards AND n.noderole = 'primary')
        AND EXISTS (SELECT FROM pg_dist_partition WHERE partmethod = 'h')
    THEN
        RAISE EXCEPTION 'Shard replication factor (1) cannot be greater than number of nodes with should_have_shards=true (0).';
    END IF;
    PERFORM citus_internal.run_moves(true, shard_transfer_mode);
END $$;

CREATE FUNCTION citus_internal.run_moves(drain_only boolean, mode citus.shard_transfer_mode) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
DECLARE
    command text;
BEGIN
    FOR command IN SELECT m.command FROM citus_internal.move_commands(drain_only, mode) m LOOP
        RAISE NOTICE 'Moving shard by: %', command;
        PERFORM citus_internal.self(command, citus_internal.owner());
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

-- ---- jobs in the background ------------------------------------------------------------------------------------------

CREATE FUNCTION citus_internal.wake() RETURNS boolean LANGUAGE c VOLATILE STRICT SECURITY DEFINER
AS 'MODULE_PATHNAME', 'citus_standin_wake';

-- A job that a restart of the server interrupted goes on when somebody looks.
CREATE FUNCTION citus_internal.keep_going() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT citus_internal.wake() WHERE EXISTS
        (SELECT FROM pg_dist_background_job WHERE state IN ('scheduled', 'running'))
        AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'Citus background tasks')
        AND NOT pg_is_in_recovery()
$$;

CREATE FUNCTION citus_internal.end_job(job bigint) RETURNS void LANGUAGE sql SET search_path = pg_catalog AS $$
    UPDATE pg_dist_background_job SET state = 'finished', finished_at = clock_timestamp()
    WHERE job_id = job AND state = 'running' AND NOT EXISTS
        (SELECT FROM pg_dist_background_task WHERE job_id = job AND status NOT IN ('done', 'cancelled'))
$$;

-- Tell the nodes that are behind. One that does not answer is tried again, for ever.
CREATE FUNCTION citus_internal.sync_late() RETURNS int LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    target pg_dist_node;
    pause int := 0;
BEGIN
    FOR target IN SELECT * FROM citus_internal.other_nodes() WHERE NOT metadatasynced LOOP
        BEGIN
            UPDATE pg_dist_node SET metadatasynced = true WHERE nodeid = target.nodeid;
            PERFORM citus_internal.sync_node(target);
        EXCEPTION WHEN OTHERS THEN
            pause := 1000;
        END;
    END LOOP;
    RETURN pause;
END $$;

-- Called again and again by the background worker, each time in a transaction of its own. A task is first marked as
-- running, then run; one that failed is tried again later, for ever. Returns the milliseconds to wait; -1 when idle.
CREATE FUNCTION citus_internal.background_step() RETURNS int LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    task pg_dist_background_task;
    said text;
BEGIN
    IF NOT pg_try_advisory_lock(713001, 0) THEN
        RETURN -2;
    END IF;
    IF EXISTS (SELECT FROM citus_internal.other_nodes() WHERE NOT metadatasynced) THEN
        RETURN citus_internal.sync_late();
    END IF;
    SELECT * INTO task FROM pg_dist_background_task WHERE status = 'running' ORDER BY task_id LIMIT 1;
    IF FOUND THEN
        BEGIN
            PERFORM citus_internal.self(task.command, pg_get_userbyid(task.owner));
            UPDATE pg_dist_background_task SET status = 'done', pid = NULL, message = ''
            WHERE task_id = task.task_id AND status = 'running';
        EXCEPTION WHEN OTHERS THEN
            said := format(E'ERROR: %s\nCONTEXT: Citus Background Task Queue Executor: %s/%s for (%s/%s)\n', SQLERRM,
                current_database(), pg_get_userbyid(task.owner), task.job_id, task.task_id);
            UPDATE pg_dist_background_task SET status = 'runnable', pid = NULL, message = said,
                retry_count = coalesce(retry_count, 0) + 1,
                not_before = clock_timestamp() + interval '5 s' * least(6, 1 + coalesce(retry_count, 0))
            WHERE task_id = task.task_id AND status = 'running';
        END;
        PERFORM citus_internal.end_job(task.job_id);
        RETURN 0;
    END IF;
    -- one after the other, as each waits for the one before it
    SELECT * INTO task FROM pg_dist_background_task WHERE status = 'runnable' ORDER BY task_id LIMIT 1;
    IF NOT FOUND THEN
        RETURN -1;
    ELSIF task.not_before > clock_timestamp() THEN
        RETURN 200;
    END IF;
    UPDATE pg_dist_background_job SET state = 'running', started_at = coalesce(started_at, clock_timestamp())
    WHERE job_id = task.job_id;
    UPDATE pg_dist_background_task SET status = 'running', pid = pg_backend_pid() WHERE task_id = task.task_id;
    RETURN 0;
END $$;

CREATE FUNCTION pg_catalog.citus_rebalance_start(
    rebalance_strategy name DEFAULT NULL, drain_only boolean DEFAULT false,
    shard_transfer_mode citus.shard_transfer_mode DEFAULT 'auto', parallel_transfer_reference_tables boolean DEFAULT false,
    parallel_transfer_colocated_shards boolean DEFAULT false
) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    job bigint;
    moves int;
BEGIN
    PERFORM citus_internal.check_coordinator();
    PERFORM citus_internal.check_strategy(rebalance_strategy);
    IF NOT EXISTS (SELECT FROM pg_dist_partition WHERE partmethod = 'h') THEN
        RAISE NOTICE 'No tables to rebalance';
        RETURN NULL;
    END IF;
    PERFORM citus_internal.check_synced();
    SELECT job_id INTO job FROM pg_dist_background_job
    WHERE job_type = 'rebalance' AND state IN ('scheduled', 'running', 'cancelling', 'failing') ORDER BY job_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'A rebalance is already running as job %', job USING
            DETAIL = 'A rebalance was already scheduled as background job',
            HINT = 'To monitor progress, run: SELECT * FROM citus_rebalance_status();';
    END IF;
    SELECT count(*) INTO moves FROM citus_internal.move_commands(drain_only, shard_transfer_mode);
    IF moves = 0 THEN
        RAISE NOTICE 'No moves available for rebalancing';
        RETURN NULL;
    END IF;
    IF shard_transfer_mode = 'auto' THEN
        PERFORM citus_internal.check_replica_identity(NULL);
    END IF;
    INSERT INTO pg_dist_background_job (job_type, description) VALUES ('rebalance', 'Rebalance all colocation groups')
    RETURNING job_id INTO job;
    IF EXISTS (
        SELECT FROM pg_dist_partition p JOIN pg_dist_shard s USING (logicalrelid), pg_dist_node n
        WHERE p.repmodel = 't' AND n.isactive AND n.noderole = 'primary' AND NOT EXISTS
            (SELECT FROM pg_dist_placement l WHERE l.shardid = s.shardid AND l.groupid = n.groupid))
    THEN
        INSERT INTO pg_dist_background_task (job_id, command, nodes_involved)
        VALUES (job, format('SELECT pg_catalog.replicate_reference_tables(%L)', shard_transfer_mode), '{}');
    END IF;
    INSERT INTO pg_dist_background_task (job_id, command, nodes_involved)
    SELECT job, m.command, m.nodes FROM citus_internal.move_commands(drain_only, shard_transfer_mode) m;
    RAISE NOTICE 'Scheduled % moves as job %', moves, job USING
        DETAIL = 'Rebalance scheduled as background job',
        HINT = 'To monitor progress, run: SELECT * FROM citus_rebalance_status();';
    PERFORM citus_internal.wake();
    RETURN job;
END $$;

CREATE FUNCTION pg_catalog.citus_job_list(
    OUT job_id bigint, OUT state citus_job_status, OUT job_type name, OUT description text,
    OUT started_at timestamptz, OUT finished_at timestamptz
) RETURNS SETOF record LANGUAGE sql SET search_path = pg_catalog AS $$
    SELECT citus_internal.keep_going();
    SELECT job_id, state, job_type, description, started_at, finished_at FROM pg_dist_background_job ORDER BY job_id
$$;

CREATE FUNCTION pg_catalog.citus_job_status(
    job_id bigint, raw boolean DEFAULT false,
    OUT job_id bigint, OUT state citus_job_status, OUT job_type name, OUT description text,
    OUT started_at timestamptz, OUT finished_at timestamptz, OUT details jsonb
) RETURNS SETOF record LANGUAGE sql SET search_path = pg_catalog AS $$
    SELECT citus_internal.keep_going();
    SELECT j.job_id, j.state, j.job_type, j.description, j.started_at, j.finished_at, jsonb_build_object(
        'tasks', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('state', t.status, 'task_id', t.task_id, 'command', t.command,
                'message', t.message, 'retried', coalesce(t.retry_count, 0)) ORDER BY t.task_id), '[]')
            FROM pg_dist_background_task t
            WHERE t.job_id = j.job_id AND (t.status IN ('running', 'error') OR (t.status = 'runnable' AND t.retry_count > 0))),
        'task_state_counts', (
            SELECT coalesce(jsonb_object_agg(status, count), '{}') FROM
                (SELECT status, count(*) FROM pg_dist_background_task t WHERE t.job_id = j.job_id GROUP BY status) c))
    FROM pg_dist_background_job j WHERE j.job_id = $1
$$;

CREATE FUNCTION citus_internal.last_rebalance() RETURNS bigint LANGUAGE sql SET search_path = pg_catalog AS $$
    SELECT max(job_id) FROM pg_dist_background_job WHERE job_type = 'rebalance'
$$;

CREATE FUNCTION pg_catalog.citus_rebalance_status(
    raw boolean DEFAULT false,
    OUT job_id bigint, OUT state citus_job_status, OUT job_type name, OUT description text,
    OUT started_at timestamptz, OUT finished_at timestamptz, OUT details jsonb
) RETURNS SETOF record LANGUAGE sql SET search_path = pg_catalog
AS $$ SELECT * FROM citus_job_status(citus_internal.last_rebalance(), raw) $$;

CREATE FUNCTION pg_catalog.citus_job_wait(jobid bigint, desired_status citus_job_status DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    now_is citus_job_status;
BEGIN
    LOOP
        PERFORM citus_internal.keep_going();
        SELECT state INTO now_is FROM pg_dist_background_job WHERE job_id = jobid;
        IF now_is IS NULL THEN
            RAISE EXCEPTION 'no job found for job with jobid: %', jobid;
        END IF;
        EXIT WHEN now_is = desired_status OR now_is IN ('finished', 'cancelled', 'failed');
        PERFORM pg_sleep(0.1);
    END LOOP;
    IF desired_status IS NOT NULL AND now_is <> desired_status THEN
        RAISE EXCEPTION 'Job reached terminal state "%" instead of desired state "%"', now_is, desired_status;
    END IF;
END $$;

CREATE FUNCTION pg_catalog.citus_job_cancel(jobid bigint) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    UPDATE pg_dist_background_task SET status = 'cancelled', pid = NULL
    WHERE job_id = jobid AND status NOT IN ('done', 'error', 'unscheduled', 'cancelled');
    UPDATE pg_dist_background_job SET state = 'cancelled', finished_at = clock_timestamp()
    WHERE job_id = jobid AND state IN ('scheduled', 'running');
END $$;

CREATE FUNCTION pg_catalog.citus_rebalance_wait() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF citus_internal.running_rebalance('wait for') IS NOT NULL THEN
        PERFORM citus_job_wait(citus_internal.last_rebalance());
    END IF;
END $$;

CREATE FUNCTION pg_catalog.citus_rebalance_stop() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF citus_internal.running_rebalance('stop') IS NOT NULL THEN
        PERFORM citus_job_cancel(citus_internal.last_rebalance());
    END IF;
END $$;

CREATE FUNCTION citus_internal.running_rebalance(verb text) RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
DECLARE
    job bigint;
BEGIN
    SELECT max(job_id) INTO job FROM pg_dist_background_job
    WHERE job_type = 'rebalance' AND state IN ('scheduled', 'running', 'cancelling', 'failing');
    IF job IS NULL AND verb = 'stop' THEN
        RAISE EXCEPTION 'no ongoing rebalance that can be stopped';
    ELSIF job IS NULL THEN
        RAISE WARNING 'no ongoing rebalance that can be waited on';
    END IF;
    RETURN job;
END $$;

-- ---- who may call what -----------------------------------------------------------------------------------------------
-- What changes the cluster, or takes rows or roles from another node, is the superuser's; tables are their owners'.

DO $$
DECLARE
    item regprocedure;
BEGIN
    FOR item IN
        SELECT p.oid FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
            AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
        JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'citus'
        WHERE p.proname IN ('citus_set_coordinator_host', 'citus_add_node', 'citus_add_inactive_node',
            'citus_activate_node', 'citus_remove_node', 'citus_disable_node', 'citus_set_node_property',
            'citus_update_node', 'citus_drain_node', 'start_metadata_sync_to_all_nodes', 'citus_create_restore_point',
            'citus_check_cluster_node_health', 'accept_metadata', 'accept_roles', 'sync_node', 'run_moves', 'end_job',
            'background_step', 'forget_table', 'record_table', 'make_shards', 'make_single_shard')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', item);
    END LOOP;
END $$;
