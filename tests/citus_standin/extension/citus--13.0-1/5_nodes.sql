-- Nodes.

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
        RAISE EXCEPTION 'failure on connection marked as essential: %:%', host, port
            USING ERRCODE = 'internal_error';
    END;
    IF citus_internal.remote(host, port, $q$SELECT metadata ->> 'server_id' FROM pg_dist_node_metadata$q$,
                             citus_internal.owner())
        = (SELECT metadata ->> 'server_id' FROM pg_dist_node_metadata)
    THEN
        RAISE EXCEPTION 'Node cannot add itself as a worker.' USING ERRCODE = 'internal_error',
            HINT = format(
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
            ERRCODE = 'internal_error',
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
            target.nodename, target.nodeport, kept.shardid USING ERRCODE = 'internal_error',
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
    PERFORM citus_internal.check_synced();
    IF target.noderole = 'primary' THEN
        -- an active node is told, and has to answer; one that is gone has to be disabled first
        IF target.isactive THEN
            PERFORM citus_internal.remote(nodename, nodeport, 'SELECT 1', citus_internal.owner());
        END IF;
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
        RAISE EXCEPTION 'cannot change "isactive" field of the coordinator node' USING ERRCODE = 'internal_error';
    END IF;
    PERFORM citus_internal.check_not_needed(target);
    IF NOT synchronous AND target.nodeid =
        (SELECT min(nodeid) FROM citus_internal.other_nodes() n WHERE n.noderole = 'primary')
    THEN
        RAISE EXCEPTION 'disabling the first worker node in the metadata is not allowed' USING
            ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Citus uses the first worker node in the metadata for certain internal operations when '
                'replicated tables are modified. Synchronous mode ensures that all nodes have the same view of the first '
                'worker node, which is used for certain locking operations.',
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
        RAISE EXCEPTION 'only the ''shouldhaveshards'' property can be set using this function'
            USING ERRCODE = 'internal_error';
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
            RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM;
            result := NULL;
        END;
        RETURN NEXT;
    END LOOP;
END $$;
