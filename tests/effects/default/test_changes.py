"""Settings change while clients work: what is set live, what restarts, what goes back."""

import contextlib

import pytest
import redis
from keys import all_have, counts, fill, in_effect, restart
from writer import Writer


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
        port = 7000 + len(instance.vars["redis_instance"])
        assert run.steps(name)[0].startswith("set while running: bind ")
        listens = instance.run("ss --listening --tcp --numeric --no-header").split()
        assert f"{instance.address}:{port}" in listens and f"127.0.0.1:{port}" in listens
        assert f"127.0.0.1:{instance.vars['redis_port']}" not in listens
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


def test_a_directive_taken_out_goes_back_to_the_servers_default(everyone, playbook):
    playbook.run({"redis_host_config": {"hz": 50, "slowlog-max-len": 7}})
    assert in_effect(everyone, "hz") == {"50"}
    run = playbook.run()
    assert run.changed == len(everyone)
    assert in_effect(everyone, "hz") == {"10"} and in_effect(everyone, "slowlog-max-len") == {"128"}


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
        assert new not in run.output and instance.vars["redis_password"] not in run.output
    restart(everyone)
    for instance in everyone.values():
        assert instance.redis(password=new).ping()
        with pytest.raises(redis.AuthenticationError):
            instance.redis().ping()
    assert {name: instance.pid() for name, instance in everyone.items()} != pids
    assert playbook.run({"redis_password": new}).changed == 0


def test_what_the_server_refuses_replaces_nothing(everyone, playbook):
    before = {name: instance.run(f"cat {instance.conf}") for name, instance in everyone.items()}
    run = playbook.run({"redis_host_config": {"loadmodule": "/nowhere/else.so"}}, fails=True)
    assert "refuses the new" in run.output and "nothing was replaced" in run.output
    assert {name: instance.run(f"cat {instance.conf}") for name, instance in everyone.items()} == before
    assert all(instance.redis().ping() for instance in everyone.values())


def test_no_library_is_needed_on_the_host(everyone, playbook):
    """As on a server that somebody has installed by hand, where the first check run decides whether we are trusted."""
    host = everyone["debian13"]
    change = {"redis_host_config": {"hz": 20, "databases": 32}}
    limit = ["--limit", str(host)]
    host.run("dpkg --remove --force-depends python3-redis 2>/dev/null || true")
    planned = playbook.check(change, limit).steps(str(host))
    assert [step for step in planned if "databases: 16 -> 32" in step]
    assert playbook.run(change, limit).steps(str(host)) == planned
    assert host.redis().config_get("hz", "databases") == {"hz": "20", "databases": "32"}
    assert not host.host.package("python3-redis").is_installed
    # the verbs of the cache need one, where there are key families
    assert playbook.run(options=limit, name="cache").changed and host.host.package("python3-redis").is_installed
    assert playbook.run(options=limit, name="cache").changed == 0
