/* A stand-in for Citus, for tests: what a cluster answers to those who look after it. Rows stay on the coordinator. */
\echo Use "CREATE EXTENSION citus" to load this file. \quit

CREATE SCHEMA citus;
CREATE SCHEMA citus_internal;
GRANT USAGE ON SCHEMA citus, citus_internal TO PUBLIC;

-- What is known of the cluster.
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
