"""Runs that are killed, nodes that are down, wrong repositories: what is left is whole, the next run finishes."""

import apt_archive
import faults
import pytest
import states
from states import JOINED


@pytest.fixture(scope="module")
def fresh(inventory, spare):
    """The spare worker as it came, with nothing on it."""
    if spare.host.exists("pg_lsclusters"):
        states.anew(inventory, spare)


def test_a_node_that_is_down_stops_the_run_before_the_others_change(playbook, cluster):
    down, others = cluster["worker2"], [cluster["coordinator"], cluster["worker1"]]
    before = states.files(others), states.started(others)
    faults.power_off(down)
    try:
        run = playbook.run({"citus_config": {"work_mem": "5MB"}}, fails=True)
        assert "worker2" in run.output and "unreachable=1" in run.output and run.changed == 0
        assert (states.files(others), states.started(others)) == before
    finally:
        faults.power_on(down)
    up = f"systemctl is-active ssh {down.unit} || true"
    states.wait(lambda: faults.inside(down, up).split() == ["active", "active"], 120)
    states.settle(playbook)


def other_key(inventory, tmp_path):
    """Return the file of a key that vouches for nothing here."""
    [repository] = apt_archive.hosts(inventory, "archive")
    make = "gpg --batch --passphrase '' --quick-generate-key other@example.com default default never"
    repository.run(f"gpg --list-keys other@example.com > /dev/null 2>&1 || {make}")
    path = tmp_path / "other.asc"
    path.write_text(repository.run("gpg --armor --export other@example.com") + "\n", encoding="utf-8")
    return path


def test_a_wrong_repository_is_refused_before_the_machine_is_touched(playbook, inventory, spare, fresh, tmp_path):
    repository, wrong = spare.vars["citus_apt_repository"], other_key(inventory, tmp_path)
    only = [*JOINED, "--limit", "worker3"]
    run = playbook.run({"citus_apt_repository": {**repository, "key": str(wrong)}}, only, fails=True)
    assert repository["uri"] in states.said(run) and "key" in run.output
    lacking = playbook.run({"citus_version": "13.2.9"}, only, fails=True)
    assert "13.2.9" in states.said(lacking) and "13.2.1.citus-1" in states.said(lacking)
    assert spare.run("find /etc/apt/sources.list.d /etc/apt/keyrings -type f") == ""
    assert not spare.host.exists("pg_lsclusters") and not spare.host.file("/etc/postgresql-common").exists


def test_killed_while_a_worker_joins(playbook, coordinator, cluster, joined, spare, fresh, load):
    """Twice: while the packages are installed, and while shards are on their way to it."""
    before = states.started(cluster.values())
    with load:
        process = playbook.start(options=JOINED)
        states.wait(lambda: spare.host.run("pgrep -x dpkg").succeeded or process.poll() is not None, 90)
        states.kill(process, joined.values())
        with states.locked(coordinator, "pg_dist_placement"):
            process = playbook.start(options=JOINED)
            states.somebody_waits(coordinator, process)
            states.kill(process, joined.values())
        playbook.run(options=JOINED)
        load.wait_steady()
    assert (load.errors, load.missing()) == ([], []), load.summary()
    assert states.shards(coordinator)[spare.address] >= 4 and states.health(coordinator, len(joined))
    assert states.started(cluster.values()) == before
    states.settle(playbook, options=JOINED)


def test_killed_while_tables_are_distributed(playbook, coordinator, joined, tables):
    states.drop(coordinator, *coordinator.vars["citus_tables"])
    states.migrate(coordinator)
    with coordinator.connect() as connection:
        connection.execute("INSERT INTO conversations (conversation_id) SELECT generate_series(1, 64)")
        connection.execute(
            "INSERT INTO messages (conversation_id, sender_id, body) "
            "SELECT n % 64 + 1, n, 'of before' FROM generate_series(1, 500) n"
        )
    before = states.contents(coordinator)
    with states.locked(coordinator, "messages"):
        process = playbook.start(options=JOINED)
        states.somebody_waits(coordinator, process)
        states.kill(process, joined.values())
        done = states.distributed(coordinator)
    assert done and done < set(coordinator.vars["citus_tables"])
    playbook.run(options=JOINED)
    assert states.distributed(coordinator) == set(coordinator.vars["citus_tables"])
    assert states.contents(coordinator) == before


def test_no_room_for_the_shards_of_a_worker_is_told_before_it_is_emptied(playbook, coordinator, workers, spare):
    """No disk is filled here: what the nodes say of their free space is laid over."""
    before = states.shards(coordinator)
    free = {f"{worker.address} 5432": 1000 for worker in workers}
    run = playbook.run({"citus_remove": "worker3", "__citus_free_bytes": free}, JOINED, fails=True, name="citus_remove")
    assert "has 1000 bytes free and would need about" in states.said(run)
    assert states.shards(coordinator) == before and states.takes_shards(coordinator)[spare.address]


def test_killed_while_a_worker_is_emptied(playbook, coordinator, joined, spare, load, tmp_path):
    """It leaves because the inventory says so; a run that finds it gone leaves it stopped."""
    absent = tmp_path / "absent.yml"
    absent.write_text("all: {hosts: {worker3: {citus_node_state: absent}}}", encoding="utf-8")
    leaving = [*JOINED, "--inventory", str(absent)]
    with load:
        with states.locked(coordinator, "pg_dist_placement"):
            process = playbook.start(options=leaving)
            states.somebody_waits(coordinator, process)
            states.kill(process, joined.values())
        playbook.run(options=leaving)
        load.wait_steady()
    assert (load.errors, load.missing()) == ([], []), load.summary()
    assert spare.address not in states.takes_shards(coordinator) and spare.address not in states.shards(coordinator)
    assert not spare.host.service(spare.unit).is_running
    states.settle(playbook, options=leaving)
    assert not spare.host.service(spare.unit).is_running
    for changes in (1, 0):
        run = playbook.run({"citus_remove": "worker3", "citus_remove_data": True}, JOINED, name="citus_remove")
        assert run.changed == changes and spare.run("pg_lsclusters --no-header") == ""
    playbook.run()
