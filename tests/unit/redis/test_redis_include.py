"""What a redis.conf includes counts where the server reads it; what an ACL file makes of the user `default`."""

import pytest
from ansible_collections.cistern.core.plugins.module_utils.redis import acl_file as redis_acl_file
from ansible_collections.cistern.core.plugins.module_utils.redis import commands as redis_commands
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.module_utils.redis import include as redis_include


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "local.conf").write_text("# a comment\nmaxclients 500\nappendonly yes\n", encoding="utf-8")
    (tmp_path / "a.conf").write_text(f'include "{tmp_path}/local.conf"\nmaxclients 600\n', encoding="utf-8")
    (tmp_path / "loop.conf").write_text(f"include {tmp_path}/loop.conf\n", encoding="utf-8")
    (tmp_path / "renames.conf").write_text("Rename-Command FLUSHALL x\n", encoding="utf-8")
    (tmp_path / "relative.conf").write_text("include local.conf\n", encoding="utf-8")
    (tmp_path / "nested.conf").write_text(f"include {tmp_path}/gone.conf\n", encoding="utf-8")
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
        ("renames.conf", "renames.conf line 1 has rename-command: write it into redis_config"),
        ("relative.conf", "relative.conf line 1 includes local.conf: where that lies depends on where the server is"),
        ("nested.conf", "gone.conf, which .*/nested.conf includes, cannot be read"),
    ],
)
def test_what_cannot_be_included(folder, name, says):
    with pytest.raises(redis_include.Unreadable, match=says):
        redis_include.expanded(f"include {folder}/{name}\n")


def test_a_file_that_the_server_may_not_read_is_told(folder):
    for above in [folder, *folder.parents][:4]:
        if str(above) not in ("/", "/tmp"):
            above.chmod(0o755)
    (folder / "local.conf").chmod(0o600)
    with pytest.raises(redis_include.Unreadable, match="cannot be read by the server: it is 0600 of root; let nobody"):
        redis_include.expanded(f"include {folder}/local.conf\n", user="nobody")
    (folder / "local.conf").chmod(0o644)
    assert "500" in redis_include.expanded(f"include {folder}/local.conf\n", user="nobody")


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
        (f"user default on #{SHA} ~* +@read", r"denies the user default .* \(the command ACL\)"),
        (f"user default on #{SHA} nopass +@all", "lets everybody in"),
        (f"user default on #{SHA} ~* &* +@all !{SHA}", "lets nobody in"),
        (f"user default on #{SHA} ~* &* +@all reset", "lets nobody in"),
        (f"user default on #{SHA} ~* &* +@all -config|set", "the command CONFIG"),
        (f"user default on #{SHA} ~* &* +@all -@dangerous", "the command ACL"),
        (f"user default on #{SHA} ~* &* +@all -psync", "the command PSYNC"),
        (f"user default on #{SHA} ~* &* +@all +acl -@admin", "the command ACL"),
        (f"user default on #{SHA} ~* +@all", "the channel __sentinel__:hello"),
        (f"user default on #{SHA} ~* &* -@all (+@all ~*)", "the command ACL"),
    ],
)
def test_a_default_that_is_no_use(line, says):
    with pytest.raises(redis_acl_file.Unusable, match=says):
        redis_acl_file.judge("/etc/redis/users.acl", redis_acl_file.of_default(line, channels=False), "sentinel")


def test_a_default_that_is_well():
    for line in (
        f"user default on #{SHA} ~* &* +@all",
        f"user default on nopass #{SHA} &__sentinel__:hello +@all -flushall -@geo",
        f"user default on #{SHA} &* +@all -@dangerous " + " +".join(["", *redis_commands.needed("sentinel")]),
        "  user default on >secret allkeys allchannels allcommands (+get ~x)\r",
    ):
        state = redis_acl_file.of_default(f"user a on >b\n{line}\n", channels=False)
        redis_acl_file.judge("users.acl", state, "sentinel")
        assert state["digests"] == {SHA}
    # without Sentinel nobody needs a channel
    redis_acl_file.judge("users.acl", redis_acl_file.of_default(f"user default on #{SHA} +@all", channels=False))


def test_a_shadow_is_asked_as_default_and_reads_every_line():
    text = redis_acl_file.for_shadow("# a comment\nuser default off +@all\nuser app on #aa ~app:* +@read\n")
    assert text.split("\n") == [
        "# a comment",
        "user cistern-default off +@all",
        "user app on #aa ~app:* +@read",
        "",
        "user default on nopass ~* +@all",
        "",
    ]


def test_what_the_server_says_of_a_file_is_told_of_that_file():
    says = (
        "7:M 27 Nov 2026 22:08:13.343 # Aborting Redis startup because of ACL errors: /proc/self/fd/5:1: Error in "
        "applying operation '+@foo': Unknown command or category name in ACL. WARNING: ACL errors detected, no change\n"
    )
    with pytest.raises(redis_acl_file.Unusable, match=r"would not start: users.acl:1: Error in applying .*'\+@foo'"):
        redis_acl_file.refuse_complaint(says, "/proc/self/fd/5", "users.acl")
    assert redis_acl_file.refuse_complaint("*** FATAL CONFIG FILE ERROR", "/proc/self/fd/5", "users.acl") is None


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("", False),
        (f"user default on #{SHA} ~* &* +@all", False),
        (f"user default on #aa #{SHA} ~* &* +@all", False),
        ("user default on nopass ~* &* +@all", True),
        ("user default on #aa ~* &* +@all", True),
        (f"user default off #{SHA} ~* &* +@all", True),
    ],
)
def test_a_line_of_default_in_a_redis_conf(line, wrong):
    assert redis_acl_file.contradicts(f"requirepass secret\n{line}\n", "secret") is wrong


def test_users_move_with_their_server(tmp_path):
    path = tmp_path / "users.acl"
    path.write_text(f"user default on #{SHA} +@all\nuser app on #aa +@read\n", encoding="utf-8")
    conf = "port 6379\nuser app on #aa +@read\n"
    redis_acl_file.refuse_lost_users("redis.conf", ["app", "default"], str(path))
    with pytest.raises(redis_acl_file.Unusable, match="lacks the users b, c of redis.conf"):
        redis_acl_file.refuse_lost_users("redis.conf", ["b", "app", "c"], str(path))
    assert redis_acl_file.with_users(conf, "", str(path)) == "port 6379\n"
    # and back: what the file had is in redis.conf then
    kept = redis_conf.with_server_lines("", redis_acl_file.with_users("port 6379\n", str(path), ""))
    assert kept == "user app on #aa +@read\n"


def test_a_file_that_everybody_reads_is_told(tmp_path):
    path = tmp_path / "users.acl"
    path.touch()
    path.chmod(0o644)
    assert "everybody can read it" in redis_acl_file.risks(str(path))[0]
    path.chmod(0o640)
    assert redis_acl_file.risks(str(path)) == []
