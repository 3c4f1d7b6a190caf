"""A primary and its replicas: who is primary is the servers' business, and no key is ever dropped for a role."""

import time

import instances
import pytest
from keys import KEYS

SCENARIO = instances.ROOT / "molecule/redis_replication"
JOINED = SCENARIO / "joined.yml"


def role(instance):
    return instance.redis().execute_command("ROLE")[0]


def primary(everyone):
    [found] = [instance for instance in everyone.values() if role(instance) == "master"]
    return found


def fill(instance, count=KEYS):
    pipeline = instance.redis().pipeline(transaction=False)
    for number in range(count):
        pipeline.set(f"user_profile:{number}", number)
    pipeline.execute()


def wait_for(everyone, count=KEYS):
    until = time.monotonic() + 20
    while {instance.redis().dbsize() for instance in everyone.values()} != {count}:
        assert time.monotonic() < until, {name: instance.redis().dbsize() for name, instance in everyone.items()}
        time.sleep(0.1)


@pytest.fixture
def joined(inventory):
    """The instances of the inventory, with the fourth host in the deployment."""
    found = instances.read([inventory, str(JOINED)])
    yield found
    instances.close(found)


def make_primary(new, everyone):
    """What an operator would do by hand, and what nobody told the inventory."""
    new.redis().execute_command("REPLICAOF", "NO", "ONE")
    for instance in everyone.values():
        if instance is not new:
            instance.redis().execute_command("REPLICAOF", new.vars["redis_address"], new.vars["redis_port"])
        instance.redis().config_rewrite()
    wait_until_linked(everyone)


def wait_until_linked(everyone):
    until = time.monotonic() + 20
    while any(
        instance.redis().info("replication").get("master_link_status", "up") != "up" for instance in everyone.values()
    ):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_run_leaves_the_primary_that_it_finds(everyone, playbook):
    first = primary(everyone)
    other = next(instance for instance in everyone.values() if instance is not first)
    fill(first)
    wait_for(everyone)
    make_primary(other, everyone)
    other.redis().set("written", "after")
    assert playbook.check().changed == 0
    assert playbook.run().changed == 0
    assert playbook.run({"redis_initial_primary": first.name}).changed == 0
    assert primary(everyone) is other and other.redis().get("written") == "after"
    wait_for(everyone, KEYS + 1)


def test_a_replica_that_follows_nobody_is_told_and_brought_back(everyone, playbook):
    lost = next(instance for instance in everyone.values() if role(instance) != "master")
    lost.redis().execute_command("REPLICAOF", "NO", "ONE")
    assert playbook.check().steps(lost.name)[0].startswith("replicate ")
    playbook.run()
    assert role(lost) == "slave" and playbook.check().changed == 0


def test_keys_of_its_own_are_not_replaced(everyone, playbook):
    lost = next(instance for instance in everyone.values() if role(instance) != "master")
    lost.redis().execute_command("REPLICAOF", "NO", "ONE")
    lost.redis().set("of its own", 1)
    run = playbook.run(fails=True)
    assert "1 keys, which joining feed as a replica of" in " ".join(run.output.split())
    assert lost.redis().get("of its own") == "1"
    lost.redis().flushall()


def test_keys_are_not_given_up_to_a_primary_that_is_away(everyone, playbook):
    """A replica waits for it; the third server has a history of its own, and who has its keys cannot be asked."""
    first = primary(everyone)
    other = next(instance for instance in everyone.values() if instance is not first)
    other.redis().execute_command("REPLICAOF", "NO", "ONE")
    other.redis().set("of its own", 1)
    other.redis().config_rewrite()
    # a server that starts as a primary forgets whose data it had before the last
    other.run(f"systemctl restart {other.unit}")
    first.run(f"systemctl stop {first.unit}")
    run = playbook.run(options=["--limit", other.name], fails=True)
    assert f"and {first.name}, whose replica it would be, does not answer" in " ".join(run.output.split())
    assert role(other) == "master" and other.redis().get("of its own") == "1"
    first.run(f"systemctl start {first.unit}")
    other.redis().flushall()


def test_a_primary_that_would_come_back_empty_is_refused(everyone, playbook):
    first = primary(everyone)
    fill(first)
    wait_for(everyone)
    first.run(f"systemctl stop {first.unit}; rm -rf {first.vars['redis_data_dir']}/* {first.conf}")
    run = playbook.run(fails=True)
    assert "would start empty, and its replicas would drop their keys" in " ".join(run.output.split())
    others = {name: instance for name, instance in everyone.items() if instance is not first}
    wait_for(others)
    # what the message says to do
    new = next(iter(others.values()))
    new.redis().execute_command("REPLICAOF", "NO", "ONE")
    playbook.run()
    assert primary(everyone) is new
    wait_for(everyone)


def test_all_of_them_stopped_come_back_in_their_parts(everyone, playbook):
    first = primary(everyone)
    new = next(instance for instance in everyone.values() if instance is not first)
    make_primary(new, everyone)
    fill(new)
    wait_for(everyone)
    for instance in everyone.values():
        instance.run(f"systemctl stop {instance.unit}")
    playbook.run()
    assert primary(everyone) is new
    wait_for(everyone)
    assert playbook.check().changed == 0


def test_a_host_joins_the_present_primary_and_leaves(everyone, joined, playbook):
    first = primary(everyone)
    new = next(instance for instance in everyone.values() if instance is not first)
    make_primary(new, everyone)
    fill(new)
    also = ["--inventory", str(JOINED)]
    playbook.run(options=also)
    fourth = joined["feed4"]
    wait_for({"feed4": fourth})
    assert fourth.redis().execute_command("ROLE")[1] == new.vars["redis_address"]
    assert playbook.run(options=also).changed == 0
    refused = playbook.run({"redis_remove": new.name}, also, fails=True, name="redis_remove")
    assert "It is the primary of feed. Make another one primary first" in " ".join(refused.output.split())
    assert playbook.check({"redis_remove": "feed4"}, also, "redis_remove").changed == 1
    playbook.run({"redis_remove": "feed4"}, also, name="redis_remove")
    assert fourth.host.run(f"systemctl is-active {fourth.unit}").stdout.strip() == "inactive"
    assert fourth.host.file(f"{fourth.conf}.removed").mode == 0o640 and not fourth.host.file(fourth.conf).exists
    assert fourth.host.file("/var/lib/redis/dump.rdb").exists, "its data stays"
    assert playbook.run({"redis_remove": "feed4"}, also, name="redis_remove").changed == 0
    playbook.run({"redis_remove": "feed4", "redis_remove_data": True}, also, name="redis_remove")
    assert not fourth.host.file("/var/lib/redis/dump.rdb").exists
    assert playbook.run().changed == 0
    wait_for(everyone)


def test_a_rolling_restart_stops_at_the_first_failure(everyone, playbook):
    fill(primary(everyone))
    wait_for(everyone)
    pids = {name: instance.pid() for name, instance in everyone.items()}
    broken = min((instance for instance in everyone.values() if role(instance) != "master"), key=lambda each: each.name)
    folder = f"/etc/systemd/system/{broken.unit}.d"
    broken.run(f"printf '[Service]\\nExecStartPre=/bin/false\\n' > {folder}/broken.conf; systemctl daemon-reload")
    playbook.run({"redis_restart": "feed"}, fails=True, name="redis_restart")
    others = {name: instance for name, instance in everyone.items() if instance is not broken}
    assert {name: instance.pid() for name, instance in others.items()} == {name: pids[name] for name in others}
    # one is missing, so no other goes either
    second = playbook.run({"redis_restart": "feed"}, ["--limit", ",".join(others)], fails=True, name="redis_restart")
    assert f"{broken.name} does not answer" in " ".join(second.output.split())
    assert {name: instance.pid() for name, instance in others.items()} == {name: pids[name] for name in others}
    broken.run(f"rm {folder}/broken.conf; systemctl daemon-reload")
    playbook.run()
    first = primary(everyone)
    playbook.run({"redis_restart": "feed"}, name="redis_restart")
    assert all(instance.pid() != pids[name] for name, instance in everyone.items())
    assert primary(everyone) is first
    wait_for(everyone)


def test_a_new_password_keeps_the_links(everyone, playbook):
    new = "another throw-away of molecule"
    playbook.run({"redis_password": new})
    # a replica that has to connect again knows it
    for instance in everyone.values():
        client = instance.redis(password=new)
        if client.execute_command("ROLE")[0] == "slave":
            client.execute_command("CLIENT", "KILL", "TYPE", "master")
    until = time.monotonic() + 20
    while any(
        instance.redis(password=new).info("replication").get("master_link_status", "up") != "up"
        for instance in everyone.values()
    ):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert playbook.check({"redis_password": new}).changed == 0
