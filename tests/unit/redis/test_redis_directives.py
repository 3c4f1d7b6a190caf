"""The check of redis.conf by case files, and the text that comes out of it."""

from pathlib import Path

import pytest
from ansible_collections.cistern.core.plugins.module_utils.redis.conf import split_arguments
from ansible_collections.cistern.core.plugins.plugin_utils.redis import acl
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema
from case_files import Cases

SCHEMA = redis_schema.load()
CASES = Cases("redis/directives", "versions", "config", "message")
OF_VERSIONS = [(name, version) for name, case in CASES.read_all().items() for version in case["versions"]]


def test_there_are_cases():
    """An empty folder must not pass for a good one."""
    assert len(CASES) > 10


@pytest.mark.parametrize(("name", "version"), OF_VERSIONS, ids=[f"{name}-{version}" for name, version in OF_VERSIONS])
def test_case(name, version):
    """Each problem begins with a sentence of the case, in any order, and there is no other."""
    case = CASES.read(name)
    said = sorted(f"{one.key} {one.message}" for one in redis.problems(case["config"], SCHEMA, version))
    wanted = sorted(case["message"])
    assert len(said) == len(wanted), said
    for have, want in zip(said, wanted, strict=True):
        assert have.startswith(want)


@pytest.mark.parametrize(
    ("config", "lines"),
    [
        (
            {"appendonly": True, "rdbcompression": False, "port": 6379},
            ["appendonly yes", "port 6379", "rdbcompression no"],
        ),
        ({"save": []}, ['save ""']),
        ({"save": ""}, ['save ""']),
        ({"save": "900 1 300 10"}, ["save 900 1", "save 300 10"]),
        ({"save": ["900 1", [300, 10]]}, ["save 900 1", "save 300 10"]),
        ({"maxmemory": None}, []),
        ({"logfile": ""}, ['logfile ""']),
        ({"latency-tracking-info-percentiles": "50 99 99.9"}, ["latency-tracking-info-percentiles 50 99 99.9"]),
        ({"bind": ["127.0.0.1", "-::1"]}, ["bind 127.0.0.1 -::1"]),
        ({"bind": "127.0.0.1 -::1"}, ["bind 127.0.0.1 -::1"]),
        (
            {"rename-command": ['CONFIG ""', ["KEYS", "my keys"]]},
            ['rename-command CONFIG ""', 'rename-command KEYS "my keys"'],
        ),
        ({"user": 'app on ">pa ss" ~*'}, ['user app on ">pa ss" ~*']),
        ({"user": [["app", "on", '>"']]}, ['user app on ">\\""']),
        ({"requirepass": 'a "b" \\ #'}, ['requirepass "a \\"b\\" \\\\ #"']),
        ({"requirepass": "#é"}, ['requirepass "#é"']),
        (
            {"client-output-buffer-limit": "normal 0 0 0 replica 256mb 64mb 60"},
            ["client-output-buffer-limit normal 0 0 0", "client-output-buffer-limit replica 256mb 64mb 60"],
        ),
        ({"include": ["/b", "/a"], "appendonly": "no"}, ["include /b", "include /a", "appendonly no"]),
        ({"oom-score-adj-values": "0 200 800"}, ["oom-score-adj-values 0 200 800"]),
    ],
)
def test_lines(config, lines):
    """The text of redis.conf."""
    assert redis.to_lines(config, SCHEMA) == lines


@pytest.mark.parametrize(
    "argument", ["", " ", "a b", '"', "'", "\\", "\\x41", "a\\", '\\"', "tab\t", "\x01", "#x", "é☃", "a\nb", "\udcff"]
)
def test_quoting_is_read_back(argument):
    """What is quoted splits into the same argument, alone and between others."""
    assert split_arguments(redis.quote(argument)) == [argument]
    assert split_arguments(f"x {redis.quote(argument)} y") == ["x", argument, "y"]


@pytest.mark.parametrize(
    ("size", "number"),
    [("256mb", 268435456), ("1k", 1000), ("1KB", 1024), (5, 5), ("2g", 2000000000), ("0", 0), ("7b", 7)],
)
def test_size(size, number):
    """Sizes as the server counts them."""
    assert redis.size_in_bytes(size) == number


@pytest.mark.parametrize("size", ["", "mb", "1t", "1.5gb", "-1", "1 mb", True, "٣"])
def test_no_size(size):
    """Sizes that the server does not know."""
    with pytest.raises(ValueError, match="must be a size such as 256mb"):
        redis.size_in_bytes(size)


@pytest.mark.parametrize(
    ("name", "version", "live"),
    [
        ("maxmemory", "6.0", True),
        ("port", "6.0", False),
        ("port", "6.2", True),
        ("bind", "7.0.15", True),
        ("disable-thp", "6.2", True),
        ("disable-thp", "7.0", False),
        ("dir", "6.2", True),
        ("dir", "7.0", False),
        ("slaveof", "7.0", False),
        ("rename-command", "8.0", False),
        ("lua-time-limit", "7.0", True),
        ("io-threads", None, False),
        ("nonsense", "7.0", False),
        ("databases", "valkey 8.0", False),
    ],
)
def test_live(name, version, live):
    """What CONFIG SET can change."""
    assert redis.is_live(name, SCHEMA, version) is live


@pytest.mark.parametrize(
    ("name", "version", "value"),
    [
        ("repl-diskless-sync", "6.2", "no"),
        ("repl-diskless-sync", "7.0", "yes"),
        ("repl-backlog-size", "8.0", "1048576"),
        ("repl-backlog-size", "valkey 8.0", "10485760"),
        ("slave-priority", "7.0", "100"),
        ("user", "7.0", None),
        ("maxmemory", None, "0"),
        # of a version that is not known, the newest of Redis counts
        ("repl-backlog-size", None, "1048576"),
    ],
)
def test_default(name, version, value):
    """What CONFIG GET says when the file is silent."""
    assert redis.default(name, SCHEMA, version) == value


def test_a_part_is_judged_by_itself():
    """A layer of the inventory is no whole: what it lacks may stand in another."""
    assert redis.problems({"tls-port": 6380}, SCHEMA, "7.0", together=False) == []


def test_secrets_are_hidden():
    """Neither a value nor a sentence shows a secret."""
    found = redis.problems(
        {"requirepass": "hunter2\n", "user": "a >hunter2 <x", "rename-command": "keys hunter2 x"}, SCHEMA, "7.0"
    )
    assert len(found) == 3
    assert "hunter2" not in str(found)


def test_schema_is_sorted_and_known():
    """Each line has a known shape, in the order of names."""
    keys = {
        "alias",
        "type",
        "secret",
        "values",
        "count",
        "min",
        "max",
        "default",
        "live",
        "since",
        "until",
        "valkey",
        "many",
        "file_only",
        "package",
    }
    assert list(SCHEMA) == sorted(SCHEMA)
    for name, line in SCHEMA.items():
        assert set(line) <= keys, name
        assert line.get("alias", name) in SCHEMA
        assert "alias" in line or {"type", "live"} <= set(line), name


def series_of(line):
    """Yield the series that a line of the schema names."""
    for key, value in line.items():
        if isinstance(value, dict):
            yield from value
        elif key in ("since", "until") or (key == "live" and isinstance(value, str)):
            yield value


def test_a_series_that_is_named_is_covered():
    """Of one that is not, a host whose version is not known would be refused everything."""
    named = {series for line in SCHEMA.values() for series in series_of(line)}
    commands = {f"{major}.{minor}" for table in (acl.COMMANDS, acl.MODULE_COMMANDS) for major, minor in table}
    assert len(named) > 3 and named | commands <= {*redis_schema.SERIES, "valkey"}


def test_what_is_covered_is_told():
    covered = f"Covered: Redis {', '.join(redis_schema.SERIES)} and Valkey 8.0."
    assert covered in redis_schema.DATA.read_text(encoding="utf-8")
    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
    assert f"Redis {redis_schema.SERIES[0]} to {redis_schema.SERIES[-1]}, Valkey 8," in readme


def test_another_name_of_a_directive_leads_to_one_that_is_no_other_name():
    aliases = redis_schema.aliases()
    assert aliases["slave-priority"] == "replica-priority" and len(aliases) > 10
    assert all("alias" not in SCHEMA[name] for name in aliases.values())
