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


def test_where_a_sentinel_is_comes_of_its_own_variables():
    found = expected.sentinel(variables("redis", redis_sentinel_bind=["::"], redis_sentinel_password="sesame"))
    assert found == {
        "unit": "redis-sentinel.service",
        "conf": "/etc/redis/sentinel.conf",
        "log": "/var/log/redis/redis-sentinel.log",
        "addresses": ["::1"],
        "port": 26379,
        "password": "sesame",
    }


def test_what_a_node_has_is_called_after_its_version_and_its_cluster():
    mine = variables("citus", postgresql_version="17", citus_cluster="main", citus_bind=["10.0.0.1"], citus_port=5433)
    assert expected.citus(mine) == (
        {
            "unit": "postgresql@17-main.service",
            "log": "/var/log/postgresql/postgresql-17-main.log",
            "addresses": ["10.0.0.1"],
            "port": 5433,
            "certificates": ["/etc/ssl/cistern-citus/node.crt", "/etc/ssl/cistern-citus/ca.crt"],
        },
        "/var/lib/postgresql/17/main",
    )


def test_of_a_host_what_its_groups_have_is_looked_for():
    def looked_for(sentinels=(), **groups):
        groups = {group: ["a"] for group in groups}
        host = {
            "inventory_hostname": "a",
            "postgresql_version": "17",
            "redis_password": "sesame",
            "redis_sentinel_password": "sesame",
        }
        task_vars = {"hostvars": HostVars(a=host), "groups": groups}
        loader = DataLoader()
        action = types.SimpleNamespace(_loader=loader, _templar=Templar(loader))
        found = expected.of_host(action, task_vars, "a", {"deployments": {}, "sentinels": sentinels, "cluster": {}})
        return [part for part in found if part != "folders"], found["folders"]

    assert looked_for() == ([], ["/"])
    assert looked_for(redis=True) == (["redis"], ["/var/lib/redis", "/var/log/redis"])
    assert looked_for(["a"]) == (["sentinel"], ["/"])
    assert looked_for(["b"], citus=True) == (["citus"], ["/var/lib/postgresql/17/citus"])
    assert looked_for(app=True) == (["app"], ["/"])


def test_of_the_env_of_an_application_the_computed_keys_are_expected(monkeypatch):
    values = {
        "REDIS_URL": "redis://a",
        "REDIS_PASSWORD": "sesame",
        "DATABASE_URL": "postgresql://a",
        "LOG_LEVEL": "info",
    }
    told = []

    def file(*words):
        told.append(words)
        return {"path": "/srv/app/.env", "values": values}

    monkeypatch.setattr(expected.app_env, "file", file)
    found = expected.application("a", {"a": {}}, {"deployments": {"cache": {}}, "cluster": {"nodes": []}})
    assert told == [("a", {"a": {}}, {"cache": {}}, {}, {"nodes": []})]
    assert found == {
        "path": "/srv/app/.env",
        "values": {"REDIS_URL": "redis://a"},
        "secrets": {"REDIS_PASSWORD": "sesame", "DATABASE_URL": "postgresql://a"},
    }


@pytest.mark.parametrize(("says", "path"), [({}, "/srv/app/.env"), ({"app_env_path": "/opt/.env"}, "/opt/.env")])
def test_of_an_env_that_the_inventory_cannot_tell_only_the_place_is_known(says, path, monkeypatch):
    def file(*_words):
        raise expected.Wrong("app_env_deployment is missing")

    monkeypatch.setattr(expected.app_env, "file", file)
    found = expected.application("a", {"a": says}, {"deployments": {}, "cluster": {}})
    assert found == {"path": path, "values": {}, "secrets": {}}


def test_a_machine_is_its_address_and_its_port():
    hostvars = {"a": {"ansible_host": "192.0.2.1"}, "b": {"ansible_host": "192.0.2.1", "ansible_port": 2222}, "c": {}}
    found = [expected.machine({"hostvars": hostvars}, host) for host in hostvars]
    assert found == ["192.0.2.1 22", "192.0.2.1 2222", "c 22"]
