"""Faults: changes by hand, rewritten files, reboots, interrupted runs."""

import subprocess
import time

import faults
import instances
import pytest
import redis
from keys import all_have, counts, fill, in_effect, restart, save


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


def test_a_reboot_brings_it_back(everyone):
    fill(everyone)
    for instance in everyone.values():
        save(instance)
    for container in {instance.vars["lab_container"] for instance in everyone.values()}:
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


CONFIGURE, RESTART = "Configure | Apply files", "Restart | Restart the instance"


@pytest.mark.parametrize(("task", "after"), [(CONFIGURE, 0.4), (CONFIGURE, 0.8), (RESTART, 0.3), (RESTART, 0.9)])
def test_the_next_run_finishes_what_an_interrupted_one_began(everyone, playbook, task, after):
    change = {"redis_host_config": {"maxmemory": "80mb", "databases": 24, "appendonly": True, "maxclients": 12000}}
    playbook.run({"redis_host_config": {"appendonly": False}})
    fill(everyone)
    playbook.killed(change, task, after)
    faults.kill_modules(everyone.values())
    for instance in everyone.values():
        left = instance.run(
            "pgrep --list-full --full '[c]istern-shadow' || true; cat /tmp/cistern-shadow-*/*.conf 2>&1 || true"
        )
        assert "requirepass" not in left and "redis-server" not in left, "a shadow outlived its run"
    playbook.run(change)
    assert counts(everyone) == all_have(everyone)
    assert in_effect(everyone, "databases") == {"24"} and in_effect(everyone, "appendonly") == {"yes"}
    assert playbook.check(change).changed == 0


def test_the_next_run_finishes_an_interrupted_first_run(everyone, playbook):
    """Hosts as they come, a first run killed twice, the second time further on."""
    for instance in everyone.values():
        instance.run(f"systemctl disable --now {instance.unit}")
    for instance in everyone.values():
        instance.run("apt-get purge -qy redis-server redis-tools")
        instance.run("rm -rf /etc/redis /var/lib/redis /etc/systemd/system/redis*; systemctl daemon-reload")
    playbook.killed({}, "Install | Install the packages", after=0.5)
    # apt may have gone on without us: the second run waits for it, or finds the packages and configures
    playbook.killed({}, "Observe | Validate the inventory against the machines", after=1)
    playbook.run()
    assert playbook.check().changed == 0
    for instance in everyone.values():
        assert instance.redis().ping()
        assert not instance.host.file(f"{instance.conf}.before-cistern").exists, "the package's own file is no loss"


def test_a_file_written_by_hand_is_kept(everyone, playbook):
    for instance in everyone.values():
        instance.run(f"sed -i '/Written by Cistern/d; s/^timeout .*/timeout 5/' {instance.conf}")
    playbook.run()
    for instance in everyone.values():
        kept = instance.host.file(f"{instance.conf}.before-cistern")
        assert "timeout 5" in kept.content_string and (kept.user, kept.mode) == ("redis", 0o640)
        assert "timeout 300" in instance.run(f"cat {instance.conf}")
