"""What the doctor looks for on a host, of its variables and of what the roles derive from them."""

import types

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import expected


class HostVars(dict):
    raw_get = dict.get


def variables(role, **variables):
    loader = DataLoader()
    action = types.SimpleNamespace(_loader=loader, _templar=Templar(loader))
    hostvars = HostVars(a={"ansible_host": "192.0.2.1", "inventory_hostname": "a", **variables})
    return expected.Variables(action, {"hostvars": hostvars, "groups": {}}, "a", role)


def test_what_a_role_derives_is_worked_out_with_the_variables_of_the_host():
    found = expected.redis(variables("redis", redis_instance="sessions", redis_port=6380, redis_password="sesame"))
    assert found["unit"] == "redis-server@sessions.service"
    assert (found["port"], found["password"]) == (6380, "sesame")
    assert "sessions" in found["conf"] and "sessions" in found["folder"] and "sessions" in found["log"]


@pytest.mark.parametrize(
    ("bind", "addresses"),
    [
        ("10.0.0.1", ["10.0.0.1"]),
        (["127.0.0.1", "10.0.0.1"], ["127.0.0.1", "10.0.0.1"]),
        (["0.0.0.0", "127.0.0.1"], ["127.0.0.1"]),
    ],
)
def test_a_server_is_called_where_it_listens(bind, addresses):
    assert expected.addresses(bind) == addresses


def test_of_a_host_with_nothing_of_ours_the_root_is_looked_at():
    inventory = {"deployments": {}, "sentinels": {}, "cluster": {}}
    assert expected.of_host(None, {"groups": {}, "hostvars": {}}, "a", inventory) == {"folders": ["/"]}
