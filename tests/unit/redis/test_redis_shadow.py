"""What a shadow of the server is asked beside the meaning of a file."""

import pytest
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import shadow


class Server:
    def __init__(self, answer):
        self.answer = answer

    def info(self, _section):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        # Valkey's program says 8.1.1 of itself, its server this
        ({"redis_version": "7.2.4", "valkey_version": "8.1.1"}, "7.2.4"),
        # the file on disk renames INFO
        (redis_server.RedisError("ERR unknown command 'INFO'"), "8.1.1"),
    ],
)
def test_the_installed_version_is_the_one_that_clients_are_told(answer, version, tmp_path, monkeypatch):
    binary = tmp_path / "redis-server"
    binary.write_text("#!/bin/sh\necho Valkey server v=8.1.1 sha=0\n", encoding="utf-8")
    binary.chmod(0o755)
    monkeypatch.setattr(redis_server, "BINARY", str(binary))
    monkeypatch.setattr(redis_server, "running", lambda _client: {"port": "6379"})
    assert shadow._running(Server(answer), {}) == (version, {"port": "6379"})
