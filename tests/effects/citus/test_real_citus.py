"""What only the real Citus can show: rows that are spread, and that move."""

import pytest
import states
from states import JOINED

PLACES = "run_command_on_placements('messages', 'SELECT count(*) FROM %s')"


@pytest.fixture(autouse=True)
def real(coordinator):
    if states.is_stand_in(coordinator):
        pytest.skip("the stand-in for Citus keeps every row on the coordinator")


def rows_on(coordinator):
    """Return {address: how many messages lie there}."""
    found = coordinator.rows(f"SELECT nodename, sum(result::int) AS n FROM {PLACES} GROUP BY 1")
    return {row["nodename"]: row["n"] for row in found}


@pytest.fixture
def messages(tables, coordinator):
    """Some rows, and what is there of them."""
    with coordinator.connect() as connection:
        connection.execute(
            "INSERT INTO messages (conversation_id, sender_id, body) "
            "SELECT n % 64 + 1, n, 'real' FROM generate_series(1, 1000) n"
        )
    return states.contents(coordinator)


def test_rows_are_on_every_worker_and_every_node_finds_them(coordinator, cluster, workers, messages):
    spread = rows_on(coordinator)
    assert set(spread) == {worker.address for worker in workers} and min(spread.values()) > 0
    assert sum(spread.values()) == messages[0]
    for node in cluster.values():
        assert states.contents(node) == messages


def test_a_join_by_the_distribution_column_is_one_task_of_one_node(coordinator, messages):
    query = (
        "EXPLAIN SELECT title, body FROM conversations JOIN messages USING (conversation_id) JOIN conversation_members "
        "USING (conversation_id) WHERE conversation_id = 42 ORDER BY sent_at DESC LIMIT 50"
    )
    with coordinator.connect() as connection:
        told = "\n".join(line for (line,) in connection.execute(query).fetchall())
    assert "Task Count: 1" in told, told


def test_rows_move_to_a_worker_that_joins_and_away_again(playbook, coordinator, joined, workers, spare, messages):
    playbook.run(options=JOINED)
    spread = rows_on(coordinator)
    assert spread[spare.address] > 0 and sum(spread.values()) == messages[0]
    for node in joined.values():
        assert states.contents(node) == messages
    playbook.run({"citus_remove": "worker3"}, JOINED, name="citus_remove")
    assert set(rows_on(coordinator)) == {worker.address for worker in workers}
    assert states.contents(coordinator) == messages
    playbook.run()


def test_a_tenant_is_isolated_and_that_is_no_difference(playbook, coordinator, messages):
    """It splits a shard by logical replication with a plugin of Citus, which a current PostgreSQL has to be allowed."""
    count = "SELECT count(*) AS n FROM pg_dist_shard WHERE logicalrelid = 'messages'::regclass"
    before = coordinator.value(count)
    coordinator.execute("SELECT isolate_tenant_to_new_shard('messages', 7, 'CASCADE', shard_transfer_mode := 'auto')")
    assert coordinator.value(count) > before and states.contents(coordinator) == messages
    states.settle(playbook)
    states.drop(coordinator, *coordinator.vars["citus_tables"])
