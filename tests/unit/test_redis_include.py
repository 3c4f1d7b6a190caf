"""What a redis.conf includes counts where the server reads it; what an ACL file makes of the user `default`."""

import pytest
from ansible_collections.cistern.core.plugins.module_utils import redis_acl_file, redis_conf, redis_include


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "local.conf").write_text("# a comment\nmaxclients 500\nappendonly yes\n", encoding="utf-8")
    (tmp_path / "a.conf").write_text(f'include "{tmp_path}/local.conf"\nmaxclients 600\n', encoding="utf-8")
    (tmp_path / "loop.conf").write_text(f"include {tmp_path}/loop.conf\n", encoding="utf-8")
    (tmp_path / "replica.conf").write_text("\nreplicaof 10.0.0.1 6379\n", encoding="utf-8")
    return tmp_path


def test_what_is_included_counts_where_it_stands(folder):
    text = redis_include.expanded(f"maxclients 400\nINCLUDE {folder}/a.conf\nport 6380\n")
    assert redis_conf.value(text, "maxclients") == "600" and redis_conf.value(text, "appendonly") == "yes"
    assert redis_conf.value(redis_include.expanded(f"include {folder}/local.conf\nmaxclients 7\n"), "maxclients") == "7"
    assert "include" not in text.lower()


def test_a_pattern_stands_for_all_its_files_and_none_is_none(folder):
    (folder / "z").mkdir()
    for number in (2, 1):
        (folder / "z" / f"{number}.conf").write_text(f"hz {number}0\n", encoding="utf-8")
    assert redis_conf.value(redis_include.expanded(f"include {folder}/z/*.conf\n"), "hz") == "20"
    assert redis_include.expanded(f"include {folder}/nobody/*.conf\n") == ""


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing.conf", "missing.conf, which include in redis_config names, cannot be read"),
        ("loop.conf", "includes itself"),
        ("replica.conf", "replica.conf line 2 has replicaof: leave it out, the servers know who is primary"),
    ],
)
def test_what_cannot_be_included(folder, name, says):
    with pytest.raises(redis_include.Unreadable, match=says):
        redis_include.expanded(f"include {folder}/{name}\n")


SHA = redis_acl_file.digest("secret")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "lets everybody in"),
        ("user other on >x ~* +@all", "lets everybody in"),
        ("user default on nopass ~* +@all", "lets everybody in"),
        ("user default off #aa ~* +@all", "lets nobody in"),
        ("user default off nopass", "lets nobody in"),
        ("user default on ~* +@all", "lets nobody in"),
        (f"user default on #{SHA} ~* +@read", "denies the user default commands"),
        (f"user default on nopass #{SHA} +@all", "lets everybody in"),
    ],
)
def test_a_default_that_is_no_use(line, says):
    with pytest.raises(redis_acl_file.Unusable, match=says):
        redis_acl_file.judge("/etc/redis/users.acl", redis_acl_file.of_default(line))


def test_a_default_that_is_well():
    for line in (f"user default on #{SHA} ~* &* +@all", "user default on >secret allkeys allcommands"):
        state = redis_acl_file.of_default(f"user a on >b\n{line}\n")
        redis_acl_file.judge("users.acl", state)
        assert state["digests"] == {SHA}


def test_a_shadow_is_asked_as_default_and_has_the_other_users():
    text = redis_acl_file.for_shadow("user default off\nuser app on #aa ~app:* +@read\n")
    assert text == "user app on #aa ~app:* +@read\nuser default on nopass ~* +@all\n"
