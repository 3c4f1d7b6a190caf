"""redis.conf as text: what the server would read, what is kept of its own lines, what is hidden."""

import pytest
from ansible_collections.cistern.core.plugins.module_utils.host import secrets
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis_directives
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema

NASTY = [
    "plain",
    "",
    "two words",
    'a "quoted" word',
    "it's",
    "#1",
    "back\\slash",
    "ends with \\",
    "für dich ✓",
    "tab\there",
    "no-break\u00a0space",
    "next\u0085line",
    "'",
    '"',
]


@pytest.mark.parametrize("word", NASTY)
def test_what_the_controller_writes_is_what_a_host_reads(word):
    [line] = redis_directives.to_lines({"requirepass": word}, redis_schema.load())
    assert redis_conf.split_arguments(line) == ["requirepass", word]
    assert list(redis_conf.directives(line + "\r\n")) == [("requirepass", [word], line + "\r")]
    assert redis_conf.masked(line + "\n") == "requirepass (hidden)\n"


@pytest.mark.parametrize(
    "line, words",
    [
        ('save ""', ["save", ""]),
        ("a   b\tc", ["a", "b", "c"]),
        (r'x "\x41\n"', ["x", "A\n"]),
        ("a\u00a0b c\u2003", ["a\u00a0b", "c\u2003"]),
        (r"x 'it\'s \n'", ["x", r"it's \n"]),
        ('x "closed" then', ["x", "closed", "then"]),
        (r'x "\\" "\q\t\r\b\a"', ["x", "\\", "q\t\r\b\a"]),
        (r'x "\x4" "\xzz"', ["x", "x4", "xzz"]),
        (r"x 'a\b'", ["x", r"a\b"]),
        ("x a'b c'", ["x", "ab c"]),
        ("x a\vb\v c", ["x", "a\vb\v", "c"]),
        (" \v\fx", ["x"]),
    ],
)
def test_a_line_is_split_as_the_server_splits_it(line, words):
    assert redis_conf.split_arguments(line) == words


@pytest.mark.parametrize(
    "line",
    ['x "open', 'x "open\\"', 'x "closed"then', 'x "closed"t', "x 'open", 'x "open\\', "x 'open\\'", "x 'closed'then"],
)
def test_a_line_whose_quote_is_wrong_has_no_arguments(line):
    with pytest.raises(ValueError, match="quote"):
        redis_conf.split_arguments(line)
    assert list(redis_conf.directives(f"# x\n{line}\n")) == [("x", None, line)]


def test_the_last_value_counts_and_names_have_no_case():
    assert redis_conf.value("# port 1\nport 2\nPort 3\n", "port") == "3"
    assert redis_conf.value("save 1 1\n", "port", "none") == "none"


def test_the_servers_own_lines_are_kept():
    on_disk = (
        "port 1\nreplicaof 10.0.0.1 6379\nuser default on #abc ~* &* +@all\nuser app on #def ~* +get\nmaxmemory 5\n"
    )
    assert (
        redis_conf.with_server_lines("port 2\n", on_disk)
        == "port 2\nreplicaof 10.0.0.1 6379\nuser app on #def ~* +get\n"
    )


def test_secrets_are_hidden():
    text = 'port 1\nrequirepass "a b"\n# requirepass old\nmasterauth x\nuser app on >secret\ntls-key-file-pass p\n'
    shown = redis_conf.masked(text)
    assert not any(secret in shown for secret in ("a b", "masterauth x", ">secret", "pass p"))
    assert "port 1" in shown and shown.count(secrets.HIDDEN) == 4


def test_lines_are_taken_out_by_name():
    assert redis_conf.without("dir /a\nport 1\ndir /b\n", ["dir"]) == "port 1\n"


def test_a_line_that_is_not_ended_is_one_too():
    assert redis_conf.lines_of("a\n\nb") == ["a", "", "b"]
    assert redis_conf.lines_of("a\n\n") == ["a", ""] and redis_conf.lines_of("") == []


def test_a_directive_without_a_value_says_nothing():
    text = "dir\ndir /a\ndir\nrequirepass\n"
    assert redis_conf.value(text, "dir") == "/a" and redis_conf.value(text, "requirepass") is None
    assert redis_conf.masked(text) == text


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        ("port 1\n", ""),
        ("replicaof 10.0.0.1 6379\n", "10.0.0.1 6379"),
        ("slaveof Redis1.Example.COM. 6379\n", "redis1.example.com 6379"),
        ("slaveof 10.0.0.1 6379\nreplicaof 10.0.0.2 6379\n", "10.0.0.2 6379"),
        ("replicaof NO ONE\n", ""),
    ],
)
def test_whom_a_file_makes_the_server_a_replica_of(text, whom):
    assert redis_conf.replicaof(text) == whom


@pytest.mark.parametrize(
    ("follow", "more"),
    [
        (None, "replicaof 10.0.0.1 6379\nslaveof 10.0.0.2 6379\n"),
        ("10.0.0.3 6379", "replicaof 10.0.0.3 6379\n"),
        ("", ""),
    ],
)
def test_the_line_of_the_primary_is_kept_or_another_one(follow, more):
    on_disk = "replicaof 10.0.0.1 6379\nslaveof 10.0.0.2 6379\n"
    assert sorted(redis_conf.with_server_lines("port 2\n", on_disk, follow).splitlines(keepends=True)) == sorted(
        ("port 2\n" + more).splitlines(keepends=True)
    )


def test_of_users_those_of_the_server_are_kept():
    kept = 'user app on\nuser "broken on\n'
    on_disk = f"user default on\nuser cistern-a on\n{kept}"
    assert redis_conf.with_server_lines("user cistern-a off\n", on_disk, ours=["cistern-a"]) == (
        f"user cistern-a off\n{kept}"
    )


def test_where_the_paths_of_a_configuration_lead(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    text = f'dir {tmp_path}/link\ndbfilename dump.rdb\nappenddirname aof\nlogfile {tmp_path}//log\nunixsocket ""\n'
    assert redis_conf.paths(text) == {
        f"{tmp_path}/link": f"{tmp_path}/data",
        f"{tmp_path}/link/dump.rdb": f"{tmp_path}/data/dump.rdb",
        f"{tmp_path}/link/aof": f"{tmp_path}/data/aof",
        f"{tmp_path}/log": f"{tmp_path}/log",
    }
    assert redis_conf.paths("dbfilename dump.rdb\naclfile /a\n") == {"/a": "/a"}
