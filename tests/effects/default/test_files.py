"""Settings and users that come from files of the operator's own: what they say counts, and they let nobody else in."""

import hashlib
import shlex

import pytest
import redis
from keys import in_effect, restart

INCLUDED = "/etc/redis/local.conf"
# each instance has an ACL file of its own
ACL = "/etc/redis/{{ inventory_hostname }}.acl"


@pytest.fixture(scope="module")
def some(everyone):
    """An old server and a new one; what is tried here costs no host more."""
    return {name: everyone[name] for name in ("debian12-sessions", "debian13")}


@pytest.fixture
def run(playbook, some):
    """Run the playbook on these hosts alone."""
    return lambda more, fails=False: playbook.run(more, ["--limit", ",".join(some)], fails=fails)


def write(instance, path, text):
    instance.run(f"printf %s {shlex.quote(text)} > {path}; chown redis: {path}; chmod 0640 {path}")


def test_what_an_included_file_says_counts(some, run):
    for instance in some.values():
        write(instance, INCLUDED, "maxclients 500\nhz 20\n")
    change = {"redis_host_config": {"include": INCLUDED}}
    run(change)
    assert in_effect(some, "maxclients") == {"500"} and in_effect(some, "hz") == {"20"}
    # the points of the inventory stand, whatever is included
    assert all("900 1 300 10 60 10000" in text for text in in_effect(some, "save"))
    restart(some)
    for instance in some.values():
        instance.redis().config_rewrite()
    assert in_effect(some, "maxclients") == {"500"}
    assert run(change).changed == 0

    # what somebody changes there is drift, and is made so
    for instance in some.values():
        write(instance, INCLUDED, "maxclients 600\nhz 20\n")
    done = run(change)
    assert all("set while running: maxclients 500 -> 600" in done.steps(name) for name in some)
    for instance in some.values():
        write(instance, INCLUDED, "replicaof 127.0.0.1 1\n")
    done = run(change, fails=True)
    assert done.changed == 0 and f"{INCLUDED} line 1 has replicaof" in done.output


def says_to_a_stranger(instance):
    """Return what a server answers on its machine to one who brings no password."""
    try:
        instance.redis(password="").ping()
    except redis.RedisError as error:
        return str(error)
    return "PONG"


@pytest.fixture
def acl(some):
    """The user `default` of the inventory's password, and one of somebody else, in an ACL file for each instance."""
    paths = {name: ACL.replace("{{ inventory_hostname }}", name) for name in some}
    for name, instance in some.items():
        digest = hashlib.sha256(instance.vars["redis_password"].encode()).hexdigest()
        text = f"user default on #{digest} ~* &* +@all\nuser app on >of-the-application ~app:* +@read\n"
        write(instance, paths[name], text)
    yield paths
    for name, instance in some.items():
        instance.run(f"rm -f {paths[name]}")


def test_the_password_changes_in_an_acl_file_too_and_nobody_comes_in_without(some, run, acl):
    change = {"redis_host_config": {"aclfile": ACL}}
    run(change)
    assert in_effect(some, "aclfile") == set(acl.values())
    for instance in some.values():
        assert "uthentication required" in says_to_a_stranger(instance)
    assert run(change).changed == 0

    new = {**change, "redis_password": "another throw-away of molecule"}
    done = run(new)
    assert all("set the password of the user default while running" in done.steps(name) for name in some)
    for instance in some.values():
        instance.run(f"systemctl restart {instance.unit}")
        client = instance.redis(password=new["redis_password"])
        assert client.ping() and client.acl_getuser("app")
    # somebody lets everybody in: the next run closes the door, in the file too
    for instance in some.values():
        instance.redis(password=new["redis_password"]).acl_setuser("default", enabled=True, nopass=True)
        assert says_to_a_stranger(instance) == "PONG"
    done = run(new)
    assert done.changed and run(new).changed == 0
    assert not [instance for instance in some.values() if says_to_a_stranger(instance) == "PONG"]

    # a file that would let everybody in is refused before anything is changed
    for name, instance in some.items():
        write(instance, acl[name], "user app on >of-the-application ~app:* +@read\n")
    done = run(new, fails=True)
    assert done.changed == 0 and "lets everybody in as the user default" in done.output
    run({"redis_password": new["redis_password"]})
