"""What the schema says of directives, told once more from the servers' sources: what a run and a refusal depend on."""

import pytest
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema

SCHEMA = redis_schema.load()

# IMMUTABLE_CONFIG in src/config.c, and lines that CONFIG SET does not know.
CPU_LISTS = ["aof-rewrite-cpulist", "bgsave-cpulist", "bio-cpulist", "server-cpulist"]
AT_START = [
    *["aclfile", "always-show-logo", "aof_rewrite_cpulist", "appendfilename", "bgsave_cpulist", "bio_cpulist"],
    *["cluster-config-file", "cluster-enabled", "daemonize", "databases", "include", "io-threads"],
    *["loadmodule", "logfile", "pidfile", "rdbchecksum", "rename-command", "replicaof", "server_cpulist", "slaveof"],
    *["supervised", "syslog-enabled", "syslog-facility", "syslog-ident", "tcp-backlog", "unixsocket"],
    *["unixsocketperm", "user"],
]
UP_TO_7_4 = "io-threads-do-reads"
SINCE_6_2 = ["set-proc-title"]
SINCE_7_0 = [
    *["appenddirname", "cluster-port", "dbfilename", "dir", "disable-thp", "enable-debug-command"],
    *["enable-module-command", "enable-protected-configs", "socket-mark-id"],
]


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("6.0", [*AT_START, UP_TO_7_4, "bind", "port", "tls-port"]),
        ("6.2", [*AT_START, UP_TO_7_4, *SINCE_6_2]),
        ("7.0", [*AT_START, UP_TO_7_4, *SINCE_6_2, *SINCE_7_0]),
        ("7.4", [*AT_START, UP_TO_7_4, *SINCE_6_2, *SINCE_7_0, *CPU_LISTS]),
        ("8.0", [*AT_START, *SINCE_6_2, *SINCE_7_0, *CPU_LISTS]),
        ("valkey 8.0", [*AT_START, UP_TO_7_4, *SINCE_6_2, *SINCE_7_0, *CPU_LISTS, "unixsocketgroup"]),
    ],
)
def test_what_only_a_start_can_change(version, names):
    found = {name for name in SCHEMA if is_known(name, version) and not redis.is_live(name, SCHEMA, version)}
    assert found == {*names}


def is_known(name, version):
    found = redis.problems({name: "x"}, SCHEMA, version, together=False)
    return not any(
        words in one.message for one in found for words in ("needs Redis", "works up to", "is a directive of Valkey")
    )


# The least and the most that a server takes, where it is not what the type can hold.
BOUNDS = {
    "active-defrag-cycle-max": (1, 99),
    "active-defrag-cycle-min": (1, 99),
    "active-defrag-ignore-bytes": (1, None),
    "active-defrag-max-scan-fields": (1, None),
    "active-defrag-threshold-lower": (0, 1000),
    "active-defrag-threshold-upper": (0, 1000),
    "active-expire-effort": (1, 10),
    "client-query-buffer-limit": (1048576, None),
    "cluster-announce-bus-port": (0, 65535),
    "cluster-announce-port": (0, 65535),
    "cluster-announce-tls-port": (0, 65535),
    "cluster-compatibility-sample-ratio": (0, 100),
    "cluster-port": (0, 65535),
    "databases": (1, 65536),
    "hz": (1, 500),
    "io-threads": (1, 128),
    "list-max-listpack-size": (-2147483648, None),
    "max-new-connections-per-cycle": (1, 1000),
    "max-new-tls-connections-per-cycle": (1, 1000),
    "maxclients": (1, 1048544),
    "maxmemory-eviction-tenacity": (0, 100),
    "maxmemory-samples": (1, 64),
    "port": (0, 65535),
    "prefetch-batch-max-size": (0, 128),
    "proto-max-bulk-len": (1048576, None),
    "repl-backlog-size": (1, None),
    "repl-ping-replica-period": (1, None),
    "repl-timeout": (1, None),
    "replica-announce-port": (0, 65535),
    "slowlog-log-slower-than": (-1, None),
    "socket-mark-id": (0, 4294967295),
    "tls-port": (0, 65535),
}
# Texts by their bytes: a name of a file has to fit into a folder, a socket into sockaddr_un.
LENGTHS = {
    "appenddirname": (1, 255),
    "appendfilename": (1, 200),
    "cluster-config-file": (1, None),
    "dbfilename": (0, 255),
    "dir": (1, None),
    "include": (1, None),
    "unixsocket": (0, 107),
}


def takes(name, value):
    version = "valkey 8.0" if SCHEMA[name].get("valkey") == "only" else "8.0.2"
    return redis.problems({name: value}, SCHEMA, version, together=False) == []


@pytest.mark.parametrize("name", BOUNDS)
def test_a_number_has_bounds(name):
    least, most = BOUNDS[name]
    assert takes(name, least) and not takes(name, least - 1)
    assert most is None or (takes(name, most) and not takes(name, most + 1))


@pytest.mark.parametrize("name", LENGTHS)
def test_a_text_has_bounds(name):
    least, most = LENGTHS[name]
    start = "/" if SCHEMA[name]["type"] == "path" else "x"
    assert takes(name, start[:least]) and (takes(name, "") is not bool(least))
    assert most is None or (takes(name, start + (most - 1) * "x") and not takes(name, start + most * "x"))


def test_where_no_bounds_are_named_there_are_none():
    others = {"bind", "oom-score-adj-values", "requirepass"}
    named = {name for name, line in SCHEMA.items() if {"min", "max"} & set(line)}
    assert named == {*BOUNDS, *LENGTHS, *others}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["appendfsync"], "everysec, always, no"),
        (["acl-pubsub-default"], "allchannels, resetchannels"),
        (["cluster-preferred-endpoint-type"], "ip, hostname, unknown-endpoint"),
        (["enable-debug-command", "enable-module-command", "enable-protected-configs"], "no, yes, local"),
        (["loglevel"], "debug, verbose, notice, warning, nothing"),
        (
            ["maxmemory-policy"],
            "volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, "
            "noeviction",
        ),
        (["oom-score-adj"], "no, yes, relative, absolute"),
        (["propagation-error-behavior"], "ignore, panic, panic-on-replicas"),
        (["repl-diskless-load"], "disabled, on-empty-db, swapdb"),
        (["sanitize-dump-payload"], "no, yes, clients"),
        (["shutdown-on-sigint", "shutdown-on-sigterm"], "default, save, nosave, now, force"),
        (["supervised"], "upstart, systemd, auto, no"),
        (["syslog-facility"], "user, local0, local1, local2, local3, local4, local5, local6, local7"),
        (["tls-auth-clients"], "no, yes, optional"),
    ],
)
def test_a_choice_has_these_words(names, words):
    for name in names:
        [found] = redis.problems({name: "other"}, SCHEMA, "8.0", together=False)
        assert found.message == f"must be one of {words}, not 'other'"


def test_a_log_level_came_with_7_2():
    [found] = redis.problems({"loglevel": "nothing"}, SCHEMA, "6.0")
    assert found.message == "must be one of debug, verbose, notice, warning, not 'nothing'"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("appenddirname", "appendonlydir"),
        ("appendfilename", "appendonly.aof"),
        ("appendfsync", "everysec"),
        ("cluster-config-file", "nodes.conf"),
        ("cluster-preferred-endpoint-type", "ip"),
        ("dbfilename", "dump.rdb"),
        ("loglevel", "notice"),
        ("maxmemory-policy", "noeviction"),
        ("propagation-error-behavior", "ignore"),
        ("repl-diskless-load", "disabled"),
        ("shutdown-on-sigint", "default"),
        ("shutdown-on-sigterm", "default"),
        ("syslog-facility", "local0"),
    ],
)
def test_a_word_that_counts_where_the_file_is_silent(name, text):
    assert redis.default(name, SCHEMA, "8.0") == text


def test_secrets_are_known():
    assert {name for name in SCHEMA if redis.is_secret(name, SCHEMA)} == {
        "masterauth",
        "primaryauth",
        "rename-command",
        "requirepass",
        "tls-client-key-file-pass",
        "tls-key-file-pass",
        "user",
    }


def test_valkey_knows_what_the_redis_from_which_it_stems_does_not():
    """Names of Redis 7.4 that Valkey 8 has brought by itself, and names of its own."""
    both = {*CPU_LISTS, "hide-user-data-from-log", "max-new-connections-per-cycle", "max-new-tls-connections-per-cycle"}
    own = {
        *["availability-zone", "cluster-announce-client-ipv4", "cluster-announce-client-ipv6", "cluster-blacklist-ttl"],
        *["cluster-slot-stats-enabled", "dual-channel-replication-enabled", "events-per-io-thread"],
        *["extended-redis-compatibility", "prefetch-batch-max-size", "primaryauth", "primaryuser", "unixsocketgroup"],
    }
    of_valkey = {name for name in SCHEMA if is_known(name, "valkey 8.0")}
    assert of_valkey - {name for name in SCHEMA if is_known(name, "7.2")} == both | own
    assert of_valkey - {name for name in SCHEMA if is_known(name, "7.4")} == own


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("client-output-buffer-limit", ["normal 0 0 0", "pubsub 0 0 0"]),
        ("include", ["/a", "/b"]),
        ("loadmodule", ["/a", "/b"]),
        ("rename-command", ['KEYS ""', 'GET ""']),
        ("save", ["900 1", "60 2"]),
        ("user", ["a on", "b off"]),
    ],
)
def test_a_list_is_a_line_for_each(name, values):
    assert redis.to_lines({name: values}, SCHEMA) == [f"{name} {value}" for value in values]


def test_what_a_server_reads_in_its_file_alone():
    of_6, of_7 = ({name for name in SCHEMA if redis.entry(name, SCHEMA, of).get("file_only")} for of in ("6.2", "7.0"))
    assert of_7 == {"include", "loadmodule", "rename-command", "user"} and of_6 == {*of_7, "cluster-config-file"}
