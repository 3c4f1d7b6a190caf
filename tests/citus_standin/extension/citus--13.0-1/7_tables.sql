-- Tables.

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
        RAISE EXCEPTION '% is not a regular, foreign or partitioned table', own.relname
            USING ERRCODE = 'wrong_object_type';
    ELSIF own.relkind <> 'f' THEN
        -- who writes into the table is waited for
        EXECUTE format('LOCK TABLE %s IN EXCLUSIVE MODE', target);
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
    IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = target AND NOT (partmethod = 'n' AND colocationid = 0)) THEN
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
            USING ERRCODE = 'internal_error',
            HINT = 'Add more worker nodes or try again with a lower replication factor.';
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
                ERRCODE = 'invalid_table_definition',
                DETAIL = 'To enforce foreign keys, the referencing and referenced rows need to be stored on the same node.',
                HINT = format('You could use SELECT create_reference_table(''%s'') to replicate the referenced table '
                              'to all nodes or consider dropping the foreign key',
                              (SELECT relname FROM pg_class WHERE oid = found.confrelid));
        ELSIF found.partmethod = 'h' AND found.colocationid <> group_id THEN
            RAISE EXCEPTION 'cannot create foreign key constraint' USING ERRCODE = 'feature_not_supported',
                DETAIL = 'Foreign keys are supported in two cases, either in between two colocated tables including '
                    'partition column in the same ordinal in the both tables or from distributed to reference tables';
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
            RAISE EXCEPTION 'relation % is not distributed', colocate_with USING ERRCODE = 'internal_error';
        ELSIF kind <> (SELECT c.distributioncolumntype FROM pg_dist_colocation c WHERE c.colocationid = id) THEN
            RAISE EXCEPTION 'cannot colocate tables % and %', colocate_with, target USING ERRCODE = 'internal_error',
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
        RAISE EXCEPTION '% is outside the valid range for parameter "shard_count" (1 .. 64000)', shard_count
            USING ERRCODE = 'internal_error';
    ELSIF shard_count IS NOT NULL AND colocate_with NOT IN ('default', 'none') THEN
        RAISE EXCEPTION 'Cannot use colocate_with with a table and shard_count at the same time'
            USING ERRCODE = 'internal_error';
    END IF;
    SELECT attname, atttypid INTO key FROM pg_attribute
    WHERE attrelid = table_name AND attname = distribution_column AND attnum > 0 AND NOT attisdropped;
    IF NOT FOUND AND distribution_column IS NULL THEN
        PERFORM citus_internal.make_single_shard(table_name, 's', nextval('pg_dist_colocationid_seq')::int);
        PERFORM citus_internal.sync();
        RETURN;
    ELSIF NOT FOUND THEN
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

-- A table of one shard: on every node ('t'), in a group of its own, or (0) on this node alone.
CREATE FUNCTION citus_internal.make_single_shard(target regclass, model "char", colocation int DEFAULT 0) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    id bigint := nextval('pg_dist_shardid_seq');
    home int := (citus_internal.groups_for_shards())[1];
BEGIN
    IF model = 't' THEN
        SELECT coalesce(max(colocationid), 0) INTO colocation FROM pg_dist_colocation WHERE replicationfactor = -1;
        IF colocation = 0 THEN
            colocation := nextval('pg_dist_colocationid_seq');
            INSERT INTO pg_dist_colocation VALUES (colocation, 1, -1, 0, 0);
        END IF;
    END IF;
    IF model = 's' AND colocation > 0 THEN
        INSERT INTO pg_dist_colocation VALUES (colocation, 1, 1, 0, 0);
    END IF;
    PERFORM citus_internal.record_table(target, 'n', NULL, colocation, model);
    INSERT INTO pg_dist_shard VALUES (target, id, 't', NULL, NULL);
    INSERT INTO pg_dist_placement (shardid, groupid)
    SELECT id, groupid FROM pg_dist_node
    WHERE isactive AND noderole = 'primary' AND (model = 't' OR groupid = CASE colocation WHEN 0 THEN 0 ELSE home END);
END $$;

CREATE FUNCTION pg_catalog.citus_add_local_table_to_metadata(
    table_name regclass, cascade_via_foreign_keys boolean DEFAULT false
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM citus_internal.check_table(table_name);
    PERFORM citus_internal.check_not_known(table_name);
    IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = table_name) THEN
        RETURN;
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
DECLARE
    place text;
    tied record;
BEGIN
    PERFORM citus_internal.check_table(table_name);
    IF NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = table_name) THEN
        RAISE EXCEPTION 'cannot undistribute table because the table is not distributed'
            USING ERRCODE = 'internal_error';
    END IF;
    SELECT n.nspname || '.' || c.relname INTO place FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE c.oid = table_name;
    SELECT conrelid = table_name AS refers INTO tied FROM pg_constraint
    WHERE contype = 'f' AND conrelid <> confrelid AND table_name IN (conrelid, confrelid) ORDER BY 1 DESC LIMIT 1;
    IF FOUND AND NOT cascade_via_foreign_keys THEN
        RAISE EXCEPTION 'cannot complete operation because table % %', table_name,
            CASE WHEN tied.refers THEN 'has a foreign key' ELSE 'is referenced by a foreign key' END
            USING ERRCODE = 'internal_error',
            HINT = format('Use cascade option to undistribute all the relations involved in a foreign key '
                'relationship with %1$s by executing SELECT undistribute_table($$%1$s$$, cascade_via_foreign_keys=>true)', place);
    END IF;
    RAISE NOTICE 'creating a new table for %', place;
    RAISE NOTICE 'moving the data of %', place;
    RAISE NOTICE 'dropping the old %', place;
    RAISE NOTICE 'renaming the new table to %', place;
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

-- No shard is a table of its own here.
CREATE FUNCTION pg_catalog.relation_is_a_known_shard(regclass) RETURNS boolean LANGUAGE sql STABLE STRICT
AS 'SELECT false';
