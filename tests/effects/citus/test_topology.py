"""Tables that are distributed, a worker that joins and leaves, shards that move: under writes, and none is lost."""

import states
from states import JOINED


def test_tables_wait_for_the_application_and_then_become_what_is_declared(playbook, coordinator):
    declared = coordinator.vars["citus_tables"]
    states.drop(coordinator, *declared)
    before = playbook.check()
    assert before.changed == 0 and f"not there yet: {', '.join(declared)}" in before.output, before.output
    states.migrate(coordinator)
    run = states.planned(playbook)
    assert run.steps("coordinator") == [
        "make countries a reference table",
        "distribute users by user_id, in 4 shards",
        "distribute unread_counters by user_id, together with users",
        "distribute conversations by conversation_id, in 4 shards",
        "distribute conversation_members by conversation_id, together with conversations",
        "distribute messages by conversation_id, together with conversations",
    ]
    assert states.distributed(coordinator) == set(declared)
    together = coordinator.rows("SELECT logicalrelid::text AS name, colocationid AS n FROM pg_dist_partition")
    groups = {row["name"]: row["n"] for row in together}
    assert groups["users"] == groups["unread_counters"]
    assert groups["conversations"] == groups["conversation_members"] == groups["messages"] != groups["users"]
    states.settle(playbook)


def test_a_worker_joins_and_gets_its_share(playbook, coordinator, cluster, joined, spare, load):
    before = states.started(cluster.values())
    with load:
        run = states.planned(playbook, options=JOINED)
        load.wait_steady()
    assert (load.errors, load.missing()) == ([], []), load.summary()
    assert {"add worker3", "rebalance the shards"} < set(run.steps("coordinator"))
    assert states.started(cluster.values()) == before
    assert states.shards(coordinator)[spare.address] >= 4, states.shards(coordinator)
    assert states.health(coordinator, len(joined))
    assert spare.run(f"tail -1 {spare.folder}/start.conf").strip() == "auto"
    states.settle(playbook, options=JOINED)


def test_a_rebalance_is_told_made_and_ended(playbook, coordinator, workers, spare):
    away = workers[0]
    for row in coordinator.rows(
        "SELECT min(shardid) AS shard FROM pg_dist_shard JOIN pg_dist_partition USING (logicalrelid) "
        "JOIN pg_dist_placement USING (shardid) JOIN pg_dist_node USING (groupid) "
        f"WHERE nodename = '{spare.address}' AND partmethod = 'h' "
        "GROUP BY colocationid, shardminvalue"
    ):
        coordinator.execute(
            f"SELECT citus_move_shard_placement({row['shard']}, '{spare.address}', 5432, '{away.address}', 5432)"
        )
    assert spare.address not in states.shards(coordinator)
    with states.locked(coordinator, "pg_dist_placement"):
        coordinator.execute("SELECT citus_rebalance_start()")
        process = playbook.start({"citus_rebalance_stop": True}, JOINED, name="citus_rebalance")
        ending = "SELECT count(*) AS n FROM pg_dist_background_job WHERE state IN ('cancelling', 'cancelled')"
        states.wait(lambda: coordinator.value(ending), 60)
    output = process.communicate(timeout=120)[0]
    assert process.returncode == 0 and "end the shard moves of job" in output, output
    # a move that waited for the lock is made to its end, by a backend of its own, when the job is ended already
    moving = "SELECT count(*) AS n FROM pg_stat_activity WHERE state = 'active' AND query ~ 'move_shard'"
    states.wait(lambda: coordinator.value(f"{moving} AND pid <> pg_backend_pid()") == 0, 60)
    stopped = states.shards(coordinator)
    assert coordinator.value("SELECT count(*) AS n FROM pg_dist_background_job WHERE state = 'running'") == 0
    plan = playbook.check(options=JOINED, name="citus_rebalance")
    assert [step for step in plan.steps("coordinator") if step.startswith("move a shard of ")]
    assert states.shards(coordinator) == stopped
    run = playbook.run(options=JOINED, name="citus_rebalance")
    assert states.steps(run) == states.steps(plan)
    assert states.shards(coordinator)[spare.address] >= 4
    assert playbook.run(options=JOINED, name="citus_rebalance").changed == 0


def test_a_worker_that_cannot_be_emptied_is_left_as_it_is(playbook, coordinator, spare):
    refused = playbook.run({"citus_remove": "worker9"}, JOINED, fails=True, name="citus_remove")
    assert "worker9 is no node of the cluster; write one of worker1, worker2, worker3, or chat" in states.said(refused)
    coordinator.execute("CREATE TABLE bare (id bigint)")
    coordinator.execute("SELECT create_distributed_table('bare', 'id', shard_count := 8)")
    try:
        before = states.shards(coordinator)
        refused = playbook.run({"citus_remove": "worker3"}, JOINED, fails=True, name="citus_remove")
        assert "Nothing was changed" in refused.output and "bare" in refused.output
        assert states.shards(coordinator) == before and states.takes_shards(coordinator)[spare.address]
    finally:
        states.drop(coordinator, "bare")


def test_a_worker_leaves_and_takes_no_row_along(playbook, coordinator, cluster, workers, spare, load):
    before = states.started(cluster.values())
    with load:
        load.wait_steady()
        states.planned(playbook, {"citus_remove": "worker3", "citus_remove_data": True}, JOINED, name="citus_remove")
        load.wait_steady()
    assert (load.errors, load.missing()) == ([], []), load.summary()
    assert states.takes_shards(coordinator) == {worker.address: True for worker in workers}
    assert set(states.shards(coordinator)) == {worker.address for worker in workers}
    assert states.started(cluster.values()) == before
    assert not spare.host.service(spare.unit).is_running and spare.run("pg_lsclusters --no-header") == ""
    # the others let it in until it is out of the inventory
    playbook.run()
    states.settle(playbook)


ODD = """
    CREATE SCHEMA "App" AUTHORIZATION chat_app;
    CREATE TABLE "App"."Message" ("senderId" bigint, "order" bigint, body text);
    ALTER TABLE "App"."Message" OWNER TO chat_app;
    INSERT INTO "App"."Message" VALUES (1, 2, 'x');
"""


def offered(run, begins):
    """Return the statement that a message offers, as somebody would copy it."""
    lines = [line for line in run.output.splitlines() if line.startswith(("[ERROR]", "  coordinator: note"))]
    [found] = {line[line.index(begins) :].split("; ")[0].rstrip(". ") for line in lines if begins in line}
    return found


def test_a_statement_that_is_offered_can_be_pasted(playbook, coordinator, tables):
    """Of a table whose names need quotes; with the words of the message, as they are."""
    declared = {**coordinator.vars["citus_tables"], "App.Message": {"column": "senderId"}}
    coordinator.execute(ODD)
    try:
        run = playbook.run({"citus_tables": declared})
        run = playbook.check({"citus_tables": declared})
        statement = offered(run, "ALTER TABLE")
        assert statement == 'ALTER TABLE "App"."Message" REPLICA IDENTITY FULL'
        coordinator.execute(statement)
        assert "REPLICA IDENTITY" not in playbook.check({"citus_tables": declared}).output

        other = {**declared, "App.Message": {"type": "local"}}
        run = playbook.run({"citus_tables": other}, fails=True)
        coordinator.execute(offered(run, "SELECT undistribute_table"))
        assert playbook.run({"citus_tables": other}).changed == 0
    finally:
        coordinator.execute('DROP SCHEMA "App" CASCADE')
