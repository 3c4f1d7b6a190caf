-- Metadata and roles on every node.

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
