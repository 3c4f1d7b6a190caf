"""What the stand-in answers, asked in a database of its own on the hosts of --ansible-inventory.

They are hosts of the groups citus_coordinator and citus_worker (two workers at least) that have PostgreSQL with Citus,
or with the stand-in, and reach each other as postgres. All but the first test hold for both.
"""

import shlex

import apt_archive
import pytest

DATABASE = "standin"
FINISHED = "SELECT state FROM citus_rebalance_status()"


class Node:
    """A server of the cluster; `sql` is asked as postgres on its host."""

    def __init__(self, host):
        self.host = host
        self.address = host.address
        self.port = self.sql("SHOW port", database="postgres")
        self.at = f"'{self.address}', {self.port}"

    def ask(self, statement, database=DATABASE):
        return self.host.host.run(
            f"cd / && sudo -u postgres psql -XqAt -v ON_ERROR_STOP=1 -d {database} -c {shlex.quote(statement)} 2>&1"
        )

    def sql(self, statement, database=DATABASE):
        done = self.ask(statement, database)
        assert done.rc == 0, f"{statement}: {done.stdout}"
        return done.stdout.strip()

    def refused(self, statement):
        done = self.ask(statement)
        assert done.rc != 0, f"{statement} was taken: {done.stdout}"
        return done.stdout


class Cluster:
    def __init__(self, coordinator, workers):
        self.coordinator = coordinator
        self.workers = workers
        self.sql = coordinator.sql
        self.refused = coordinator.refused

    def shards(self):
        """Return how many shards of distributed tables each worker has."""
        counted = self.sql(
            "SELECT nodename, count(*) FROM citus_shards WHERE citus_table_type = 'distributed' GROUP BY 1"
        )
        found = dict(line.split("|") for line in counted.splitlines())
        return [int(found.get(worker.address, 0)) for worker in self.workers]


@pytest.fixture(scope="module")
def cluster(pytestconfig):
    inventory = pytestconfig.getoption("ansible_inventory")
    assert inventory, "which inventory? --ansible-inventory=PATH"
    (coordinator,) = [Node(host) for host in apt_archive.hosts(inventory, "citus_coordinator")]
    workers = [Node(host) for host in apt_archive.hosts(inventory, "citus_worker")]
    everyone = [*workers, coordinator]
    for node in everyone:
        node.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", database="postgres")
        node.sql(f"CREATE DATABASE {DATABASE}", database="postgres")
        node.sql("CREATE EXTENSION citus")
    yield Cluster(coordinator, workers)
    for node in everyone:
        node.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", database="postgres")


def test_it_calls_itself_a_stand_in(cluster):
    if "stand-in" not in cluster.sql("SELECT citus_version()"):
        pytest.skip("this is Citus itself")
    assert "stand-in" in cluster.sql("SELECT comment FROM pg_available_extensions WHERE name = 'citus'")


def test_nodes_are_added_once_and_see_each_other(cluster):
    for _ in range(2):
        cluster.sql(f"SELECT citus_set_coordinator_host({cluster.coordinator.at})")
        added = [cluster.sql(f"SELECT citus_add_node({worker.at})") for worker in cluster.workers]
    nodes = len(cluster.workers) + 1
    assert len(set(added)) == len(cluster.workers)
    for node in (cluster, *cluster.workers):
        assert node.sql("SELECT count(*) FROM pg_dist_node WHERE isactive AND metadatasynced") == str(nodes)
    health = cluster.sql("SELECT result FROM citus_check_cluster_node_health()")
    assert health.splitlines() == ["t"] * nodes**2


def test_a_worker_and_a_stranger_are_refused(cluster):
    worker = cluster.workers[0]
    assert "operation is not allowed on this node" in worker.refused(f"SELECT citus_remove_node({worker.at})")
    assert "does not exist" in cluster.refused("SELECT citus_remove_node('192.0.2.1', 5432)")
    assert "Connection refused" in cluster.refused(f"SELECT citus_add_node('{worker.address}', 1)")


def test_a_node_without_the_extension_is_not_added(cluster):
    worker = cluster.workers[-1]
    cluster.sql(f"SELECT citus_remove_node({worker.at})")
    assert int(worker.sql("SELECT count(*) FROM pg_dist_node")) == len(cluster.workers) + 1, (
        "it was told of its removal"
    )
    worker.sql("DROP EXTENSION citus")
    assert "assign_distributed_transaction_id" in cluster.refused(f"SELECT citus_add_node({worker.at})")
    worker.sql("CREATE EXTENSION citus")
    cluster.sql(f"SELECT citus_add_node({worker.at})")


def test_roles_reach_the_workers(cluster):
    cluster.sql("CREATE ROLE standin_app LOGIN PASSWORD 'throw-away'")
    cluster.sql("ALTER ROLE standin_app PASSWORD 'another'")
    password = "SELECT rolpassword FROM pg_authid WHERE rolname = 'standin_app'"
    assert {worker.sql(password) for worker in cluster.workers} == {cluster.sql(password)}
    cluster.sql("DROP ROLE standin_app")
    assert not any(worker.sql(password) for worker in cluster.workers)


def test_tables_are_distributed_once_and_with_the_right_key(cluster):
    cluster.sql("CREATE TABLE talks (id bigint PRIMARY KEY, topic text)")
    cluster.sql("CREATE TABLE words (talk bigint REFERENCES talks, id int, PRIMARY KEY (talk, id))")
    cluster.sql("CREATE TABLE lands (code text PRIMARY KEY)")
    assert "cannot create constraint" in cluster.refused("SELECT create_distributed_table('talks', 'topic')")
    cluster.sql("SELECT create_distributed_table('talks', 'id', shard_count => 8)")
    cluster.sql("SELECT create_distributed_table('words', 'talk', colocate_with => 'talks')")
    cluster.sql("SELECT create_reference_table('lands')")
    assert "already distributed" in cluster.refused("SELECT create_distributed_table('talks', 'id')")
    query = "SELECT table_name, citus_table_type, distribution_column, shard_count FROM citus_tables ORDER BY 1::text"
    want = ["lands|reference|<none>|1", "talks|distributed|id|8", "words|distributed|talk|8"]
    for node in (cluster, *cluster.workers):
        assert node.sql(query).splitlines() == want
    assert max(cluster.shards()) - min(cluster.shards()) <= 2


def test_a_drained_node_can_be_removed_and_come_back(cluster):
    worker = cluster.workers[0]
    assert "contains the only shard placement" in cluster.refused(f"SELECT citus_remove_node({worker.at})")
    cluster.sql(f"SELECT citus_drain_node({worker.at}, 'block_writes')")
    assert cluster.shards()[0] == 0
    cluster.sql(f"SELECT citus_remove_node({worker.at})")
    cluster.sql(f"SELECT citus_add_node({worker.at})")
    assert "moves as job" in cluster.sql("SELECT citus_rebalance_start(shard_transfer_mode => 'block_writes')")
    assert "already running as job" in cluster.refused("SELECT citus_rebalance_start()")
    cluster.sql("SELECT citus_rebalance_wait()")
    assert cluster.sql(FINISHED) == "finished"
    assert max(cluster.shards()) - min(cluster.shards()) <= 2
    assert "No moves available" in cluster.sql("SELECT citus_rebalance_start()")


def test_a_drain_that_fails_leaves_the_node_without_new_shards(cluster):
    worker = cluster.workers[0]
    cluster.sql("CREATE TABLE keyless (id int)")
    cluster.sql("SELECT create_distributed_table('keyless', 'id', shard_count => 4)")
    assert "REPLICA IDENTITY" in cluster.refused(f"SELECT citus_drain_node({worker.at})")
    assert cluster.sql(f"SELECT shouldhaveshards FROM pg_dist_node WHERE nodename = '{worker.address}'") == "f"
    cluster.sql(f"SELECT citus_set_node_property({worker.at}, 'shouldhaveshards', true)")
    cluster.sql("DROP TABLE keyless")


def test_a_command_runs_on_every_node(cluster):
    nodes = len(cluster.workers) + 1
    assert cluster.sql("SELECT result FROM run_command_on_all_nodes('SELECT 1')").splitlines() == ["1"] * nodes
    failed = cluster.sql("SELECT success, result FROM run_command_on_workers('SELECT 1/0')").splitlines()
    assert failed == ["f|ERROR:  division by zero"] * (nodes - 1)
    assert "/" in cluster.sql("SELECT citus_create_restore_point('standin')")
