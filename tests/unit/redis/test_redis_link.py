"""The connection to a server of this machine: beside what was found of it, and another one after a restart."""

import pytest
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis.instance import apply as instance
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel import apply as sentinel


class Server:
    def __init__(self):
        self.commands = []

    def execute_command(self, *words):
        self.commands.append(words)

    def info(self, *_sections):
        return {}


@pytest.fixture
def link():
    made = redis_server.Link()
    made.client = Server()
    return made


def test_an_instance_is_reached_anew_after_its_restart(link, monkeypatch, tmp_path):
    old, new = link.client, Server()
    monkeypatch.setattr(instance.unit_start, "run", lambda *_words: None)
    monkeypatch.setattr(instance, "_reconnect", lambda _want: new)
    have = {"running": {"dir": str(tmp_path), "dbfilename": "dump.rdb"}, "wanted": {}}
    instance.apply({"do": "restart", "unit": "redis-server.service", "why": [], "carry": True}, {}, have, link)
    assert old.commands == [("CONFIG", "SET", "save", "3600 1")] and link.client is new
    instance.apply({"do": "replicate", "of": "10.0.0.1 6379", "have": "primary"}, {}, have, link)
    assert new.commands == [("REPLICAOF", "10.0.0.1", "6379")]


def test_a_sentinel_is_reached_anew_after_its_restart(link, monkeypatch):
    old, new = link.client, Server()
    monkeypatch.setattr(sentinel.unit_start, "run", lambda *_words: None)
    monkeypatch.setattr(sentinel.systemd, "do", lambda *_words: None)
    monkeypatch.setattr(sentinel, "_edit", lambda _want, _have: "")
    monkeypatch.setattr(sentinel, "_log", lambda _want: "")
    monkeypatch.setattr(sentinel, "_reconnect", lambda _want: new)
    monkeypatch.setattr(sentinel, "quorum", lambda client, _name: "" if client in (old, new) else "nobody")
    have = {"monitors": {"cache": {}}, "version": "7.0.15", "running_version": "7.0.15"}
    sentinel.apply({"do": "restart", "phase": "restart", "unit": "redis-sentinel.service", "why": []}, {}, have, link)
    assert old.commands == [("SENTINEL", "FLUSHCONFIG")] and link.client is new
    sentinel.apply({"do": "unmonitor", "phase": "change", "name": "cache"}, {}, have, link)
    assert new.commands == [("SENTINEL", "REMOVE", "cache")]
