"""Redis 6.0 on Python 3.9 and systemd 247: what fails, changes and is asked there as on any newer one."""

import faults
import instances
import sentinels
from waiting import wait_for

# A Sentinel asks every second, and elects within two; a machine that is busy with other scenarios takes longer.
AWAY = 15


def test_it_is_the_oldest(everyone):
    for instance in everyone.values():
        assert instance.redis().info("server")["redis_version"].startswith("6.0.")
        assert instance.run("python3 --version").startswith("Python 3.9")


def test_a_primary_that_is_killed_is_replaced(everyone, playbook, primary):
    old = primary()
    faults.kill(old, stays_down=True)
    try:
        others = {name: each for name, each in everyone.items() if each is not old}
        wait_for(lambda: instances.primaries(others), AWAY)
    finally:
        faults.revive(old)
    wait_for(lambda: old.role() == "slave")
    new = primary()
    assert playbook.run().changed == 0
    assert primary() is new


def test_passwords_and_settings_change_while_it_runs(inventory, everyone, playbook):
    pids = {name: each.pid() for name, each in everyone.items()}
    changed = {
        "redis_password": "another#1-for-a-while",
        "redis_sentinel_password": "another#2-for-a-while",
        "redis_config": {"maxmemory": "90mb", "slowlog-log-slower-than": 4321},
    }
    playbook.run(changed)
    try:
        found = sentinels.read(inventory)
        for sentinel in found.values():
            wait_for(lambda each=sentinel: each.has_quorum("cache", password=changed["redis_sentinel_password"]))
        for name, instance in everyone.items():
            client = instance.redis(password=changed["redis_password"])
            assert client.config_get("maxmemory") == {"maxmemory": str(90 * 1024**2)}
            assert client.config_get("slowlog-log-slower-than") == {"slowlog-log-slower-than": "4321"}
            assert instance.pid() == pids[name], "it was restarted"
        assert playbook.run(changed).changed == 0
    finally:
        playbook.run()


def test_a_switchover_loses_nothing(playbook, load, primary):
    before = primary()
    with load:
        load.wait_steady()
        playbook.run({"redis_failover": "cache"}, name="redis_failover")
        load.wait_steady()
    assert load.verify() == []
    assert primary() is not before


def test_a_rolling_restart_loses_nothing(everyone, playbook, load):
    pids = {name: each.pid() for name, each in everyone.items()}
    with load:
        load.wait_steady()
        playbook.run({"redis_restart": "cache"}, name="redis_restart")
        load.wait_steady()
    assert load.verify() == []
    assert not [name for name, each in everyone.items() if each.pid() == pids[name]]


def test_the_cache_is_filled_judged_and_dropped(playbook, primary, tmp_path):
    primary().redis().flushall()
    assert playbook.run({"cache_warm": "cache"}, name="cache_warm").changed
    assert primary().redis().dbsize() == 3
    assert playbook.run({"cache_warm": "cache"}, name="cache_warm").changed == 0
    run = playbook.run({"cache_report_dir": str(tmp_path)}, name="cache_report")
    assert "user_profile" in next(tmp_path.glob("*.html")).read_text(encoding="utf-8"), run.output
    playbook.run({"family": "user_profile", "cache_invalidate": "cache"}, name="cache_invalidate")
    assert primary().redis().dbsize() == 0


def test_the_doctor_finds_nothing_that_is_broken(playbook):
    """It connects with the application's .env, which is written first."""
    playbook.run(name="app_env")
    # how quick this machine is, is not what is asked
    slow = {"ping_ms": 1000, "connect_ms": 5000, "slow_command_ms": 5000}
    run = playbook.run({"doctor_thresholds": slow}, name="doctor")
    assert "0 critical, 0 warnings" in run.output, run.output
