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
    ],
)
def test_a_line_is_split_as_the_server_splits_it(line, words):
    assert redis_conf.split_arguments(line) == words


@pytest.mark.parametrize("line", ['x "open', 'x "closed"then', 'x "closed"t', "x 'open"])
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
