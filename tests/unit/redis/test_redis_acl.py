"""Rules of users and of renamed commands: what a server of each series takes, and what it refuses."""

import pytest
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema

SCHEMA = redis_schema.load()
HASH = "ab" * 32
NOT_THERE = "takes a password away that is not there"
NO_HASH = "has a hash that is not 64 lower-case hexadecimal digits, or takes one away that is not there"
BEFORE_7 = "before Redis 7.0 a subcommand is only added, to no rights"


def messages(name, value, version, **more):
    config = {name: value, **more}
    return [one.message for one in redis.problems(config, SCHEMA, version) if one.key == name]


@pytest.mark.parametrize(
    ("version", "rules"),
    [
        ("6.0", "on off nopass resetpass reset"),
        ("6.2", "sanitize-payload skip-sanitize-payload"),
        ("7.0", ">a <a >a"),
        ("7.0", f"#{HASH} !{HASH} #{HASH}"),
        ("7.0", "allkeys resetkeys ~x"),
        ("7.0", "~* reset ~x"),
        ("7.0", "%R~x %RW~y"),
        ("6.2", "resetchannels &x allchannels resetchannels &*"),
        ("7.0", "(+get ~x) clearselectors (~* &*)"),
        ("7.0", "(+get) ~x"),
        ("6.0", "allcommands nocommands +config|get"),
        ("6.0", "+@all -@all +config|get"),
        ("6.0", "-get +config|get"),
        ("6.2", "+@all +config|get"),
        ("7.0", "+get|x"),
        ("7.0", "+config|get -config|set"),
        ("7.2", "+client|no-touch"),
        # from the series on that brought it
        ("6.0", "+get"),
        ("6.2", "+copy"),
        ("7.0", "+fcall"),
        ("7.2", "+waitaof"),
        ("7.4", "+hexpire"),
        ("8.0", "+hgetdel +vadd"),
    ],
)
def test_rules_that_a_server_takes(version, rules):
    assert messages("user", f"app {rules}", version) == []


@pytest.mark.parametrize(
    ("version", "rules", "message"),
    [
        ("6.0", "sanitize-payload", "has 'sanitize-payload', which is not a rule of ACLs in Redis 6.0"),
        ("7.0", "+", "has '+', which is not a rule of ACLs in Redis 7.0"),
        ("7.0", "=x", "has '=x', which is not a rule of ACLs in Redis 7.0"),
        # a password is there from the rule that adds it to the one that takes it away
        ("7.0", ">a <b", NOT_THERE),
        ("7.0", ">a <a <a", NOT_THERE),
        ("7.0", ">a nopass <a", NOT_THERE),
        ("7.0", ">a resetpass <a", NOT_THERE),
        ("7.0", ">a reset <a", NOT_THERE),
        ("7.0", f"#{HASH[1:]}", NO_HASH),
        ("7.0", f"#{HASH.upper()}", NO_HASH),
        ("7.0", f"!{HASH}", NO_HASH),
        ("7.0", f"#{HASH} !{HASH} !{HASH}", NO_HASH),
        # one of all is none more
        ("6.0", "~* ~x", "has '~x' after all are allowed; write resetkeys before it"),
        ("7.0", "allkeys %R~x", "has '%R~x' after all are allowed; write resetkeys before it"),
        ("6.2", "%R~x", "has '%R~x', which is not a rule of ACLs in Redis 6.2"),
        ("7.0", "&* &x", "has '&x' after all are allowed; write resetchannels before it"),
        ("7.0", "allchannels &x", "has '&x' after all are allowed; write resetchannels before it"),
        ("6.0", "&x", "has '&x', which is not a rule of ACLs in Redis 6.0"),
        ("6.0", "allchannels", "has 'allchannels', which is not a rule of ACLs in Redis 6.0"),
        ("6.2", "reset &x", "has '&x' after all are allowed; write resetchannels before it"),
        ("7.0", ["~a b"], "has '~a b', which must not contain spaces"),
        ("6.2", "clearselectors", "has 'clearselectors', which is not a rule of ACLs in Redis 6.2"),
        ("6.2", "(+get)", "has '(+get)', which is not a rule of ACLs in Redis 6.2"),
        ("7.0", "(+get ~x", "has a selector that is not closed"),
        ("7.0", ['(~"a)'], "has a quote in a selector that is not closed"),
        ("7.0", "(+get +nosuch)", "names 'nosuch', which is not a command of Redis 7.0"),
        ("7.0", "(+get) +nosuch", "names 'nosuch', which is not a command of Redis 7.0"),
        ("7.0", "(on)", "has 'on', which is not a rule of ACLs in Redis 7.0"),
        ("7.0", "+@nosuch", "names '@nosuch', which is not a category"),
        ("6.0", "allcommands +config|get", f"has '+config|get': {BEFORE_7}"),
        ("6.0", "+get -get +config|get", f"has '+config|get': {BEFORE_7}"),
        ("6.2", "-config|get", f"has '-config|get': {BEFORE_7}"),
        ("6.2", "+config|", f"has '+config|': {BEFORE_7}"),
        ("7.0", "+config|nosuch", "names 'config|nosuch', which is not a command of Redis 7.0"),
        ("7.0", "+client|no-touch", "names 'client|no-touch', which is not a command of Redis 7.0"),
        ("7.0", "-get|x", "names 'get|x', which is not a command of Redis 7.0"),
        ("7.0", "+get|", "names 'get|', which is not a command of Redis 7.0"),
        ("7.0", "+get|x|y", "names 'get|x|y', which is not a command of Redis 7.0"),
        ("6.0", "+copy", "names 'copy', which is not a command of Redis 6.0"),
        ("7.4", "+vadd", "names 'vadd', which is not a command of Redis 7.4"),
    ],
)
def test_rules_that_a_server_refuses(version, rules, message):
    value = f"app {rules}" if isinstance(rules, str) else [["app", *rules]]
    assert messages("user", value, version) == [f"of 'app' {message}"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("+search.find +@search (+search.find)", None),
        ("+nosuch", "of 'app' names 'nosuch', which is not a command of Redis 7.0"),
    ],
)
def test_a_module_brings_commands_and_categories(rules, message):
    found = messages("user", f"app {rules}", "7.0", loadmodule="/usr/lib/redis/search.so")
    assert found == ([message] if message else [])


def test_a_selector_begins_without_channels_whatever_a_new_user_has():
    assert messages("user", "app (&news)", "7.0", **{"acl-pubsub-default": "allchannels"}) == []


@pytest.mark.parametrize("name", ["a b", "a\tb", ""])
def test_a_name_of_a_user_that_is_none(name):
    assert messages("user", [["b", "on"], [name, "on"]], "7.0") == ["must start with the user's name, without spaces"]


@pytest.mark.parametrize(
    ("lines", "version", "message"),
    [
        (["KEYS ''", "FLUSHALL ''"], "6.0", None),
        (["KEYS mine", "mine ours"], "7.0", None),
        (["KEYS get", "GET keys"], "7.0", "renames 'KEYS' to a name that is taken"),
        (["GET mine", "KEYS MINE"], "7.0", "renames 'KEYS' to a name that is taken"),
        (["GET mine", "KEYS get"], "7.0", None),
        (["KEYS a b"], "7.0", "must be a command and its new name, or '' to switch it off"),
        (["COPY ''"], "6.2", None),
        (["copy ''"], "6.0", "renames 'copy', which is not a command of Redis 6.0 or is renamed already"),
        # of a built-in module: the server reads the line before it has that
        (["vadd ''"], "8.0", "renames 'vadd', which is not a command of Redis 8.0 or is renamed already"),
    ],
)
def test_what_a_command_may_be_called(lines, version, message):
    assert messages("rename-command", lines, version) == ([message] if message else [])
