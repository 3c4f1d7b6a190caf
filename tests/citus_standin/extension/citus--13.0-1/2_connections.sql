-- Versions, and connections between nodes.

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
            ERRCODE = 'internal_error',
            DETAIL = format('Loaded library requires %s, but the latest control file specifies %s.',
                            split_part(loaded, '-', 1), available),
            HINT = 'Restart the database to load the latest Citus library.';
    ELSIF installed <> loaded THEN
        RAISE EXCEPTION 'loaded Citus library version differs from installed extension version' USING
            ERRCODE = 'internal_error',
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
        RAISE EXCEPTION 'expected a single row in query result' USING ERRCODE = 'internal_error';
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
    RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM;
    RETURN false;
END $$;

CREATE FUNCTION pg_catalog.assign_distributed_transaction_id(int, bigint, timestamptz) RETURNS void LANGUAGE sql
AS $$ SELECT $$;
