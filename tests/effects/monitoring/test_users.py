"""The programs of a machine as users of its servers: made on it, with these rights alone."""

import instances
import pytest
import redis

NAME = "cistern-exporter"
PATH = f"/etc/cistern/{NAME}.password"


@pytest.fixture(autouse=True)
def as_the_inventory_says():
    """Each test here ends with a run of its own."""


@pytest.fixture
def one(everyone):
    """A replica: a primary that restarts on a busy machine may be one no more."""
    [primary] = instances.primaries(everyone)
    return next(each for each in everyone.values() if each is not primary)


def servers(instance):
    """Return the server and the Sentinel of a machine, as their administrators see them."""
    return {"redis": instance.direct(), "sentinel": instance.sentinel()}


def login(instance, port="redis_port", name=NAME):
    client = redis.Redis(
        host=instance.address,
        port=instance.vars[port],
        username=name,
        password=instance.run(f"cat {PATH}").strip(),
        decode_responses=True,
    )
    assert client.ping()
    return client


def users(client):
    return {entry.split()[1]: entry.split()[2:] for entry in client.execute_command("ACL", "LIST")}


def test_it_may_ask_and_nothing_else(everyone):
    for instance in everyone.values():
        client = login(instance)
        assert client.info()["redis_version"]
        client.slowlog_len()
        for words in (
            ["GET", "a"],
            ["SET", "a", "b"],
            ["KEYS", "*"],
            ["SCAN", "0"],
            ["EVAL", "return 1", "0"],
            ["CONFIG", "GET", "requirepass"],
            ["CONFIG", "SET", "maxmemory", "1mb"],
            ["ACL", "LIST"],
            ["ACL", "SETUSER", NAME, "+@all"],
            ["FLUSHALL"],
            ["SHUTDOWN"],
            ["REPLICAOF", "NO", "ONE"],
            ["MONITOR"],
            ["SLOWLOG", "RESET"],
            ["CLIENT", "LIST"],
            ["SUBSCRIBE", "a"],
        ):
            with pytest.raises(redis.ResponseError, match=r"(?i)no permissions"):
                client.execute_command(*words)


def test_it_may_ask_the_sentinel_and_nothing_else(everyone):
    for instance in everyone.values():
        client = login(instance, "redis_sentinel_port")
        assert client.execute_command("SENTINEL", "MASTERS")
        for words in (
            ["SENTINEL", "FAILOVER", "cache"],
            ["SENTINEL", "SET", "cache", "quorum", "1"],
            ["SENTINEL", "REMOVE", "cache"],
            ["SENTINEL", "MONITOR", "other", "127.0.0.1", "6379", "1"],
            ["SENTINEL", "CONFIG", "GET", "*"],
            ["SENTINEL", "RESET", "*"],
            ["ACL", "LIST"],
            ["SHUTDOWN"],
        ):
            with pytest.raises(redis.ResponseError, match=r"(?i)no permissions"):
                client.execute_command(*words)


def test_the_password_is_roots_and_of_each_machine(everyone):
    found = set()
    for instance in everyone.values():
        assert instance.run(f"stat --format '%U:%G %a' {PATH}") == "root:root 600"
        found.add(instance.run(f"cat {PATH}"))
        reads = instance.host.run(f"runuser -u nobody -- cat {PATH}; runuser -u redis -- cat {PATH}")
        assert reads.stdout == "" and reads.stderr.count("Permission denied") == 2
    assert len(found) == len(everyone) and all(len(text) == 64 for text in found)


def test_a_rewrite_and_a_restart_keep_it(playbook, one):
    one.redis().execute_command("CONFIG", "REWRITE")
    one.sentinel(seconds=60).execute_command("SENTINEL", "FLUSHCONFIG")
    assert f"user {NAME} " in one.run(f"cat {one.conf}")
    one.run(f"systemctl restart {one.unit} redis-sentinel.service")
    login(one)
    login(one, "redis_sentinel_port")
    assert playbook.run(name="redis").changed == 0


def test_what_somebody_changed_is_put_right(playbook, one):
    for client in servers(one).values():
        client.execute_command("ACL", "SETUSER", NAME, "+@all", "~*", ">another")
        client.execute_command("ACL", "SETUSER", "operator", "on", ">theirs", "+ping")
        client.execute_command("ACL", "SETUSER", "cistern-former", "on", ">x", "+ping")
    one.redis().execute_command("CONFIG", "REWRITE")
    one.sentinel(seconds=60).execute_command("SENTINEL", "FLUSHCONFIG")
    one.run(f"chmod 644 {PATH}; chown redis {PATH}")
    run = playbook.run(name="redis")
    assert one.run(f"stat --format '%U:%G %a' {PATH}") == "root:root 600"
    for step in (f"set the user {NAME} while running", "remove the user cistern-former"):
        assert run.steps(one.name).count(step) == 2
    for client in servers(one).values():
        assert "+@all" not in users(client)[NAME] and users(client)["operator"][0] == "on"
    assert "cistern-former" not in one.run(f"cat {one.conf} /etc/redis/sentinel.conf")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(host=one.address, username=NAME, password="another").ping()
    assert playbook.run(name="redis").changed == 0
    for client in servers(one).values():
        assert client.execute_command("ACL", "DELUSER", "operator")
    one.redis().execute_command("CONFIG", "REWRITE")
    one.sentinel(seconds=60).execute_command("SENTINEL", "FLUSHCONFIG")


def test_a_check_run_makes_no_password(playbook, one):
    one.run(f"mv {PATH} {PATH}.aside")
    try:
        run = playbook.check(name="redis")
        assert f"make the password of the user {NAME}" in run.steps(one.name)
        assert one.host.run(f"test -e {PATH}").failed
    finally:
        one.run(f"mv {PATH}.aside {PATH}")
