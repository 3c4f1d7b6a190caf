"""From one release of Citus to the next, under writes: what is asked for, what it costs, what is held."""

import os
import sys

import apt_archive
import instances
import states

sys.path.insert(0, str(instances.ROOT / "tests/citus_standin"))
import publish  # noqa: E402 - the line above makes it found

OLD, NEW = "13.2.1", "13.2.2"


def versions(coordinator):
    found = coordinator.rows("SELECT result FROM run_command_on_all_nodes('SELECT citus_version()')")
    return {row["result"].split()[1] for row in found}


def test_citus_is_upgraded_when_somebody_asks_for_it(playbook, inventory, cluster, coordinator, workers, load):
    assert versions(coordinator) == {OLD}, f"make the hosts anew: this begins with {OLD}"
    assert bool(os.environ.get("CITUS_TEST_APT_URI")) != states.is_stand_in(coordinator), "another Citus than at first"
    [repository] = apt_archive.hosts(inventory, "archive")
    publish.offer(repository, NEW)
    before = states.started(cluster.values())
    refused = playbook.run({"citus_version": NEW}, fails=True)
    assert f"has postgresql-15-citus-13.2 {OLD}.citus-1" in states.said(refused)
    assert "playbooks/citus_upgrade.yml brings all nodes to another version" in states.said(refused)
    assert "citus_upgrade" in playbook.run(fails=True, name="citus_upgrade").output
    # the series of the inventory holds both
    assert playbook.run().changed == 0
    assert states.started(cluster.values()) == before and versions(coordinator) == {OLD}
    with load:
        run = states.planned(playbook, {"citus_upgrade": "chat"}, name="citus_upgrade")
        load.wait_steady()
    print(f"\nupgrade: {load.summary()}")
    assert load.missing() == [] and load.gap() < 5, load.summary()
    assert versions(coordinator) == {NEW} and states.health(coordinator, len(cluster))
    for node in cluster.values():
        assert f"restart 15/citus: citus: {OLD} -> {NEW}" in run.steps(node.name)
        assert node.run("apt-mark showhold").split() == ["postgresql-15", "postgresql-15-citus-13.2"]
    times = [node.started() for node in [*workers, coordinator]]
    assert times == sorted(times) and not set(times) & set(before.values())
    assert playbook.run({"citus_upgrade": "chat"}, name="citus_upgrade").changed == 0
    states.settle(playbook)


def test_a_downgrade_is_refused(playbook, cluster, coordinator):
    before = states.started(cluster.values())
    run = playbook.run({"citus_upgrade": "chat", "citus_version": OLD}, fails=True, name="citus_upgrade")
    assert f"{NEW}.citus-1, which is newer than what the repositories offer" in states.said(run)
    assert states.started(cluster.values()) == before and versions(coordinator) == {NEW}
