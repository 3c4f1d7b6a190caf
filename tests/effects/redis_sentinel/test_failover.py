"""A planned switchover under load: no acknowledged write is lost, and writes stop for at most two seconds."""

import random
import threading
import time

import faults
import instances
import pytest
from heartbeat import Heartbeat
from load import Load

MOST = 2.0


@pytest.fixture(autouse=True)
def as_the_inventory_says():
    """A switchover changes no setting: no run is needed between the tests, and those that matter make one."""


@pytest.fixture(scope="module")
def cache(everyone):
    return {name: each for name, each in everyone.items() if each.vars["redis_deployment"] == "cache" and each.role()}


@pytest.fixture
def load(cache):
    some = next(iter(cache.values()))
    return Load(
        [(each.address, each.vars["redis_sentinel_port"]) for each in cache.values()],
        "cache",
        password=some.vars["redis_password"],
        sentinel_password=some.vars["redis_sentinel_password"],
    )


def primary(cache):
    [found] = instances.primaries(cache)
    return found.name


def replica(cache):
    return random.choice([name for name in cache if name != primary(cache)])


def fail_over(playbook, to="", **options):
    return playbook.run({"redis_failover": "cache", "redis_failover_to": to}, name="redis_failover", **options)


def settings(cache):
    names = ("replica-priority", "min-replicas-to-write", "min-replicas-max-lag")
    return {name: [each.direct().config_get(key)[key] for key in names] for name, each in cache.items()}


def unchanged(playbook):
    return playbook.run().changed == 0 and playbook.check().changed == 0


@pytest.mark.parametrize("chosen", [True, False], ids=["chosen", "best"])
def test_switchover_loses_nothing(playbook, cache, load, chosen):
    before, had = primary(cache), settings(cache)
    to = replica(cache) if chosen else ""
    with Heartbeat() as machine, load:
        load.wait_steady()
        run = fail_over(playbook, to)
        load.wait_steady()
    assert load.verify() == []
    assert machine.gap(load) <= MOST, load.result().summary()
    assert run.changed == 1
    assert primary(cache) == to if chosen else primary(cache) != before
    assert settings(cache) == had
    assert playbook.run().changed == 0


def test_switchover_to_the_primary_is_nothing(playbook, cache):
    run = fail_over(playbook, primary(cache))
    assert run.changed == 0


def test_check_mode_takes_no_step(playbook, cache):
    before, to = primary(cache), replica(cache)
    run = playbook.check({"redis_failover": "cache", "redis_failover_to": to}, name="redis_failover")
    assert f"fail over to {to}" in run.output
    assert primary(cache) == before


@pytest.mark.parametrize(
    ("deployment", "to", "sentence"),
    [("", "", "redis_failover"), ("cash", "", "none called cash"), ("cache", "redis9", "redis9")],
)
def test_wrong_request_is_refused(playbook, cache, deployment, to, sentence):
    before = primary(cache)
    run = playbook.run({"redis_failover": deployment, "redis_failover_to": to}, name="redis_failover", fails=True)
    assert sentence in run.output and "No host was touched" in run.output
    assert primary(cache) == before


def test_replica_that_is_down_refuses_it(playbook, cache, load):
    before = primary(cache)
    down = replica(cache)
    to = next(name for name in cache if name not in (before, down))
    faults.kill(cache[down], stays_down=True)
    try:
        with load:
            load.wait_steady()
            run = fail_over(playbook, to, fails=True)
            load.wait_steady()
        assert f"{down} does not answer" in " ".join(run.output.split())
        assert load.verify() == []
        assert primary(cache) == before
    finally:
        faults.revive(cache[down])


def freeze_once_preferred(cache, before, to):
    """Freeze the replica as soon as the third instance was told to stand back for it."""
    [third] = [each for name, each in cache.items() if name not in (before, to)]
    until = time.monotonic() + 30
    while int(third.direct().config_get("replica-priority")["replica-priority"]) < 1000000 and time.monotonic() < until:
        time.sleep(0.02)
    faults.freeze(cache[to])


def test_replica_that_does_not_catch_up_puts_everything_back(playbook, cache, load):
    """A replica that hangs is noticed after the writes were paused, or before: they go on either way."""
    before, had, to = primary(cache), settings(cache), replica(cache)
    with load:
        load.wait_steady()
        freezing = threading.Thread(target=freeze_once_preferred, args=[cache, before, to])
        freezing.start()
        try:
            fail_over(playbook, to, fails=True)
        finally:
            freezing.join()
            faults.thaw(cache[to])
        load.wait_steady()
    assert load.verify() == []
    assert primary(cache) == before
    fail_over(playbook, before)
    assert settings(cache) == had


@pytest.mark.parametrize("after", [0.2, 0.5])
def test_killed_switchover_is_finished_by_the_next(playbook, cache, load, after):
    had, to = settings(cache), replica(cache)
    with load:
        load.wait_steady()
        process = playbook.start({"redis_failover": "cache", "redis_failover_to": to}, name="redis_failover")
        until = time.monotonic() + 30
        while load.silent() < 0.1 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(after)
        process.kill()
        faults.kill_modules(cache.values())
        process.communicate()
        fail_over(playbook, to)
        load.wait_steady()
    assert load.verify() == []
    assert primary(cache) == to
    assert settings(cache) == had
    assert unchanged(playbook)
