"""How a server is taken off its machine."""

import types

import pytest
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.redis.removal.plan import describe, plan

DROP_IN = "/etc/systemd/system/redis-server.service.d/cistern.conf"
WANT = {
    "unit": "redis-server.service",
    "conf": "/etc/redis/redis.conf",
    "files": [DROP_IN],
    "data": False,
    "deployment": {},
}
DEPLOYMENT = {"name": "cache", "me": "192.0.2.1 6379"}


def have(**more):
    return {
        "unit": {"active": "active", "enabled": "enabled"},
        "files": ["/etc/redis/redis.conf", DROP_IN],
        "data": ["/var/lib/redis/dump.rdb"],
        "decision": None,
        **more,
    }


def decision(primary, settled=True):
    return types.SimpleNamespace(primary=primary, settled=settled, why="A failover goes on")


def steps(want=None, **more):
    return [describe(step) for step in plan({**WANT, **(want or {})}, have(**more))]


STOPPED = [
    "stop redis-server.service",
    "disable redis-server.service",
    "set aside /etc/redis/redis.conf",
    f"delete {DROP_IN}",
    "reload units",
]


def test_its_data_stays_unless_it_is_to_go():
    assert steps() == STOPPED
    assert steps({"data": True}) == [*STOPPED, "delete /var/lib/redis/dump.rdb"]


@pytest.mark.parametrize("active", ["inactive", "failed"])
def test_one_that_does_not_run_is_not_stopped(active):
    assert steps(unit={"active": active, "enabled": "enabled"}) == STOPPED[1:]


def test_one_that_starts_over_and_over_is_stopped():
    assert steps(unit={"active": "activating", "enabled": "disabled"})[0] == "stop redis-server.service"


def test_a_second_run_has_nothing_to_do():
    assert steps(unit={"active": "inactive", "enabled": "disabled"}, files=[]) == []


def test_units_are_read_again_where_a_file_of_theirs_goes():
    assert steps(files=["/etc/redis/redis.conf"])[-1] == "set aside /etc/redis/redis.conf"


def test_a_primary_whose_deployment_stays_is_not_stopped():
    with pytest.raises(Refused, match="It is the primary of cache. Make another one primary first"):
        steps({"deployment": DEPLOYMENT}, decision=decision("192.0.2.1 6379"))


def test_nothing_is_stopped_while_nobody_can_say_who_is_primary():
    with pytest.raises(Refused, match="A failover goes on. Nothing was removed"):
        steps({"deployment": DEPLOYMENT}, decision=decision(None, settled=False))


@pytest.mark.parametrize("active", ["active", "inactive"])
def test_a_replica_goes_and_so_does_what_has_stopped_before(active):
    primary = "192.0.2.2 6379" if active == "active" else "192.0.2.1 6379"
    unit = {"active": active, "enabled": "enabled"}
    assert steps({"deployment": DEPLOYMENT}, decision=decision(primary), unit=unit)[-1] == "reload units"
