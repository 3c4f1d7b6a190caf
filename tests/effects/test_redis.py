"""Changes, faults and interruptions of Redis instances, while clients work with them."""

import contextlib
import subprocess
import time

import instances
import pytest
import redis
from writer import Writer

KEYS = 10_000


def fill(everyone, count=KEYS):
    for instance in everyone.values():
        client = instance.redis()
        client.flushall()
        pipeline = client.pipeline(transaction=False)
        for number in range(count):
            pipeline.set(f"user_profile:{number}", number)
        pipeline.execute()


def counts(everyone):
    return {name: instance.redis().dbsize() for name, instance in everyone.items()}


def all_have(everyone, count=KEYS):
    return dict.fromkeys(everyone, count)


def in_effect(everyone, name):
    return {instance.redis().config_get(name)[name] for instance in everyone.values()}


def restart(everyone):
    for instance in everyone.values():
        instance.run(f"systemctl restart {instance.unit}")


def test_a_live_change_costs_no_request(everyone, playbook):
    pids = {name: instance.pid() for name, instance in everyone.items()}
    change = {
        "redis_host_config": {
            "maxmemory": "96mb",
            "maxmemory-policy": "volatile-ttl",
            "client-output-buffer-limit": ["pubsub 16mb 4mb 30"],
        }
    }
    with contextlib.ExitStack() as stack:
        writers = [stack.enter_context(Writer(instance)) for instance in everyone.values()]
        run = playbook.run(change)
    assert [writer.errors for writer in writers] == [[] for _writer in writers]
    assert all(writer.written > 100 for writer in writers)
    assert {name: instance.pid() for name, instance in everyone.items()} == pids
    assert run.changed == len(everyone)
    assert in_effect(everyone, "maxmemory") == {str(96 << 20)}
    assert in_effect(everyone, "maxmemory-policy") == {"volatile-ttl"}
    assert all("pubsub 16777216 4194304 30" in text for text in in_effect(everyone, "client-output-buffer-limit"))
    assert playbook.run(change).changed == 0


def test_only_what_cannot_be_changed_live_restarts_and_is_named(everyone, playbook):
    fill(everyone)
    pids = {name: instance.pid() for name, instance in everyone.items()}
    change = {"redis_host_config": {"databases": 32, "hz": 20}}
    planned = playbook.check(change)
    run = playbook.run(change)
    for name, instance in everyone.items():
        assert run.steps(name) == planned.steps(name)
        assert run.steps(name)[-1] == f"restart {instance.unit}: databases: 16 -> 32"
        assert instance.pid() != pids[name]
    assert in_effect(everyone, "databases") == {"32"} and in_effect(everyone, "hz") == {"20"}
    assert counts(everyone) == all_have(everyone)
    assert playbook.run(change).changed == 0


def test_address_and_port_change_without_a_restart(everyone, playbook):
    fill(everyone, 3)
    pids = {name: instance.pid() for name, instance in everyone.items()}
    moved = {"redis_bind": ["{{ ansible_host }}", "127.0.0.1"], "redis_port": "{{ 7000 + redis_instance | length }}"}
    run = playbook.run(moved)
    for name, instance in everyone.items():
        port = 7000 + len(instance.says["redis_instance"])
        assert run.steps(name)[0].startswith("set while running: bind ")
        listens = instance.run("ss --listening --tcp --numeric --no-header").split()
        assert f"{instance.address}:{port}" in listens and f"127.0.0.1:{port}" in listens
        assert f"127.0.0.1:{instance.says['redis_port']}" not in listens
    assert {name: instance.pid() for name, instance in everyone.items()} == pids
    assert playbook.run(moved).changed == 0
    playbook.run()
    assert counts(everyone) == all_have(everyone, 3)
    assert {name: instance.pid() for name, instance in everyone.items()} == pids


def test_a_restart_can_wait(everyone, playbook):
    pids = {name: instance.pid() for name, instance in everyone.items()}
    run = playbook.run({"redis_host_config": {"databases": 32, "hz": 20}, "redis_restart_policy": "report"})
    assert "waits for a restart" in run.output and "databases: 16 -> 32" in run.output
    assert {name: instance.pid() for name, instance in everyone.items()} == pids
    assert in_effect(everyone, "hz") == {"20"} and in_effect(everyone, "databases") == {"16"}
    assert (
        "waits for a restart"
        in playbook.run({"redis_host_config": {"databases": 32, "hz": 20}, "redis_restart_policy": "report"}).output
    )


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
        instance.run(f"rm -rf {instance.says['redis_data_dir']}/dump.rdb")
    playbook.run({"redis_host_config": {"save": "", "appendonly": False, "databases": 20}})
    assert counts(everyone) == all_have(everyone)
    assert in_effect(everyone, "databases") == {"20"}
    for instance in everyone.values():
        assert not instance.host.file(f"{instance.says['redis_data_dir']}/dump.rdb").exists


def test_a_directive_taken_out_goes_back_to_the_servers_default(everyone, playbook):
    playbook.run({"redis_host_config": {"hz": 50, "slowlog-max-len": 7}})
    assert in_effect(everyone, "hz") == {"50"}
    run = playbook.run()
    assert run.changed == len(everyone)
    assert in_effect(everyone, "hz") == {"10"} and in_effect(everyone, "slowlog-max-len") == {"128"}


def test_what_someone_changed_by_hand_is_found_and_repaired(everyone, playbook):
    on_server, in_file, *_rest = everyone.values()
    on_server.redis().config_set("maxmemory", "1mb")
    in_file.run(f"sed -i 's/^timeout .*/timeout 7/' {in_file.conf}; echo 'maxclients 77' >> {in_file.conf}")
    told = playbook.check()
    assert told.changed == 2
    assert "maxmemory 1048576 -> " in told.steps(on_server.name)[0]
    assert told.steps(in_file.name) == [f"write {in_file.conf}"]
    assert on_server.redis().config_get("maxmemory")["maxmemory"] == "1048576", "a check changed something"
    playbook.run()
    assert on_server.redis().config_get("maxmemory")["maxmemory"] != "1048576"
    assert "timeout 300" in in_file.run(f"cat {in_file.conf}") and "maxclients" not in in_file.run(
        f"cat {in_file.conf}"
    )
    assert playbook.check().changed == 0


def test_a_file_that_the_server_rewrote_is_no_difference(everyone, playbook):
    for instance in everyone.values():
        before = instance.run(f"cat {instance.conf}")
        instance.redis().config_rewrite()
        assert instance.run(f"cat {instance.conf}") != before
    assert playbook.check().changed == 0
    assert playbook.run().changed == 0
    restart(everyone)
    assert all(instance.redis().ping() for instance in everyone.values())


def test_acl_users_of_the_server_outlive_a_run(everyone, playbook):
    for instance in everyone.values():
        instance.redis().acl_setuser(
            "reader", enabled=True, passwords=["+reader-secret"], commands=["+get"], keys=["*"]
        )
        instance.redis().config_rewrite()
    playbook.run({"redis_host_config": {"hz": 20}})
    restart(everyone)
    for instance in everyone.values():
        assert "reader" in instance.redis().acl_users()
        instance.redis().acl_deluser("reader")
        instance.redis().config_rewrite()


def test_a_new_password_takes_effect_live_and_is_told_to_nobody(everyone, playbook):
    pids = {name: instance.pid() for name, instance in everyone.items()}
    new = "new \"password\" with 'all' of \\ # it, äöü"
    # the server rewrote its file before: the hash it left there must not win
    for instance in everyone.values():
        instance.redis().config_rewrite()
    with contextlib.ExitStack() as stack:
        writers = [stack.enter_context(Writer(instance)) for instance in everyone.values()]
        run = playbook.run({"redis_password": new}, options=["-vvv", "--diff"])
    assert [writer.errors for writer in writers] == [[] for _writer in writers]
    for instance in everyone.values():
        assert new not in run.output and instance.says["redis_password"] not in run.output
    restart(everyone)
    for instance in everyone.values():
        assert instance.redis(password=new).ping()
        with pytest.raises(redis.AuthenticationError):
            instance.redis().ping()
    assert {name: instance.pid() for name, instance in everyone.items()} != pids
    assert playbook.run({"redis_password": new}).changed == 0


def test_what_the_server_refuses_replaces_nothing(everyone, playbook):
    before = {name: instance.run(f"cat {instance.conf}") for name, instance in everyone.items()}
    run = playbook.run({"redis_host_config": {"include": "/nowhere/else.conf"}}, fails=True)
    assert "refuses the new" in run.output and "nothing was replaced" in run.output
    assert {name: instance.run(f"cat {instance.conf}") for name, instance in everyone.items()} == before
    assert all(instance.redis().ping() for instance in everyone.values())


def test_data_and_log_can_lie_elsewhere(everyone, playbook):
    moved = {
        "redis_data_dir": "/srv/{{ inventory_hostname }}/data",
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
        instance.redis().save()
        assert instance.host.file(f"/srv/{name}/data/dump.rdb").exists
        rotate(instance, f"/srv/{name}/log/server.log")
    assert playbook.run(moved).changed == 0
    for name, instance in everyone.items():
        instance.redis().flushall()
        assert instance.run(f"stat --format %U /srv/{name}/log/server.log") == "redis"


def rotate(instance, log):
    instance.redis().bgsave()
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
        rotate(instance, instance.says["redis_log_file"])


def test_the_journal_and_syslog_take_the_log(everyone, playbook):
    playbook.run({"redis_log_file": "", "redis_host_config": {"syslog-enabled": True, "syslog-ident": "as-told"}})
    for instance in everyone.values():
        assert "Ready to accept connections" in instance.run("journalctl --no-pager --identifier as-told --since -1min")
        assert "Ready to accept connections" in instance.run(
            f"journalctl --no-pager --unit {instance.unit} --since -1min"
        )


def test_a_reboot_brings_it_back(everyone):
    fill(everyone)
    for instance in everyone.values():
        instance.redis().save()
    for container in {instance.says["lab_container"] for instance in everyone.values()}:
        subprocess.run(
            [instances.ROOT / "lab/podman", "restart", "--time", "10", container], check=True, capture_output=True
        )
    until = time.monotonic() + 60
    while True:
        try:
            assert counts(everyone) == all_have(everyone)
            break
        except (RuntimeError, redis.RedisError):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


@pytest.mark.parametrize("share", [0.35, 0.6, 0.8, 0.95])
def test_the_next_run_finishes_what_an_interrupted_one_began(everyone, playbook, share):
    change = {"redis_host_config": {"maxmemory": "80mb", "databases": 24, "appendonly": True, "maxclients": 12000}}
    playbook.run({"redis_host_config": {"appendonly": False}})
    fill(everyone)
    # how long a run of this change takes, so that the kill falls into it
    began = time.monotonic()
    playbook.check(change)
    assert playbook.killed(change, after=share * (time.monotonic() - began))
    for instance in everyone.values():
        instance.host.run("pkill -9 -f '[A]nsiballZ'")
    playbook.run(change)
    assert counts(everyone) == all_have(everyone)
    assert in_effect(everyone, "databases") == {"24"} and in_effect(everyone, "appendonly") == {"yes"}
    assert playbook.check(change).changed == 0


def test_the_next_run_finishes_an_interrupted_first_run(everyone, playbook):
    """Hosts as they come, a first run killed three times, each time further on."""
    for instance in everyone.values():
        instance.run(f"systemctl disable --now {instance.unit}")
    for instance in everyone.values():
        instance.run("apt-get purge -qy redis-server redis-tools")
        instance.run("rm -rf /etc/redis /var/lib/redis /etc/systemd/system/redis*; systemctl daemon-reload")
    for seconds in (1.5, 2.5, 3.5):
        assert playbook.killed({}, after=seconds)
    playbook.run()
    assert playbook.check().changed == 0
    assert all(instance.redis().ping() for instance in everyone.values())
