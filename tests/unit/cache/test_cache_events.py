"""What an operator's request drops: each file of cases/cache/events is one case, on the baseline of the guide.

`says` are the variables of the run; `targets` are family, pattern and values in a line, `errors` the sentences. What
the request means on a server is asked of one that is a few sets of keys.
"""

import fnmatch
import types

from ansible_collections.cistern.core.plugins.module_utils.cache import invalidate
from ansible_collections.cistern.core.plugins.modules import cache_invalidate
from ansible_collections.cistern.core.plugins.plugin_utils.cache import invalidation as cache_events
from ansible_collections.cistern.core.plugins.plugin_utils.cache import policy as cache_policy
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from case_files import Cases

CASES = Cases("cache/events", "says", "deployments", "targets", "flush", "errors")
DERIVED = role_files.derived("cache")
BASELINE = {name: DERIVED[f"__{name}_baseline"] for name in cache_policy.LAYERS}
POLICY = cache_policy.resolved("cache", {}, BASELINE)


@CASES.each
def test_request(path):
    case = CASES.read(path)
    policies = {name: {**POLICY, "deployment": name} for name in case.get("deployments", ["cache"])}
    request, errors = cache_events.request(case["says"], policies)
    assert errors == case.get("errors", [])
    if errors:
        return
    told = [
        f"{each['family']} {each['pattern']} " + " ".join(f"{name}={value}" for name, value in each["values"].items())
        for each in request["targets"]
    ]
    assert [text.strip() for text in told] == case.get("targets", [])
    assert request["flush"] == case.get("flush", False)


def test_there_are_cases():
    assert len(CASES) >= 10


# -- what is dropped


class Server:
    """A database of a primary; `databases` are the keys of all of them. SCAN tells each key twice, a page each time."""

    def __init__(self, databases, number=0):
        self.databases, self.keys = databases, databases.setdefault(number, set())

    def execute_command(self, *_words):
        return [b"master"]

    def info(self, _section):
        return {f"db{number}": {"keys": len(keys)} for number, keys in self.databases.items() if keys}

    def exists(self, key):
        return key in self.keys

    def scan(self, cursor, match, count):
        keys = [key for key in sorted(self.keys) if fnmatch.fnmatchcase(key.decode(), match)]
        return (0 if cursor else 1), keys

    def unlink(self, *keys):
        gone = self.keys & set(keys)
        self.keys -= gone
        return len(gone)


def dropped(monkeypatch, databases, check, **says):
    """Return what the module says of a request: (steps, keys by family)."""
    [request, _errors] = cache_events.request(says, {"cache": POLICY})
    told = {}
    monkeypatch.setattr(cache_invalidate.connection, "connect", lambda *_words, db=0, **_options: Server(databases, db))
    params = {"targets": request["targets"], "flush": False, "addresses": ["a"], "port": 1, "password": "secret"}
    cache_invalidate.run(types.SimpleNamespace(params=params, check_mode=check, exit_json=told.update))
    assert told["changed"] == bool(told["dropped"])
    return told["steps"], told["dropped"]


def test_a_check_says_what_the_run_then_does(monkeypatch):
    """A message to oneself: two rules of a family mean the same keys."""
    keys = [b"conversation:7:7:messages:50:0", b"user_messages:7:50:0", b"conversation_partners:7", b"unread_count:7"]
    databases = {0: {*keys, b"unread_count:8"}}
    says = {"event": "message_sent", "user1": 7, "user2": 7}
    told = dropped(monkeypatch, databases, True, **says)
    assert sum(told[1].values()) == 4 and len(told[0]) == 4
    assert len(databases[0]) == 5 and dropped(monkeypatch, databases, False, **says) == told
    assert databases[0] == {b"unread_count:8"} and dropped(monkeypatch, databases, True, **says) == ([], {})


def test_a_family_is_dropped_from_every_database(monkeypatch):
    databases = {0: {b"message:1"}, 1: set(), 3: {b"message:1", b"message:2", b"left"}}
    steps = [
        "message: drop 1 of message:{message_id}: message:1",
        "message: drop 2 of message:{message_id} in database 3: message:1, message:2",
    ]
    for check in (True, False):
        assert dropped(monkeypatch, databases, check, family="message") == (steps, {"message": 3})
    assert databases == {0: set(), 1: set(), 3: {b"left"}}


def test_a_count_keeps_few_keys(monkeypatch):
    """Beyond what is kept, a key that SCAN tells twice counts twice; what is dropped is counted by the server."""
    monkeypatch.setattr(invalidate, "KEPT", 2)
    monkeypatch.setattr(invalidate, "BATCH", 1)
    target = {"family": "message", "pattern": "message:{message_id}", "values": {}}
    assert invalidate.count(Server({0: {b"message:1", b"message:2"}}), target)[0] == 2
    assert invalidate.count(Server({0: {b"message:%d" % number for number in range(5)}}), target)[0] == 8
