"""Data and logs: AOF, restarts without persistence, other folders, rotation."""

import time

import pytest
from keys import all_have, counts, fill, in_effect, restart, save


@pytest.mark.parametrize("points", [["900 1"], []], ids=["with-snapshots", "without-snapshots"])
def test_append_only_on_and_off_keeps_every_key(everyone, playbook, points):
    base = {"save": points, "appendonly": False}
    playbook.run({"redis_host_config": base})
    fill(everyone)
    pids = {name: instance.pid() for name, instance in everyone.items()}
    playbook.run({"redis_host_config": {**base, "appendonly": True}})
    assert {name: instance.pid() for name, instance in everyone.items()} == pids
    assert counts(everyone) == all_have(everyone)
    restart(everyone)
    assert counts(everyone) == all_have(everyone)
    playbook.run({"redis_host_config": base})
    assert counts(everyone) == all_have(everyone)
    restart(everyone)
    assert counts(everyone) == all_have(everyone)


def test_append_only_of_a_stopped_server_keeps_every_key(everyone, playbook):
    playbook.run({"redis_host_config": {"appendonly": False}})
    fill(everyone)
    for instance in everyone.values():
        instance.run(f"systemctl stop {instance.unit}")
    playbook.run({"redis_host_config": {"appendonly": True}})
    assert in_effect(everyone, "appendonly") == {"yes"}
    restart(everyone)
    assert counts(everyone) == all_have(everyone)


def test_without_persistence_a_restart_keeps_the_keys_and_leaves_no_snapshot(everyone, playbook):
    playbook.run({"redis_host_config": {"save": "", "appendonly": False}})
    assert in_effect(everyone, "save") == {""}
    fill(everyone)
    for instance in everyone.values():
        instance.run(f"rm -rf {instance.vars['redis_data_dir']}/dump.rdb")
    playbook.run({"redis_host_config": {"save": "", "appendonly": False, "databases": 20}})
    assert counts(everyone) == all_have(everyone)
    assert in_effect(everyone, "databases") == {"20"}
    for instance in everyone.values():
        assert not instance.host.file(f"{instance.vars['redis_data_dir']}/dump.rdb").exists


def test_data_and_log_can_lie_elsewhere(everyone, playbook):
    # a link and a slash at the end are the same folder to the server
    for instance in everyone.values():
        instance.run("ln -sfn /srv /link")
    moved = {
        "redis_data_dir": "/link/{{ inventory_hostname }}/data/",
        "redis_log_file": "/srv/{{ inventory_hostname }}/log/server.log",
    }
    fill(everyone, 1)
    refused = playbook.run(moved, fails=True)
    assert "redis_data_dir is /srv/" in refused.output
    for instance in everyone.values():
        instance.redis().flushall()
    playbook.run(moved)
    fill(everyone, 3)
    for name, instance in everyone.items():
        save(instance)
        assert instance.host.file(f"/srv/{name}/data/dump.rdb").exists
        rotate(instance, f"/srv/{name}/log/server.log")
    assert playbook.run(moved).changed == 0
    for name, instance in everyone.items():
        instance.redis().flushall()
        assert instance.run(f"stat --format %U /srv/{name}/log/server.log") == "redis"


def rotate(instance, log):
    save(instance, "bgsave")
    instance.run(f"truncate --size 0 {log}.1 2>/dev/null; logrotate --force /etc/logrotate.conf")
    until = time.monotonic() + 10
    instance.redis().config_set("loglevel", "debug")
    while not instance.host.file(log).exists and time.monotonic() < until:
        time.sleep(0.1)
    instance.redis().config_set("loglevel", "notice")
    assert instance.host.file(log).exists and instance.host.file(log).size > 0, "no line landed in the new file"
    assert instance.host.file(f"{log}.1").size > 0, "the old file is not kept"


def test_the_log_goes_on_after_a_rotation(everyone):
    for instance in everyone.values():
        rotate(instance, instance.vars["redis_log_file"])


def test_the_journal_and_syslog_take_the_log(everyone, playbook):
    playbook.run({"redis_log_file": "", "redis_host_config": {"syslog-enabled": True, "syslog-ident": "as-told"}})
    for instance in everyone.values():
        for source in ("--identifier as-told", f"--unit {instance.unit}"):
            told = instance.run(f"journalctl --no-pager {source} --since -10min")
            assert "Ready to accept connections" in told
