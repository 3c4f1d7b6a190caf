"""A deployment under Sentinel as it lives: primaries that fail, hosts that come and go, a neighbour that is broken."""

import contextlib
import subprocess
import time

import faults
import instances
import pytest
import redis
from heartbeat import Heartbeat
from load import Load

SCENARIO = instances.ROOT / "molecule/redis_sentinel"
JOINED = ["--inventory", str(SCENARIO / "joined.yml")]


@pytest.fixture(autouse=True)
def as_the_inventory_says():
    """A test that changes a setting sets it back: a run after each would take longer than the tests."""


@pytest.fixture(scope="module")
def cache(everyone):
    return {name: each for name, each in everyone.items() if each.vars["redis_deployment"] == "cache"}


@pytest.fixture(scope="module")
def sessions(everyone):
    return {name: each for name, each in everyone.items() if each.vars["redis_deployment"] == "sessions"}


@pytest.fixture
def load(cache):
    some = next(iter(cache.values()))
    sentinels = [(each.address, each.vars["redis_sentinel_port"]) for each in cache.values()]
    passwords = {key: some.vars[f"redis_{key}"] for key in ("password", "sentinel_password")}
    return Load(sentinels, "cache", **passwords)


def primary(members):
    [found] = instances.primaries(members)
    return found


def wait_for_another(members, gone, seconds=30):
    until = time.monotonic() + seconds
    others = {name: each for name, each in members.items() if each is not gone}
    while not (found := instances.primaries(others)):
        assert time.monotonic() < until, f"nobody takes the place of {gone}"
        time.sleep(0.2)
    return found[0]


def test_a_run_after_a_failover_leaves_the_new_primary(playbook, cache, load):
    old = primary(cache)
    with load:
        load.wait_steady()
        faults.kill(old, stays_down=True)
        new = wait_for_another(cache, old)
        load.wait_steady()
        faults.revive(old)
        run = playbook.run()
        load.wait_steady()
    assert primary(cache) is new
    # what a replica had not got when its primary was killed is gone; what came later is not
    down = load.began + min(each["first"] for each in load.result().errors.values())
    assert [write for write in load.verify() if write.sent >= down] == []
    assert run.steps(new.name) == []
    assert playbook.run().changed == 0 and playbook.check().changed == 0


def test_a_run_during_a_failover_waits_for_its_end(playbook, cache, load):
    old = primary(cache)
    with load:
        load.wait_steady()
        faults.kill(old, stays_down=True)
        # nobody has noticed yet, and the inventory knows no better
        run = playbook.run()
        new = primary(cache)
        load.wait_steady()
    assert new is not old and old.role() == "slave", run.output
    assert playbook.check().changed == 0


def test_a_failover_that_cannot_come_is_told(playbook, cache):
    """With one Sentinel left nobody can be made primary: the run stops, and what is left goes on as it is."""
    old = primary(cache)
    others = [each for each in cache.values() if each is not old]
    pids = {each.name: each.pid() for each in others}
    faults.kill(others[1], faults.SENTINEL, stays_down=True)
    faults.freeze(old)
    try:
        run = playbook.run(options=["--limit", others[0].name], fails=True)
        said = " ".join(run.output.split())
        assert "does not answer" in said and "a failover is due" in said and "Nothing was changed here" in said
        assert {each.name: each.pid() for each in others} == pids
        assert {each.role() for each in others} == {"slave"}
    finally:
        faults.thaw(old)
        faults.revive(others[1], faults.SENTINEL)
    wait_for_sentinels(cache)


def wait_for_sentinels(members, seconds=40):
    """Every Sentinel sees the primary and knows the others."""
    until = time.monotonic() + seconds
    while True:
        told = []
        # one that has only just been started does not listen yet
        with contextlib.suppress(redis.RedisError):
            for each in members.values():
                reply = each.sentinel().execute_command("SENTINEL", "MASTER", "cache")
                told.append(reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True)))
        if [(reply["flags"], int(reply["num-other-sentinels"])) for reply in told] == [("master", 2)] * len(members):
            return
        assert time.monotonic() < until, told
        time.sleep(0.5)


def test_a_restart_that_a_change_needs_is_rolling(playbook, cache, load):
    change = {"redis_host_config": {"databases": 24}}
    reported = playbook.run({**change, "redis_restart_policy": "report"})
    assert "waits for a restart" in reported.steps(primary(cache).name)[-1]
    pids = {name: each.pid() for name, each in cache.items()}
    with Heartbeat() as machine, load:
        load.wait_steady()
        run = playbook.run(change)
        load.wait_steady()
    assert load.verify() == []
    assert machine.gap(load) <= 2.0, load.result().summary()
    assert all(each.pid() != pids[name] for name, each in cache.items())
    assert [name for name in cache if "switch over to a replica" in run.steps(name)] != []
    assert playbook.check(change).changed == 0
    playbook.run()


def test_a_broken_deployment_does_not_touch_another(playbook, cache, sessions):
    pids, before = {name: each.pid() for name, each in cache.items()}, primary(cache)
    for each in sessions.values():
        each.run(f"systemctl mask --runtime --now {each.unit}")
    run = playbook.run({"redis_config": {"slowlog-log-slower-than": 4321}}, fails=True)
    for each in cache.values():
        assert each.redis().config_get("slowlog-log-slower-than") == {"slowlog-log-slower-than": "4321"}
        assert run.steps(each.name)
    assert {name: each.pid() for name, each in cache.items()} == pids and primary(cache) is before
    moved = playbook.run({"redis_failover": "cache"}, name="redis_failover")
    assert moved.changed == 1
    for each in sessions.values():
        each.run(f"systemctl unmask --runtime {each.unit}; systemctl start {each.unit}")
    wait_for_sentinels(cache)
    playbook.run()


def test_a_host_joins_whoever_is_primary_and_leaves(playbook, cache, load):
    playbook.run({"redis_failover": "cache", "redis_failover_to": "redis3"}, name="redis_failover")
    joined = instances.read([playbook.inventory, JOINED[1]])
    fourth = joined["redis4"]
    try:
        with Heartbeat() as machine, load:
            load.wait_steady()
            playbook.run(options=JOINED)
            assert fourth.redis().execute_command("ROLE")[1:4] == [cache["redis3"].address, 6379, "connected"]
            assert playbook.run(options=JOINED).changed == 0
            refused = playbook.run({"redis_remove": "redis3"}, JOINED, fails=True, name="redis_remove")
            assert "It is the primary of cache" in " ".join(refused.output.split())
            playbook.run({"redis_remove": "redis4"}, JOINED, name="redis_remove")
            load.wait_steady()
        assert load.verify() == []
        assert machine.gap(load) < 1, load.result().summary()
        for each in cache.values():
            known = each.sentinel().execute_command("SENTINEL", "REPLICAS", "cache")
            assert fourth.address not in str(known)
        assert playbook.run().changed == 0
    finally:
        fourth.host.run("systemctl disable --now redis-server")
        instances.close(joined)


def test_a_host_that_is_gone_can_be_removed(playbook, cache):
    joined = instances.read([playbook.inventory, JOINED[1]])
    fourth = joined["redis4"]
    playbook.run(options=JOINED)
    faults.power_off(fourth)
    try:
        playbook.run({"redis_remove": "redis4"}, JOINED, name="redis_remove")
        for each in cache.values():
            assert fourth.address not in str(each.sentinel().execute_command("SENTINEL", "REPLICAS", "cache"))
    finally:
        faults.power_on(fourth)
        # it comes back as what it was, which nobody asked for
        faults.inside(fourth, "until systemctl disable --now redis-server; do sleep 0.2; done")
        instances.close(joined)
        playbook.run({"redis_remove": "redis4"}, JOINED, name="redis_remove")


def test_the_application_finds_its_redis(playbook, cache, inventory):
    """What the .env says is enough for a client, from its own host."""
    host = instances.read(inventory, "app")["redis4"].host
    host.check_output("rm -f /srv/app/.env")
    run = playbook.run(name="app_env")
    assert run.changed == 1 and playbook.run(name="app_env").changed == 0
    some = next(iter(cache.values()))
    shown = host.check_output(
        "stat --format '%%a %%U:%%G' /srv/app/.env; set -a; . /srv/app/.env; python3 -c %s", PRINT
    )
    lines = shown.splitlines()
    assert lines[0] == "600 ops:ops"
    assert lines[1:] == [
        some.vars["redis_password"],
        some.vars["redis_sentinel_password"],
        "cache",
        ",".join(f"{each.address}:26379" for each in cache.values()),
    ]
    changed = playbook.run({"redis_password": "another#throw-away$`x`"}, ["-vvv", "--diff", "--check"], name="app_env")
    assert changed.changed == 1
    assert "another#throw-away" not in changed.output.replace("EXTRA", "")


PRINT = (
    "import os\n"
    "for name in ('REDIS_PASSWORD', 'REDIS_SENTINEL_PASSWORD', 'REDIS_SENTINEL_MASTER', 'REDIS_SENTINELS'):\n"
    "    print(os.environ[name])\n"
)


def test_a_reboot_of_every_host_is_no_difference(playbook, cache, sessions):
    for each in cache.values():
        subprocess.run(
            [instances.ROOT / "lab/podman", "restart", "--time", "10", each.vars["lab_container"]],
            check=True,
            capture_output=True,
        )
        until = time.monotonic() + 60
        while not each.role():
            assert time.monotonic() < until
            time.sleep(0.3)
    wait_for_sentinels(cache, 60)
    # a primary whose place was taken while its host booted is one until Sentinel tells it, some seconds later
    for members in (cache, sessions):
        wait_until_all_follow(members)
    run = playbook.run()
    assert run.changed == 0, run.output


def wait_until_all_follow(members, seconds=60):
    """One instance is primary, and every other has its link to it."""
    until = time.monotonic() + seconds
    while True:
        told = {name: each.direct().execute_command("ROLE") for name, each in members.items() if each.role()}
        leads = [members[name].address for name, role in told.items() if role[0] == "master"]
        following = [
            role for role in told.values() if role[0] == "slave" and [role[1]] == leads and role[3] == "connected"
        ]
        if len(leads) == 1 and len(following) == len(members) - 1:
            return
        assert time.monotonic() < until, told
        time.sleep(0.5)
