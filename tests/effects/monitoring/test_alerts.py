"""A watched deployment under load: a primary that is killed, who is told, and what a change of the inventory does."""

import time

import faults
import instances
import monitoring
import pytest
from load import Load
from waiting import wait_for

WATCHING = ("prometheus.service", "prometheus-alertmanager.service")
EVERYTHING = "cd /etc/prometheus && cat *.yml rules/*.yml targets/* && ls -lR --time-style=full-iso"


def pids(machine):
    return {unit: machine.run(f"systemctl show --property MainPID --value {unit}") for unit in WATCHING}


def wait_up(watch, machines, seconds=60):
    """Wait until everything that is to be watched answers."""
    until = time.monotonic() + seconds
    while True:
        found = watch.targets()
        if set(found) == monitoring.wanted_targets(machines, watch) and set(found.values()) == {"up"}:
            down = [labels for metric in ("redis_up", "pg_up") for labels, value in watch.query(metric) if value != 1]
            if not down:
                return
        assert time.monotonic() < until, found
        time.sleep(1)


def test_a_killed_primary_is_told_of_and_so_is_its_return(everyone, machines, watch, receiver):
    wait_up(watch, machines)
    [primary] = instances.primaries(everyone)
    load = Load(
        [(each.address, each.vars["redis_sentinel_port"]) for each in everyone.values()],
        "cache",
        password=primary.vars["redis_password"],
        sentinel_password=primary.vars["redis_sentinel_password"],
    )
    with load:
        load.wait_steady()
        began = time.monotonic()
        faults.kill(primary, stays_down=True)
        try:
            receiver.wait("firing", 60, since=began, alertname="RedisFailover", environment="monitoring")
            down = receiver.wait("firing", 120, since=began, alertname="RedisInstanceDown", instance=primary.name)
        finally:
            faults.revive(primary)
        receiver.wait("resolved", 60, since=began, alertname="RedisInstanceDown", instance=primary.name)
        load.wait_steady()
    assert down["environment"] == "monitoring" and down["severity"] == "critical"
    # the load is seen, and seen to go on
    assert watch.query("sum(deployment:redis_commands:rate5m{deployment='cache'}) > 1")
    wait_up(watch, machines)


def test_a_threshold_changes_without_a_restart(playbook, watch):
    before = pids(watch)
    run = playbook.run({"monitoring_thresholds": {"memory_share": 0.5}}, name="monitoring")
    assert run.steps("watch1") == [
        "write /etc/prometheus/rules/thresholds.yml",
        "let prometheus.service read its files again",
        "wait until prometheus.service answers",
    ]
    # the rules are read at once, and asked at their next turn
    wait_for(lambda: [value for _labels, value in watch.query("cistern:threshold:memory_share")] == [0.5], 30)
    assert pids(watch) == before
    playbook.run(name="monitoring")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"monitoring_rules": ["RULE"]}, "promtool check config says"),
        ({"monitoring_receivers": [{"name": "a", "webhook_config": [{"url": "http://in-the-open"}]}]}, "amtool"),
    ],
)
def test_what_a_program_would_refuse_replaces_nothing(playbook, watch, tmp_path, more, sentence):
    rule = tmp_path / "own.yml"
    rule.write_text("groups: [{name: own, rules: [{alert: Own, expr: 'up ==='}]}]\n")
    more = {name: [str(rule) if each == "RULE" else each for each in value] for name, value in more.items()}
    before = watch.run(EVERYTHING)
    run = playbook.run(more, name="monitoring", fails=True)
    output = " ".join(run.output.split())
    assert "Nothing was replaced" in output and sentence in output and "in-the-open" not in output
    assert watch.run(EVERYTHING) == before


def test_what_leaves_the_inventory_leaves_the_host(playbook, watch, tmp_path):
    rule = tmp_path / "own.yml"
    rule.write_text("groups: [{name: own, rules: [{alert: Own, expr: 'vector(0) > 1'}]}]\n")
    playbook.run({"monitoring_rules": [str(rule)]}, name="monitoring")
    wait_for(lambda: "own" in groups(watch))
    # targets of a job that nobody has any more
    watch.run("echo '[]' > /etc/prometheus/targets/former.json")
    run = playbook.run(name="monitoring")
    assert run.steps("watch1")[:2] == [
        "remove /etc/prometheus/rules/own/own.yml",
        "remove /etc/prometheus/targets/former.json",
    ]
    wait_for(lambda: "own" not in groups(watch))


def groups(watch):
    return [group["name"] for group in watch.prometheus("rules")["groups"]]


def test_all_is_watched_again_after_reboots(everyone, machines, watch):
    for machine in (machines["redis3"], machines["worker1"], watch):
        faults.reboot(machine)
    until = time.monotonic() + 60
    while True:
        try:
            wait_up(watch, machines)
            return
        except (RuntimeError, AssertionError):  # it is still booting, and does not let anybody in
            assert time.monotonic() < until
            time.sleep(0.5)
