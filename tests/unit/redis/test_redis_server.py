"""What is taken for a server that is installed."""

import getpass

import pytest
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server


@pytest.mark.parametrize(("user", "version"), [(getpass.getuser(), "7.0.15"), ("nobody-has-this-name", "")])
def test_a_package_that_is_only_unpacked_is_not_installed(user, version, tmp_path, monkeypatch):
    binary = tmp_path / "redis-server"
    binary.write_text("#!/bin/sh\necho Redis server v=7.0.15 sha=0\n", encoding="utf-8")
    binary.chmod(0o755)
    monkeypatch.setattr(redis_server, "BINARY", str(binary))
    monkeypatch.setattr(redis_server, "USER", user)
    assert redis_server.installed_version() == version
