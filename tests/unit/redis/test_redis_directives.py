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


# Of each type what a server takes, at its bounds too, and what it does not; of 7.2, or of the version that is named.
ACCEPTED = [
    ("timeout", 0),
    ("timeout", 2147483647),
    ("acllog-max-len", 9223372036854775807),
    ("slowlog-log-slower-than", -1),
    ("hz", 1),
    ("hz", 500),
    ("port", 65535),
    ("maxmemory", 0),
    ("maxmemory", "9223372036854775807"),
    ("client-query-buffer-limit", 1048576),
    ("maxmemory-clients", "0%"),
    ("maxmemory-clients", "100%"),
    ("maxmemory-clients", "256mb"),
    ("unixsocketperm", "0770"),
    ("appendfsync", "EVERYSEC"),
    ("appendfsync", False),
    ("tls-protocols", ""),
    ("tls-protocols", "tlsv1.2 TLSv1.3"),
    ("notify-keyspace-events", ""),
    ("notify-keyspace-events", "KEA"),
    ("proc-title-template", "{title} {port}"),
    ("proc-title-template", "{port}"),
    ("proc-title-template", "{listen-addr}"),
    ("proc-title-template", "{tls-port}"),
    ("proc-title-template", "redis at {unixsocket}"),
    ("proc-title-template", "{{"),
    ("cluster-config-file", "x"),
    ("unixsocket", "/" + 106 * "x"),
    ("cluster-announce-hostname", "a-b.example.com"),
    ("cluster-announce-human-nodename", "node 1"),
    ("locale-collate", "C.UTF-8"),
    ("shutdown-on-sigterm", "save now"),
    ("shutdown-on-sigterm", ["NOSAVE", "force"]),
    ("bind", "-::1 127.0.0.1"),
    ("bind", 16 * ["10.0.0.1"]),
    ("latency-tracking-info-percentiles", []),
    ("latency-tracking-info-percentiles", ""),
    ("latency-tracking-info-percentiles", "0 100"),
    ("latency-tracking-info-percentiles", [50, 99.9]),
    ("oom-score-adj-values", "-2000 0 2000"),
    ("replicaof", "redis1 1"),
    ("replicaof", ["redis1", 65535]),
    ("save", "1 0"),
    ("client-output-buffer-limit", ["Replica 0 0 0", "slave 1mb 1mb 1", "pubsub 0 0 2147483647"]),
    ("loadmodule", "/usr/lib/redis/search.so THREADS 4"),
    ("gopher-enabled", False, "6.2.14"),
    ("io-threads-do-reads", True, "7.4"),
    ("set-max-listpack-value", 64, "7.2"),
    ("requirepass", 512 * "x", "6.0"),
    ("requirepass", 513 * "x", "6.2"),
    ("cluster-announce-client-ipv4", "10.0.0.1", "valkey 8.0"),
    ("cluster-announce-client-ipv4", "", "valkey 8.0"),
    ("cluster-announce-client-ipv6", "::1", "valkey 8.0"),
]
REFUSED = [
    ("timeout", 2147483648, "must be from 0 to 2147483647, not 2147483648"),
    ("timeout", "-0", "must be a whole number, not '-0'"),
    ("acllog-max-len", 9223372036854775808, "must be from 0 to 9223372036854775807, not 9223372036854775808"),
    ("slowlog-log-slower-than", -2, "must be from -1 to 9223372036854775807, not -2"),
    ("hz", 0, "must be from 1 to 500, not 0"),
    ("hz", 501, "must be from 1 to 500, not 501"),
    ("maxmemory", "9223372036854775808", "must be from 0 to 9223372036854775807 bytes, not '9223372036854775808'"),
    ("client-query-buffer-limit", 1048575, "must be from 1048576 to 9223372036854775807 bytes, not '1048575'"),
    ("maxmemory-clients", "101%", "must be from 0% to 100%, not '101%'"),
    ("maxmemory-clients", "some", "must be a size such as 256mb or a share such as 5%, not 'some'"),
    ("unixsocketperm", 700, "is a number, of which nobody can tell whether 700 is octal; write it in quotes, such as"),
    ("tls-key-file-pass", 0.5, "is a number to YAML, which may drop zeros of it; write it in quotes"),
    ("tls-protocols", "TLSv1.2  TLSv1.3", "must be words of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3 with one space between"),
    ("notify-keyspace-events", "KqE!", "must be letters of AKEg$lshzxetmdn, not '!q'"),
    ("proc-title-template", "{title}", "must not make a blank title"),
    ("proc-title-template", "{unixsocket} ", "must not make a blank title"),
    ("proc-title-template", "", "must not make a blank title"),
    (
        "proc-title-template",
        "redis {name}",
        "must use only {title}, {listen-addr}, {server-mode}, {config-file}, {port}, {tls-port}, {unixsocket}",
    ),
    ("cluster-config-file", "", "must not be empty"),
    ("unixsocket", "/" + 107 * "x", "must be at most 107 bytes long, not 108"),
    # a server counts bytes
    ("unixsocket", "/" + 54 * "é", "must be at most 107 bytes long, not 109"),
    ("unixsocket", "redis.sock", "must be an absolute path, not 'redis.sock'"),
    ("cluster-announce-hostname", "a_b", "must be a host name of letters, digits, hyphens and dots, not 'a_b'"),
    ("cluster-announce-human-nodename", "node!", "must be a name without special characters, not 'node!'"),
    ("locale-collate", "utf-8", "must be the name of a locale such as C.UTF-8, not 'utf-8'"),
    ("shutdown-on-sigterm", [], "must be one of default, save, nosave, now, force, not ''"),
    ("shutdown-on-sigterm", "save later", "must be one of default, save, nosave, now, force, not 'later'"),
    ("shutdown-on-sigterm", "SAVE NOSAVE", "must not ask for both save and nosave"),
    ("bind", [], "must be addresses, not ''"),
    ("bind", "10.0.0.1 a/b c/d", "must be addresses, not 'a/b c/d'"),
    ("bind", 17 * ["10.0.0.1"], "must be at most 16 addresses, not 17"),
    ("bind", "", "must name an address", "6.2.14"),
    ("latency-tracking-info-percentiles", "50 100.5 x", "must be numbers from 0 to 100, not '100.5 x'"),
    ("oom-score-adj-values", "0 200 2001", "must be from -2000 to 2000, not 2001"),
    ("oom-score-adj-values", "-2001 200 800", "must be from -2000 to 2000, not -2001"),
    ("replicaof", "no ONE", "must be a host and a port; null takes it away"),
    ("replicaof", ["", 6379], "must be a host and a port; null takes it away"),
    ("replicaof", "redis1 6379 0", "must be a host and a port; null takes it away"),
    ("replicaof", "redis1 0", "must end in a port, not '0'"),
    ("replicaof", "redis1 65536", "must end in a port, not '65536'"),
    ("save", "0 1", "must be seconds (1 or more) and changes (0 or more), not '0 1'"),
    ("save", "1 -1", "must be seconds (1 or more) and changes (0 or more), not '1 -1'"),
    ("client-output-buffer-limit", "master 0 0 0", "must be about normal, replica or pubsub, not 'master'"),
    ("client-output-buffer-limit", "normal 1t 0 0", "must be a size such as 256mb, not '1t'"),
    ("client-output-buffer-limit", "normal 0 1t 0", "must be a size such as 256mb, not '1t'"),
    ("client-output-buffer-limit", "normal 0 0 1s", "must be a whole number, not '1s'"),
    ("client-output-buffer-limit", "normal 0 0 2147483648", "must be from 0 to 2147483647, not 2147483648"),
    ("loadmodule", "search.so", "must start with the absolute path of a module"),
    ("loadmodule", [[]], "must start with the absolute path of a module"),
    ("user", [[]], "must start with the user's name, without spaces"),
    ("user", "", "must start with the user's name, without spaces"),
    ("rename-command", "KEYS", "must be a command and its new name, or '' to switch it off"),
    ("gopher-enabled", False, "works up to Redis 6.2 only, the host has 7.0", "7.0.15"),
    ("io-threads-do-reads", True, "works up to Redis 7.4 only, the host has 8.0", "8.0.2"),
    ("requirepass", 513 * "x", "must be at most 512 bytes long, not 513", "6.0"),
    ("cluster-announce-client-ipv4", "::1", "must be an IPv4 address, not '::1'", "valkey 8.0"),
    ("cluster-announce-client-ipv4", "redis1", "must be an IPv4 address, not 'redis1'", "valkey 8.0"),
    ("cluster-announce-client-ipv6", "10.0.0.1", "must be an IPv6 address, not '10.0.0.1'", "valkey 8.0"),
]


def messages(config, version="7.2", **more):
    return [one.message for one in redis.problems(config, SCHEMA, version, **more)]


@pytest.mark.parametrize("said", ACCEPTED, ids=lambda said: f"{said[0]} {said[1]!s:.30}")
def test_a_value_that_a_server_takes(said):
    name, value, *version = said
    assert messages({name: value}, *version, together=False) == []


@pytest.mark.parametrize("said", REFUSED, ids=lambda said: f"{said[0]} {said[1]!s:.30}")
def test_a_value_that_a_server_refuses(said):
    name, value, message, *version = said
    [found] = messages({name: value}, *version, together=False)
    assert found.startswith(message)


PAIR = {"tls-cert-file": "/c", "tls-key-file": "/k"}
TLS = {**PAIR, "tls-ca-cert-file": "/a"}
NO_AUTHORITY = "needs tls-ca-cert-file or tls-ca-cert-dir"
TOO_HIGH = "must be at most 55535 in a cluster, or cluster-port must be set: the cluster's own port is 10000 higher"


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"cluster-enabled": True, "port": 55535}, []),
        ({"cluster-enabled": True, "port": 55536}, [("port", TOO_HIGH)]),
        ({"cluster-enabled": True, "port": 60000, "cluster-port": 7000}, []),
        ({"cluster-enabled": True, "port": 60000, "tls-port": 6390, "tls-cluster": True, **TLS}, []),
        ({"cluster-enabled": True, "tls-port": 55536, "tls-cluster": True, **TLS}, [("tls-port", TOO_HIGH)]),
        ({"cluster-enabled": False, "port": 60000, "replicaof": "redis1 6379"}, []),
        ({"cluster-enabled": True, "bind": "", "unixsocket": "/s"}, [("bind", "must name an address in a cluster")]),
        ({"port": 0, "unixsocket": "/s"}, []),
        ({"port": 0, "tls-port": 0, "unixsocket": "/s"}, []),
        ({"port": 0, "tls-port": 6390, **TLS}, []),
        (
            {"port": 0, "unixsocket": ""},
            [("port", "must not be 0 without tls-port or unixsocket: nothing would listen")],
        ),
        ({"bind": "", "unixsocket": "/s"}, []),
        ({"bind": ""}, [("bind", "must not be empty without unixsocket: nothing would listen")]),
        ({"tls-port": 6379, **TLS}, [("tls-port", "is 6379, which is the port without TLS")]),
        ({"port": 6390, "tls-port": 6390, **TLS}, [("tls-port", "is 6390, which is the port without TLS")]),
        ({"tls-port": 6390, **TLS}, []),
        ({"tls-port": 6390, **PAIR}, [("tls-port", NO_AUTHORITY)]),
        ({"tls-port": 6390, **PAIR, "tls-ca-cert-dir": "/d"}, []),
        ({"tls-port": 6390, **PAIR, "tls-auth-clients": "no"}, []),
        ({"tls-port": 6390, **PAIR, "tls-auth-clients": "optional"}, [("tls-port", NO_AUTHORITY)]),
        # whoever calls other servers has to know them, whatever it asks of its clients
        ({"tls-replication": True, **PAIR, "tls-auth-clients": "no"}, [("tls-replication", NO_AUTHORITY)]),
        ({"tls-cluster": True, **PAIR, "tls-auth-clients": "no"}, [("tls-cluster", NO_AUTHORITY)]),
        ({"tls-port": 6390, "tls-replication": True, **PAIR}, [("tls-replication", NO_AUTHORITY)]),
        ({"tls-cluster": False, "tls-replication": False}, []),
        ({"io-threads": 82, "maxclients": 182}, []),
        ({"io-threads": 82, "maxclients": 181}, [("maxclients", "must be at least 182 with 82 io-threads")]),
        ({"io-threads": 128}, []),
        ({"user": "app on", "aclfile": ""}, []),
        ({"aclfile": "/etc/redis/users.acl"}, []),
    ],
)
def test_what_goes_together(config, found):
    assert [(one.key, one.message) for one in redis.problems(config, SCHEMA, "8.0.2")] == found


@pytest.mark.parametrize(
    ("user", "more", "version", "found"),
    [
        # before 7.0 a new user may use all channels, unless the file says otherwise
        ("app on &news", {}, "6.2", ["of 'app' has '&news' after all are allowed; write resetchannels before it"]),
        ("app on &news", {"acl-pubsub-default": "resetchannels"}, "6.2", []),
        ("app on &news", {}, "7.0", []),
        (
            "app on &news",
            {"acl-pubsub-default": "allchannels"},
            "7.0",
            ["of 'app' has '&news' after all are allowed; write resetchannels before it"],
        ),
        # what a module brings along is not known here
        ("app on +search.find", {}, "7.0", ["of 'app' names 'search.find', which is not a command of Redis 7.0"]),
        ("app on +search.find", {"loadmodule": "/usr/lib/redis/search.so"}, "7.0", []),
        ("app on +search.find", {"include": "/etc/redis/more.conf"}, "7.0", []),
        # of a version that is not known, the newest of Redis speaks
        ("app on +nosuch", {}, None, ["of 'app' names 'nosuch', which is not a command of Redis 8.0"]),
        ("app on +nosuch", {}, "5:*", ["of 'app' names 'nosuch', which is not a command of Redis 8.0"]),
    ],
)
def test_a_user_is_judged_by_what_stands_beside_it(user, more, version, found):
    assert messages({"user": user, **more}, version) == found


@pytest.mark.parametrize(
    ("config", "version", "vendor", "is_fine"),
    [
        ({"activedefrag": True}, "7.0", True, True),
        ({"activedefrag": "YES"}, "7.0", False, False),
        ({"activedefrag": False}, "7.0", False, True),
        # whose package it will be is not known either
        ({"activedefrag": True}, None, False, True),
    ],
)
def test_what_only_their_own_package_can(config, version, vendor, is_fine):
    assert (messages(config, version, vendor=vendor) == []) is is_fine


@pytest.mark.parametrize("name", ["threads", "search threads", "search/threads"])
def test_a_name_that_no_module_can_have(name):
    [message] = messages({name: 4, "loadmodule": "/usr/lib/redis/search.so"})
    assert message.startswith("is not a Redis directive")


def test_a_name_that_is_a_number_is_none():
    assert messages({6379: "x"}) == ["is not a Redis directive"]


def test_a_value_is_told_with_what_is_wrong_with_it():
    assert [(one.key, one.value) for one in redis.problems({"maxmemory": "x"}, SCHEMA, "7.0")] == [("maxmemory", "x")]


def test_what_is_no_version_is_not_taken_for_one():
    with pytest.raises(ValueError, match="'newest' is not a version such as 7.0.15"):
        redis.entry("maxmemory", SCHEMA, "newest")


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
        # a save point before what is included, else Redis 7.0 keeps the last alone
        (
            {"appendonly": "no", "include": "/a", "save": ["900 1", "300 10"]},
            ["save 900 1", "save 300 10", "include /a", "appendonly no"],
        ),
        ({"save": "900 1", "include": None, "appendonly": "no"}, ["appendonly no", "save 900 1"]),
        # of a module
        (
            {"search.threads": 4, "search.path": ["/a 1", ["/b", "x y"]]},
            ["search.path /a 1", 'search.path /b "x y"', "search.threads 4"],
        ),
        ({"masteruser": "a\x01\x7f b"}, ['masteruser "a\\x01\\x7f b"']),
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
    [
        ("256mb", 268435456),
        ("1k", 1000),
        ("1KB", 1024),
        (5, 5),
        ("2g", 2000000000),
        ("0", 0),
        ("7b", 7),
        ("3m", 3000000),
        ("3gb", 3221225472),
    ],
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
