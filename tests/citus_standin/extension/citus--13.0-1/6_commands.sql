-- One command on many nodes.

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
            RAISE WARNING 'Error on node with node id %: failed to connect to %:%', target.nodeid, target.nodename,
                target.nodeport;
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

-- On places that need not be nodes.
CREATE FUNCTION pg_catalog.master_run_on_worker(
    worker_name text[], port int[], command text[], parallel boolean,
    OUT node_name text, OUT node_port int, OUT success boolean, OUT result text
) RETURNS SETOF record LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    target pg_dist_node;
BEGIN
    PERFORM citus_internal.check_versions();
    FOR place IN 1 .. cardinality(worker_name) LOOP
        node_name := worker_name[place];
        node_port := port[place];
        target.nodeid := 0;
        target.nodename := node_name;
        target.nodeport := node_port;
        SELECT r.success, r.result INTO success, result FROM citus_internal.run_on(target, command[place], false) r;
        RETURN NEXT;
    END LOOP;
END $$;
