"""What stands in the way on a machine is told before anything is changed there, and in a check run too."""

import pytest

UNIT = "somebody-else.service"
# one each for the instances of a machine
PORT = {"redis_port": "{{ 6400 + redis_instance | length }}"}
SERVER = "python3 -c 'import socket, time; s = socket.create_server((\"0.0.0.0\", 6400)); time.sleep(600)'"


@pytest.fixture
def lone(everyone):
    return next(instance for instance in everyone.values() if not instance.vars["redis_instance"])


@pytest.fixture
def server(lone):
    """A server of somebody else on port 6400, as a user of its own."""
    lone.run(f"systemd-run --unit {UNIT} --uid nobody --working-directory /var/lib {SERVER}")
    lone.run("until ss --listening --tcp --numeric --no-header | grep -q ':6400 '; do sleep 0.1; done")
    yield
    lone.run(f"systemctl stop {UNIT}")


@pytest.mark.parametrize("options", [["--check"], []])
def test_a_port_of_somebody_elses_server(lone, server, playbook, options):
    before = lone.run(f"cat {lone.conf}"), lone.pid()
    told = playbook.run(PORT, ["--limit", lone.name, *options], fails=True)
    words = " ".join(told.output.split())
    assert f"port 6400 of {lone.name} is served by {UNIT}" in words and "data in /var/lib)" in words
    assert f"systemctl disable --now {UNIT}" in words and "write another redis_port" in words
    assert (lone.run(f"cat {lone.conf}"), lone.pid()) == before and told.changed == 0


def test_an_address_that_the_machine_does_not_have(lone, playbook):
    before = lone.run(f"cat {lone.conf}"), lone.pid()
    told = playbook.run({"redis_bind": ["127.0.0.1", "203.0.113.11"]}, ["--limit", lone.name], fails=True)
    words = " ".join(told.output.split())
    address = lone.vars["ansible_host"]
    assert f"{lone.name} has no address 203.0.113.11 (it has {address})" in words
    assert f"write redis_bind: [127.0.0.1, {address}]" in words
    assert (lone.run(f"cat {lone.conf}"), lone.pid()) == before


def test_a_server_that_does_not_start_is_stopped_and_says_why(lone, playbook):
    lone.run(f"systemctl stop {lone.unit}; mv /var/lib/redis/dump.rdb /var/lib/redis/kept 2>/dev/null; true")
    lone.run("echo 'no snapshot' > /var/lib/redis/dump.rdb; chown redis: /var/lib/redis/dump.rdb")
    told = playbook.run({}, ["--limit", lone.name], fails=True)
    assert "Wrong signature trying to load DB" in told.output
    assert lone.host.run(f"systemctl is-active {lone.unit}").stdout.strip() == "inactive"
    lone.run("rm /var/lib/redis/dump.rdb; mv /var/lib/redis/kept /var/lib/redis/dump.rdb 2>/dev/null; true")
    playbook.run()
    assert lone.redis().ping()
