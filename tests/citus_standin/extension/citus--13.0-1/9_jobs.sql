-- Jobs in the background, and who may call what.

CREATE FUNCTION citus_internal.wake() RETURNS boolean LANGUAGE c VOLATILE STRICT SECURITY DEFINER
AS 'MODULE_PATHNAME', 'citus_standin_wake';

-- A job that a restart of the server interrupted goes on when somebody looks.
CREATE FUNCTION citus_internal.keep_going() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT citus_internal.wake() WHERE EXISTS
        (SELECT FROM pg_dist_background_job WHERE state IN ('scheduled', 'running'))
        AND NOT EXISTS (SELECT FROM pg_stat_activity
                        WHERE datname = current_database() AND backend_type = 'Citus background tasks')
        AND NOT pg_is_in_recovery()
$$;

CREATE FUNCTION citus_internal.end_job(job bigint) RETURNS void LANGUAGE sql SET search_path = pg_catalog AS $$
    UPDATE pg_dist_background_task SET status = 'unscheduled' WHERE job_id = job AND status = 'runnable' AND EXISTS
        (SELECT FROM pg_dist_background_task WHERE job_id = job AND status = 'error');
    UPDATE pg_dist_background_job SET finished_at = clock_timestamp(), state = CASE WHEN EXISTS
            (SELECT FROM pg_dist_background_task WHERE job_id = job AND status = 'error')
        THEN 'failed' ELSE 'finished' END::citus_job_status
    WHERE job_id = job AND state = 'running' AND NOT EXISTS
        (SELECT FROM pg_dist_background_task WHERE job_id = job AND status IN ('runnable', 'running'))
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
-- running, then run; one that failed is tried again, for half an hour. Returns the milliseconds to wait; -1 when idle.
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
            UPDATE pg_dist_background_task SET pid = NULL, message = said,
                status = CASE WHEN retry_count >= 32 THEN 'error' ELSE 'runnable' END::citus_task_status,
                retry_count = coalesce(retry_count, 0) + 1,
                not_before = clock_timestamp() + CASE coalesce(retry_count, 0)
                    WHEN 0 THEN interval '5 s' WHEN 1 THEN interval '20 s' ELSE interval '1 min' END
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
    UPDATE pg_dist_background_task
    SET status = 'running', pid = pg_backend_pid(), retry_count = coalesce(retry_count, 0) WHERE task_id = task.task_id;
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
    PERFORM citus_internal.check_no_rebalance();
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
            RAISE EXCEPTION 'no job found for job with jobid: %', jobid USING ERRCODE = 'internal_error';
        END IF;
        EXIT WHEN now_is = desired_status OR now_is IN ('finished', 'cancelled', 'failed');
        PERFORM pg_sleep(0.1);
    END LOOP;
    IF desired_status IS NOT NULL AND now_is <> desired_status THEN
        RAISE EXCEPTION 'Job reached terminal state "%" instead of desired state "%"', now_is, desired_status
            USING ERRCODE = 'internal_error';
    END IF;
END $$;

CREATE FUNCTION pg_catalog.citus_job_cancel(jobid bigint) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_dist_background_job WHERE job_id = jobid) THEN
        RAISE EXCEPTION 'could not find background jobs entry for job_id: %', jobid USING ERRCODE = 'internal_error';
    END IF;
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
        RAISE EXCEPTION 'no ongoing rebalance that can be stopped' USING ERRCODE = 'internal_error';
    ELSIF job IS NULL THEN
        RAISE WARNING 'no ongoing rebalance that can be waited on';
    END IF;
    RETURN job;
END $$;

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
            'accept_metadata', 'accept_roles', 'sync_node', 'run_moves', 'end_job',
            'background_step', 'forget_table', 'record_table', 'make_shards', 'make_single_shard')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', item);
    END LOOP;
END $$;

-- A move copies nothing here, so there are no bytes to tell of.
CREATE FUNCTION pg_catalog.get_rebalance_progress() RETURNS TABLE (
    sessionid int, table_name regclass, shardid bigint, shard_size bigint, sourcename text, sourceport int, targetname text,
    targetport int, progress bigint, source_shard_size bigint, target_shard_size bigint, operation_type text,
    source_lsn pg_lsn, target_lsn pg_lsn, status text
) LANGUAGE sql STABLE STRICT AS $$
    SELECT NULL::int, NULL::regclass, NULL::bigint, NULL::bigint, NULL::text, NULL::int, NULL::text, NULL::int, NULL::bigint,
        NULL::bigint, NULL::bigint, NULL::text, NULL::pg_lsn, NULL::pg_lsn, NULL::text
    WHERE false
$$;
