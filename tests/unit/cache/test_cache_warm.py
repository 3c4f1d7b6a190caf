"""How rows become commands, what is gone on with, and what an operator's request names."""

import functools
import json
import os
import random
import time
from unittest import mock

import pytest
from ansible_collections.cistern.core.plugins.action import cache_warm as cache_warm_action
from ansible_collections.cistern.core.plugins.filter import cache_warm
from ansible_collections.cistern.core.plugins.module_utils.cache.warm import checkpoint, sources, watch
from ansible_collections.cistern.core.plugins.module_utils.cache.warm import commands as values
from ansible_collections.cistern.core.plugins.module_utils.cache.warm import describe as cache_warm_report
from ansible_collections.cistern.core.plugins.module_utils.cache.warm import fill as warm
from ansible_collections.cistern.core.plugins.module_utils.cache.warm import job as warm_job
from ansible_collections.cistern.core.plugins.module_utils.cache.warm import program as warm_program
from ansible_collections.cistern.core.plugins.module_utils.cache.warm import worker as warm_worker
from ansible_collections.cistern.core.plugins.module_utils.redis import resp
from ansible_collections.cistern.core.plugins.module_utils.redis.resp import packed
from ansible_collections.cistern.core.plugins.modules import cache_warm as cache_warm_module


def family(**more):
    return {"key": "user_profile:{user_id}", "type": "string", "ttl": 100, "jitter": 10, "warm": {}, **more}


def pack(row, existing="keep", chance=lambda: 0.5, **more):
    return values.Packer(family(**more), existing, "sha", chance).pack(row)[0]


# -- a row and its command


@pytest.mark.parametrize(
    ("value", "text"), [("ä", "ä"), (7, "7"), ({"a": [1, "ü"]}, '{"a":[1,"ü"]}'), (True, "true"), ("", "")]
)
def test_a_string_is_set_where_nothing_is(value, text):
    assert pack({"user_id": 7, "value": value}) == packed("SET", "user_profile:7", text, "PX", 95000, "NX")


def test_what_is_there_is_replaced_where_the_family_says_so():
    assert pack({"user_id": 7, "value": "x"}, "replace") == packed("SET", "user_profile:7", "x", "PX", 95000)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("hash", {"a": 1, "b": {"c": 2}}, ["HSET", 95000, "a", "1", "b", '{"c":2}']),
        ("list", '["b", "a"]', ["RPUSH", 95000, "b", "a"]),
        ("set", ["a"], ["SADD", 95000, "a"]),
        ("zset", {"a": 1.5}, ["ZADD", 95000, "1.5", "a"]),
    ],
)
def test_a_collection_is_written_at_once(kind, value, words):
    expected = packed("EVALSHA", "sha", 1, "user_profile:7", "keep", *words)
    assert pack({"user_id": 7, "value": value}, type=kind) == expected


@pytest.mark.parametrize(
    ("row", "more", "why"),
    [
        ({"value": "x"}, {}, "has no user_id"),
        ({"user_id": 7}, {}, "has no value"),
        ({"user_id": "a:b", "value": "x"}, {}, "'a:b' as user_id, with which the key would belong to no family"),
        ({"user_id": "", "value": "x"}, {}, "'' as user_id"),
        ({"user_id": None, "value": "x"}, {}, "null as user_id"),
        ({"user_id": True, "value": "x"}, {}, "true as user_id"),
        ({"user_id": 7, "value": "{"}, {"type": "hash"}, "no JSON"),
        ({"user_id": 7, "value": ["a"]}, {"type": "hash"}, "no JSON object of fields"),
        ({"user_id": 7, "value": {"a": 1}}, {"type": "list"}, "no JSON array"),
        ({"user_id": 7, "value": {"a": "b"}}, {"type": "zset"}, "a score that is no number"),
    ],
)
def test_a_row_that_cannot_become_a_key_is_told(row, more, why):
    with pytest.raises(values.Unfit, match=why):
        pack(row, **more)


@pytest.mark.parametrize(("value", "kind"), [(None, "string"), ([], "list"), ("{}", "hash")])
def test_a_row_without_a_value_is_nothing(value, kind):
    with pytest.raises(values.Empty):
        pack({"user_id": 7, "value": value}, type=kind)


def test_every_placeholder_has_its_place():
    row = {"user1": 7, "user2": "b", "limit": 50, "offset": 0, "value": "x"}
    key = "conversation:{user1}:{user2}:messages:{limit}:{offset}"
    assert values.Packer(family(key=key)).key(row) == b"conversation:7:b:messages:50:0"


def test_times_to_live_are_even_between_their_ends():
    packer = values.Packer(family(jitter=50), chance=random.Random(7).random)
    lives = [packer.lives() for _each in range(10_000)]
    assert 50_000 <= min(lives) < 50_100 and 99_900 < max(lives) <= 100_000
    assert abs(sum(lives) / len(lives) - 75_000) < 500
    assert values.Packer(family(jitter=0)).lives() == 100_000


def test_what_a_row_may_cost_is_more_than_its_bytes():
    for kind, value in (("string", "x" * 1000), ("hash", {str(n): "x" * 10 for n in range(100)})):
        command, cost = values.Packer(family(type=kind), script="sha").pack({"user_id": 7, "value": value})
        assert cost > len(command)


# -- the pace


def test_a_pace_is_kept_and_lost_time_is_not_made_up_for():
    now = [0.0]
    pace = values.Pace(1000, lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))
    assert pace.batch() == 100
    for _each in range(20):
        pace.sent(100)
    assert now[0] == pytest.approx(2)
    now[0] += 60
    for _each in range(10):
        pace.sent(100)
    assert now[0] >= 62 + 0.8
    assert values.Pace(0).batch() == 1000


# -- what is gone on with


def test_a_position_counts_for_the_same_source_and_for_the_life_of_its_keys(tmp_path):
    now = [1000.0]
    marks = checkpoint.Checkpoint(tmp_path / "checkpoint.json", "one", lambda: now[0])
    assert marks.position("message", "a", 300) is None
    marks.keep("message", "a", (7, 90))
    now[0] = 1200
    marks.keep("message", "a", (9, 120))
    assert marks.position("message", "a", 300) == (9, 120)
    assert marks.position("message", "b", 300) is None, "another source"
    other = checkpoint.Checkpoint(tmp_path / "checkpoint.json", "two", lambda: now[0])
    assert other.position("message", "a", 300) is None, "another run of the server"
    now[0] = 1301
    assert marks.position("message", "a", 300) is None, "the first keys have ended"
    marks.drop("message")
    marks.drop("message")
    assert json.loads((tmp_path / "checkpoint.json").read_text()) == {}
    marks.begin("message")
    now[0] = 1400
    marks.keep("message", "a", (7, 90))
    assert checkpoint.read(tmp_path / "checkpoint.json")["message"]["began"] == 1301


def test_a_file_is_gone_on_with_behind_its_last_row(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n\nno json\n[1]\n{"a": "ä"}\n', encoding="utf-8")
    source = sources.File(path)
    found = list(source.rows())
    assert source.count() == (4, True)
    assert [position[0] for _row, position in found] == [1, 3, 4, 5]
    assert found[0][0] == {"a": 1} and "no JSON" in found[1][0] and found[2][0] == "is no JSON object"
    assert list(source.rows(found[2][1])) == found[3:]


def query(sql, **more):
    return sources.Query(family(warm={"sql": sql, **more}), {"host": "db", "port": 5432, "name": "chat"})


@pytest.mark.parametrize(
    ("sql", "goes_on"),
    [
        ("SELECT 1 ORDER\n by 1", True),
        ("SELECT 1", False),
        ("SELECT a, json_agg(b ORDER BY b) AS value FROM t GROUP BY a", False),
        ("SELECT a, json_agg(b ORDER BY b) AS value FROM t GROUP BY a ORDER BY lower(a), (b) DESC LIMIT 5", True),
        ("WITH x AS (SELECT a FROM t ORDER BY a) SELECT a, 1 AS value FROM x", False),
        ("SELECT a FROM (SELECT a FROM t ORDER BY a) x", False),
        ("SELECT a, rank() OVER (PARTITION BY (b) ORDER BY c) AS value FROM t", False),
        ("(SELECT a FROM t ORDER BY a) UNION ALL SELECT b FROM u", False),
        ("SELECT ' ORDER BY ', 'it''s' AS value FROM t", False),
        ("SELECT ')' AS value FROM t WHERE a IN (SELECT ')' ORDER BY 1)", False),
        ("SELECT '(' AS value FROM t ORDER BY a", True),
        ("SELECT E'\\' ORDER BY ' AS value FROM t", False),
        ("SELECT 'a\\' AS value FROM t ORDER BY 'a'", True),
        ('SELECT a AS "x ORDER BY y" FROM t', False),
        ("SELECT $x$ ORDER BY $$ $x$ AS value FROM t", False),
        ("SELECT 1 AS value FROM t -- ORDER BY a", False),
        ("SELECT 1 AS value FROM t /* ORDER BY a */", False),
        ("SELECT 1 AS value FROM t /* /* */ ORDER BY a */", False),
        ("SELECT 1 AS value FROM t ORDER /* as ever */ BY a", True),
        ("SELECT 1 AS value FROM t WHERE a = %(a)s ORDER BY a;", True),
    ],
)
def test_a_query_without_an_order_of_its_own_begins_anew(sql, goes_on):
    assert query(sql).can_go_on == goes_on


def test_another_query_parameter_or_key_is_another_source():
    one = query("SELECT 1", parameters={"a": 1})
    assert one.digest == query("SELECT 1", parameters={"a": 1}).digest
    assert one.digest != query("SELECT 1", parameters={"a": 2}).digest != query("SELECT 2", parameters={"a": 2}).digest


def test_a_query_is_taken_whole_or_not_at_all():
    text = query("SELECT user_id, value FROM users -- all;").text
    assert text == 'SELECT q."user_id"::text, q."value"::text FROM (\nSELECT user_id, value FROM users -- all\n) q'


# -- after a restart and a failover


@pytest.mark.parametrize(
    ("before", "now", "what"),
    [
        ({}, ("a", True), None),
        (("a", True), ("b", True), "restart"),
        (("a", False), ("a", True), "failover"),
        (("a", False), ("b", True), "failover"),
        (("a", True), ("a", False), None),
        (("a", True), ("b", False), None),
    ],
)
def test_what_has_happened_to_a_server(before, now, what):
    shape = lambda told: {"run_id": told[0], "primary": told[1]} if told else {}  # noqa: E731
    assert watch.occasion(shape(before), shape(now)) == what


# -- what a server says


class Server:
    """Stands in for a server: `replies` to what is written by its number, the fields of INFO as `info`.

    What it has answered stays on the wire until it is read, so an answer that is left there meets the next command.
    """

    def __init__(self, replies, info=None):
        self.replies, self.asked = replies, info or {"maxmemory": "0", "used_memory": "1"}
        self.sent, self.keys, self.run_id, self.wires, self.does = 0, set(), "one", [], {}

    def accept(self, *_, **_more):
        self.wires.append(Wire(self))
        return self.wires[-1]

    def answer(self, words):
        verb = words[0].decode()
        if verb in self.does:
            return self.does[verb](words)
        if verb in ("SET", "EVALSHA"):
            self.sent += 1
            reply = self.replies(self.sent - 1)
            if reply[:1] != b"-":
                self.keys.add(words[1 if verb == "SET" else 3])
            return reply
        if verb == "INFO":
            told = {"run_id": self.run_id, "evicted_keys": "0", **self.asked}
            return bulk("".join(f"{name}:{value}\r\n" for name, value in told.items()).encode())
        if verb == "EXISTS":
            return b":%d" % sum(word in self.keys for word in words[1:])
        return {"PING": b"+PONG", "ROLE": b"*1\r\n" + bulk(b"master"), "SCRIPT": bulk(b"sha")}[verb]


def bulk(text):
    return b"$%d\r\n%b" % (len(text), text)


class Wire:
    """One connection to it, as a socket."""

    def __init__(self, server):
        self.server, self.unread, self.closed, self.gone = server, b"", False, False

    def setsockopt(self, *_):
        pass

    def sendall(self, commands):
        if self.closed or self.gone:
            raise BrokenPipeError("closed")
        words, at, answers = commands.split(b"\r\n"), 0, []
        while words[at]:
            until = at + 1 + 2 * int(words[at][1:])
            answers.append(self.server.answer(words[at + 2 : until : 2]))
            at = until
        self.unread += b"".join(answer + b"\r\n" for answer in answers)

    def recv(self, size):
        if self.closed or (self.gone and not self.unread):
            return b""
        assert self.unread, "this would wait for ever"
        piece, self.unread = self.unread[:size], self.unread[size:]
        return piece

    def close(self):
        self.closed = True


def lines_of(path, rows):
    path.write_text("".join(f'{{"user_id": {n}, "value": "x"}}\n' for n in range(rows)), encoding="utf-8")
    return path


def filled(tmp_path, replies, rows=2500, info=None, source=None, server=None, **more):
    source = source or sources.File(lines_of(tmp_path / "rows.jsonl", rows))
    server, marks = server or Server(replies, info), checkpoint.Checkpoint(tmp_path / "checkpoint.json")
    report = warm.report_of("user_profile")
    with mock.patch.object(resp.socket, "create_connection", server.accept):
        connection = resp.Connection("here", 6379)
        filling = warm.Filling(connection, report, family(), {"memory": 0.9, "rate": 0}, marks, **more)
        report = filling.run(source)
        if not server.wires[-1].closed:
            assert connection.call("PING") == b"PONG", "the next command reads the answer to another"
    return server, marks, report


def run(tmp_path, server, families, sources_of=None, **more):
    """Run a job of these families, each a list of its rows or what makes its source."""
    told = {name: {**family(), "warm": {}} for name in families}
    job = {"host": "here", "port": 6379, "password": "", "database": {}, "rate": 0, "memory": 0.9, "families": told}
    found = iter(families.values())
    with (
        mock.patch.object(resp.socket, "create_connection", server.accept),
        mock.patch.object(sources, "source_of", lambda *_: next(found)),
    ):
        return warm_job.run({**job, **more.pop("job", {})}, os.fspath(tmp_path), **more)


class Rows:
    """A source of so many rows that ends with an error."""

    digest = "rows"

    def __init__(self, count, error=None, meanwhile=None):
        self.size, self.error, self.meanwhile = count, error, meanwhile or {}

    def rows(self, position=None):
        for number in range(position[0] if position else 0, self.size):
            self.meanwhile.get(number, int)()
            yield {"user_id": number, "value": "x"}, (number + 1,)
        if self.error:
            raise self.error


def test_every_answer_is_counted(tmp_path):
    answers = [b"+OK", b"$-1", b"-WRONGTYPE no", b"+OK"]
    _server, _marks, report = filled(tmp_path, lambda number: answers[number % 4], 400)
    assert (report["written"], report["kept"], report["failed"], report["state"]) == (200, 100, 100, "done")
    assert warm.sentence(report).startswith(
        "user_profile: 400 rows read, 200 keys written, 100 were there, 100 failed, in"
    )


@pytest.mark.parametrize(
    ("answer", "state", "kept"),
    [
        (b"-READONLY You can't write against a read only replica.", "interrupted", False),
        (b"-OOM command not allowed", "full", False),
        (b"-NOPERM this user has no permissions", "failed", False),
        (b"-ERR no idea", "failed", False),
    ],
)
def test_what_makes_no_sense_to_go_on_with_ends(tmp_path, answer, state, kept):
    server, _marks, report = filled(tmp_path, lambda _number: answer, 5000)
    assert report["state"] == state and server.sent < 5000 and report["why"]


SCRIPT_ERROR = b"-ERR Error running script (call to f_0a1b): @user_script:9: @user_script: 9: "


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (SCRIPT_ERROR + b"-READONLY You can't write against a read only replica.", "interrupted"),
        (SCRIPT_ERROR + b"-OOM command not allowed when used memory > 'maxmemory'.", "full"),
        (SCRIPT_ERROR + b"-NOREPLICAS Not enough good replicas to write.", "interrupted"),
        (SCRIPT_ERROR + b"-MISCONF Errors writing to the AOF file: No space left on device", "failed"),
        (SCRIPT_ERROR + b"-WRONGTYPE Operation against a key", "done"),
    ],
)
def test_what_a_script_of_redis_6_runs_into_ends_as_well(tmp_path, answer, state):
    server = Server(lambda number: answer if number >= 500 else b":1")
    families = {"one": family(type="hash")}
    source = Rows(0)
    source.rows = lambda _position: (({"user_id": n, "value": {"a": 1}}, (n + 1,)) for n in range(5000))
    [report] = run(tmp_path, server, {"one": source}, job={"families": families})["reports"]
    assert report["state"] == state and (state == "done") == (server.sent == 5000)


def test_an_interrupted_family_is_gone_on_with(tmp_path):
    calls = []
    server, marks, report = filled(
        tmp_path, lambda _number: b"+OK", 5000, stops=lambda: "enough" if len(calls.append(1) or calls) > 3 else ""
    )
    assert (report["state"], report["why"]) == ("interrupted", "enough")
    assert 0 < report["written"] == server.sent < 5000
    begun = server.sent
    assert marks.position("user_profile", sources.File(tmp_path / "rows.jsonl").digest, 90)[0] == begun
    server, _marks, report = filled(tmp_path, None, 5000, server=server)
    assert (report["state"], report["written"], report["from"]) == ("done", 5000 - begun, begun)


@pytest.mark.parametrize(
    ("what", "begun"),
    [
        (lambda server: None, 3000),
        (lambda server: server.keys.clear(), 0),
        (lambda server: server.keys.discard(b"user_profile:3"), 0),
        (lambda server: setattr(server, "run_id", "two"), 0),
    ],
)
def test_a_server_that_has_lost_the_first_keys_is_filled_anew(tmp_path, what, begun):
    server, source = Server(lambda _number: b"+OK"), Rows(3500, sources.Gone("lost"))
    run(tmp_path, server, {"one": source})
    what(server)
    source.error = None
    [report] = run(tmp_path, server, {"one": source})["reports"]
    assert (report["state"], report["from"], report["read"]) == ("done", begun, 3500 - begun)


def test_a_position_is_as_old_as_the_shortest_life_at_most(tmp_path, monkeypatch):
    """Of 100 s and a jitter of 10 %. What counts is when the filling began, not when its first position was kept."""
    server, source, now = Server(lambda _number: b"+OK"), Rows(3500, sources.Gone("lost")), [1000.0]
    marks = functools.partial(checkpoint.Checkpoint, now=lambda: now[0])
    monkeypatch.setattr(checkpoint, "Checkpoint", marks)
    source.meanwhile = {3400: lambda: now.__setitem__(0, 1060.0)}
    for at, begun in ((1089, 3000), (1091, 0)):
        (tmp_path / "checkpoint.json").unlink(missing_ok=True)
        now[0] = 1000.0
        run(tmp_path, server, {"one": source})
        now[0] = at
        assert run(tmp_path, server, {"one": Rows(3600)})["reports"][0]["from"] == begun


def test_keys_that_a_position_remembers_are_for_its_owner_alone(tmp_path):
    """A key may be what somebody logs in with."""
    run(tmp_path, Server(lambda _number: b"+OK"), {"one": Rows(3500, sources.Gone("lost"))})
    path = tmp_path / "checkpoint.json"
    assert "user_profile:0" in path.read_text() and path.stat().st_mode & 0o777 == 0o600


def test_memory_is_left_alone_at_its_share(tmp_path):
    info = {"maxmemory": str(100 << 20), "used_memory": str(90 << 20)}
    server, _marks, report = filled(tmp_path, lambda _number: b"+OK", info=info)
    assert report["state"] == "full" and server.sent == 0 and "cache_warm_memory is 0.9" in report["why"]
    info["used_memory"] = str(80 << 20)
    assert filled(tmp_path, lambda _number: b"+OK", info=info)[2]["state"] == "done"


def test_a_family_that_is_there_is_left_after_a_failover(tmp_path):
    server, _marks, report = filled(tmp_path, lambda _number: b"$-1", 50_000, probe=True)
    assert report["state"] == "warm" and server.sent <= 3000
    assert filled(tmp_path, lambda number: b"+OK" if number == 7 else b"$-1", 5000, probe=True)[2]["state"] == "done"


def test_what_is_on_the_wire_is_read_before_the_next_family(tmp_path):
    server = Server(lambda number: b"$-1" if number < 5000 else b"+OK")
    result = run(tmp_path, server, {"one": Rows(50_000), "two": Rows(10)}, probe=True)
    one, two = result["reports"]
    assert (one["state"], one["kept"]) == ("warm", server.sent - 10), "what was sent is counted"
    assert (two["state"], two["kept"], result["evicted"]) == ("done", 10, 0)


@pytest.mark.parametrize(
    ("error", "state", "mark"), [(sources.Gone("lost"), "interrupted", (3000,)), (sources.Failed("no"), "failed", None)]
)
def test_a_source_that_is_lost_leaves_nothing_on_the_wire(tmp_path, error, state, mark):
    server = Server(lambda _number: b"+OK")
    result = run(tmp_path, server, {"one": Rows(3500, error)})
    [report] = result["reports"]
    assert (report["state"], report["written"], result["evicted"]) == (state, 3000, 0)
    marks = checkpoint.read(tmp_path / "checkpoint.json")
    assert tuple(marks["one"]["position"] if mark else ()) == (mark or ())


def test_a_server_that_cannot_save_is_told_for_every_family(tmp_path):
    server = Server(lambda _number: b"-MISCONF Redis is configured to save RDB snapshots")
    result = run(tmp_path, server, {"one": Rows(5000), "two": Rows(5000)})
    assert [(each["state"], "MISCONF" in each["why"]) for each in result["reports"]] == [("failed", True)] * 2


def test_a_position_stays_before_the_first_refusal(tmp_path):
    _server, marks, report = filled(tmp_path, lambda number: b"-READONLY no" if 1000 <= number < 2000 else b"+OK", 5000)
    assert (report["state"], report["written"]) == ("interrupted", 2000)
    assert checkpoint.read(tmp_path / "checkpoint.json")["user_profile"]["position"][0] == 1000


def test_a_command_that_is_refused_ends_its_family_alone(tmp_path):
    server, refusals = Server(lambda _number: b"+OK"), iter([bulk(b"sha"), b"-NOPERM this user has no permissions"])
    server.does["SCRIPT"] = lambda _words: next(refusals)
    families = {name: family(type="hash") for name in ("one", "two")}
    result = run(tmp_path, server, {"one": Rows(0), "two": Rows(0)}, job={"families": families})
    assert [each["state"] for each in result["reports"]] == ["done", "failed"]


def slow(server, number=0, then=lambda: None):
    """Rows of a query during which the server closes the connection, which is idle."""

    def idle():
        server.wires[-1].gone = True
        then()

    return Rows(3500, meanwhile={number: idle})


@pytest.mark.parametrize("number", [0, 999, 2500])
def test_a_connection_that_was_idle_is_made_anew(tmp_path, monkeypatch, number):
    monkeypatch.setattr(resp, "IDLE", 0)
    server = Server(lambda _number: b"+OK")
    result = run(tmp_path, server, {"one": slow(server, number), "two": slow(server)})
    assert [(each["state"], each["written"]) for each in result["reports"]] == [("done", 3500)] * 2
    assert len(server.wires) == 3 and result["evicted"] == 0


def test_check_mode_makes_it_anew_as_well(monkeypatch):
    monkeypatch.setattr(resp, "IDLE", 0)
    server = Server(None)
    source = slow(server)
    source.count = lambda: (3500, False)
    job = {"host": "here", "port": 6379, "password": "", "database": {}, "families": {"one": family()}}
    with (
        mock.patch.object(resp.socket, "create_connection", server.accept),
        mock.patch.object(sources, "source_of", lambda *_: source),
    ):
        [told] = warm_job.look(job, {})
    assert (told["probed"], told["missing"], told["why"]) == (200, 200, "")


def test_a_server_that_has_restarted_meanwhile_is_filled_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(resp, "IDLE", 0)
    server = Server(lambda _number: b"+OK")
    source = slow(server, 2500, lambda: setattr(server, "run_id", "two"))
    [report] = run(tmp_path, server, {"one": source})["reports"]
    assert (report["state"], report["why"]) == ("interrupted", "the server has restarted; the next run begins anew")


def test_a_connection_that_is_lost_while_it_is_busy_is_lost(tmp_path):
    server = Server(lambda _number: b"+OK")
    [report] = run(tmp_path, server, {"one": slow(server, 2500)})["reports"]
    assert report["state"] == "interrupted" and "connection to the server was lost" in report["why"]


def test_answers_that_come_too_late_are_not_taken_for_others(tmp_path):
    server = Server(lambda _number: b"+OK")

    class Late(Wire):
        late = True

        def recv(self, size):
            if self.late and b"+OK" in self.unread:
                self.late = False
                raise TimeoutError("timed out")
            return super().recv(size)

    server.accept = lambda *_, **_more: Late(server)
    result = run(tmp_path, server, {"one": Rows(3500), "two": Rows(1)})
    assert [each["state"] for each in result["reports"]] == ["interrupted"] * 2 and result["evicted"] == 0


def test_an_unexpected_error_is_said_in_one_sentence_and_not_tried_again(tmp_path, monkeypatch, capsys):
    def broken(*_, **_more):
        raise KeyError("evicted_keys")

    monkeypatch.setattr(warm_job, "run", broken)
    told = mock.Mock(stops=False)
    assert not warm_program.fill({"deployment": "cache", "families": {"a": {}}}, os.fspath(tmp_path), told)
    assert capsys.readouterr().out == "cache is not filled, of an error in Cistern: KeyError: 'evicted_keys'\n"
    (tmp_path / "file").write_text("")
    assert not warm_program.fill({"deployment": "cache"}, os.fspath(tmp_path / "file" / "redis"), told)
    assert "cache is not filled: " in capsys.readouterr().out


@pytest.mark.parametrize("value", ["x", None])
def test_a_filling_that_nobody_follows_is_ended_too(tmp_path, monkeypatch, value):
    """Also where there is nothing to write in what it reads."""
    now = [0.0]
    monkeypatch.setattr(warm_job, "clock", lambda: now[0])
    source = Rows(0)

    def rows(_position):
        for number in range(50_000):
            now[0] += 0.001
            yield {"user_id": number, "value": value}, (number + 1,)

    source.rows = rows
    one, two = run(tmp_path, Server(lambda _number: b"+OK"), {"one": source, "two": Rows(9)}, job={"seconds": 7})[
        "reports"
    ]
    assert one["state"] == two["state"] == "interrupted" and 7000 <= one["read"] <= 9000 and not two["read"]
    assert one["why"] == "the 7 s that cache_warm_seconds leaves are over; the next run goes on"


def test_the_watcher_has_a_limit(tmp_path, monkeypatch):
    job = {"deployment": "cache", "families": {"a": {"warm": {"after": ["restart"]}}}, "seconds": 60}
    found = []
    monkeypatch.setattr(warm_program, "job_of", lambda: (job, os.fspath(tmp_path)))
    monkeypatch.setattr(warm_program, "Signals", lambda: mock.Mock(stops=False))
    monkeypatch.setattr(warm_job, "run", lambda job, *_, **_more: found.append(job["seconds"]) or {"primary": False})
    monkeypatch.setattr(watch, "watch", lambda _job, _folder, fill, _stops: fill("restart"))
    warm_program.warm_watch()
    assert found == [60]


# -- what the module does


class Ended(Exception):
    """The module has ended, with this result."""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Runs the module against a server, with these options; returns what it returns."""

    def runs(server=None, check=False, **options):
        given = {"deployment": "cache", "name": "redis", "host": "here", "port": 6379, "password": "", **options}
        params = {name: given.get(name, option.get("default")) for name, option in cache_warm_module.SPEC.items()}
        params.update(state_dir=os.fspath(tmp_path), data_dir=os.fspath(tmp_path))

        def ends(failed):
            def end(**result):
                raise Ended({"failed": failed, **result})

            return end

        fake = mock.Mock(params=params, check_mode=check, tmpdir=os.fspath(tmp_path))
        fake.exit_json, fake.fail_json = ends(False), ends(True)
        monkeypatch.setattr(cache_warm_module, "AnsibleModule", lambda **_: fake)
        accept = server.accept if server else mock.Mock(side_effect=ConnectionRefusedError("refused"))
        with mock.patch.object(resp.socket, "create_connection", accept), pytest.raises(Ended) as ended:
            cache_warm_module.main()
        return ended.value.args[0]

    return runs


def test_the_time_is_a_part_of_the_job(module, monkeypatch):
    found = []
    monkeypatch.setattr(warm_worker, "start", lambda job, _folder: found.append(job["seconds"]) or "a")
    monkeypatch.setattr(warm_worker, "follow", lambda *_: {"ended": False, "reports": []})
    told = module(Server(None), seconds=70, poll=0, families={"user_profile": family()})
    assert found == [70] and told["moving"]["follow"] == {"follow": "a"}


def test_who_waits_for_another_run_and_has_no_time_fails(module, tmp_path):
    (tmp_path / "redis").mkdir()
    with warm_job.locked(tmp_path / "redis"):
        told = module(Server(None), seconds=1, poll=0, families={"user_profile": family()})
        assert not told["failed"] and told["moving"]["message"] == "waits for another run that fills this cache"
        told = module(Server(None), seconds=0, poll=3, families={"user_profile": family()})
    assert told["failed"] and told["msg"] == (
        "Nothing was filled: another run fills this cache, and no time is left of cache_warm_seconds."
    )


def test_a_filling_that_does_not_end_in_its_time_is_told_once(module, monkeypatch):
    stopped = []
    monkeypatch.setattr(warm_worker, "stop", lambda _folder, name: stopped.append(name))
    monkeypatch.setattr(warm_worker, "follow", lambda *_: {"ended": False, "reports": []})
    told = module(seconds=0, follow="a", families={"user_profile": family()})
    assert stopped == ["a"] and told["failed"] and "no time is left of cache_warm_seconds" in told["msg"]


def test_there_is_nothing_to_end_where_nothing_was_filled(module, tmp_path):
    assert warm_worker.running(tmp_path / "redis") == []
    for check in (True, False):
        told = module(stop=True, check=check, families={"user_profile": family()})
        assert (told["failed"], told["changed"], told["steps"]) == (False, False, [])


def test_check_mode_tells_that_a_filling_would_be_ended(module, tmp_path, monkeypatch):
    (tmp_path / "redis").mkdir()
    path = warm_worker.path_of(tmp_path / "redis", "a")
    checkpoint.write(path, {"pid": os.getpid(), "ended": False, "why": "", "reports": []})
    stopped = []
    monkeypatch.setattr(warm_worker, "stop", lambda _folder, name: stopped.append(name))
    monkeypatch.setattr(warm_worker, "follow", lambda *_: {"ended": True})
    for check, ended in ((True, []), (False, ["a"])):
        told = module(stop=True, check=check, families={"user_profile": family()})
        assert (told["changed"], told["steps"], stopped) == (True, ["end the filling that is under way"], ended)


@pytest.mark.parametrize(
    ("existing", "there", "changed", "text"),
    [
        ("keep", 2, False, "(0 of the first 2 keys are not there)"),
        ("keep", 1, True, "(1 of the first 2 keys are not there)"),
        ("replace", 2, True, "(0 of the first 2 keys are not there, the others are replaced)"),
    ],
)
def test_check_mode_tells_what_is_replaced(module, existing, there, changed, text):
    server = Server(None)
    server.keys = {b"user_profile:0", b"user_profile:1"} if there == 2 else {b"user_profile:0"}
    families = {"user_profile": family(warm={"existing": existing, "file": "/rows.jsonl"})}
    samples = {"user_profile": {"rows": 2, "keys": ["user_profile:0", "user_profile:1"]}}
    told = module(server, check=True, families=families, samples=samples, files={"user_profile": "/rows.jsonl"})
    assert told["changed"] == changed and text in told["steps"][0]


def test_a_run_that_ends_a_filling_reads_no_file_of_the_controller(monkeypatch):
    task = mock.Mock(check_mode=True, args={"stop": "true", "families": {"a": family()}, "files": {"a": "/no/file"}})
    monkeypatch.setattr(cache_warm_action.Progress, "run", lambda *_: {"steps": []})
    action = cache_warm_action.ActionModule.__new__(cache_warm_action.ActionModule)
    action._task = task
    assert action.run() == {"steps": []} and "samples" not in task.args


def test_a_core_packs_far_more_than_it_has_to(tmp_path):
    """50,000 keys a second are promised. What is measured is time of the core, which other work does not change."""
    rows, used = 100_000, time.process_time()
    filled(tmp_path, lambda _number: b"+OK", rows)
    assert rows / (time.process_time() - used) > 50_000


# -- what an operator wants


def policies(**more):
    families = {"user_profile": family(warm={"sql": "x", "every": "5min"}), "message": family(warm=None)}
    return {"cache": {"families": families}, "sessions": {"families": {"message": family(warm=None)}}, **more}


def test_one_deployment_needs_no_name():
    request = cache_warm.cache_warm_request(policies(), "", "")
    assert (request["deployment"], list(request["families"]), request["errors"]) == ("cache", ["user_profile"], [])


@pytest.mark.parametrize(
    ("deployment", "names", "why"),
    [
        ("cahce", "", "cache_warm: cahce has no family with `warm`; did you mean cache?"),
        ("cache", "message", "cache_warm_families: cache does not warm message; write one or more of user_profile"),
    ],
)
def test_a_wrong_request_is_told(deployment, names, why):
    assert cache_warm.cache_warm_request(policies(), deployment, names)["errors"] == [why]


def test_where_nothing_is_warmed_it_is_told():
    request = cache_warm.cache_warm_request({"sessions": policies()["sessions"]}, "", "")
    assert (request["deployment"], request["families"]) == ("", {})
    assert request["errors"] == ["No deployment has a family with `warm`; write how one is filled into cache_families"]


def test_an_operator_names_families_by_commas():
    families = {name: family(warm={"sql": "x"}) for name in ("a", "b", "c")}
    request = cache_warm.cache_warm_request({"cache": {"families": families}}, "cache", " b, ,a ,x")
    assert list(request["families"]) == ["b", "a"]
    assert request["errors"] == ["cache_warm_families: cache does not warm x; write one or more of a, b, c"]


def test_how_families_are_filled():
    by_query, by_timer = family(warm={"sql": "x"}), family(warm={"file": "/a.jsonl", "every": "5min"})
    by_event = family(warm={"file": "/b.jsonl", "after": ["restart"]})
    declared = {"query": by_query, "timer": by_timer, "event": by_event, "none": family(warm=None)}
    warmed = cache_warm.cache_warmed(declared)
    assert list(warmed) == ["query", "timer", "event"]
    assert cache_warm.cache_warmed(declared, "/data")["timer"]["warm"]["path"] == "/data/timer.jsonl"
    assert list(cache_warm.cache_by_itself(warmed)) == ["timer", "event"]
    assert cache_warm.cache_warm_files(warmed) == [
        {"family": "timer", "file": "/a.jsonl"},
        {"family": "event", "file": "/b.jsonl"},
    ]
    for name, has_query, watched in (("query", True, False), ("timer", False, False), ("event", False, True)):
        assert cache_warm.cache_warm_has_queries({name: warmed[name]}) is has_query
        assert cache_warm.cache_warm_watched({name: warmed[name]}) is watched
    assert cache_warm.cache_warm_timers(warmed, {"path": "/etc/cache-FAMILY.timer", "mode": "0644"}) == [
        {
            "path": "/etc/cache-timer.timer",
            "mode": "0644",
            "vars": {"__cache_timer": {"family": "timer", "every": "5min"}},
        }
    ]
    unit = {"name": "cache-timer.timer", "files": ["/etc/cache-timer.timer"]}
    assert cache_warm.cache_unit_of({"path": "/etc/cache-timer.timer"}) == unit


def test_several_deployments_have_to_be_named():
    told = cache_warm.cache_warm_request(policies(media=policies()["cache"]), "", "")["errors"]
    assert told == ["cache_warm: is missing; write the deployment, one of cache, media"]


def test_the_user_may_write_the_keys_of_its_families_alone():
    rules = cache_warm.cache_warm_rules({"user_profile": {"warm": {"sql": "x"}}, "message": {"warm": None}})
    assert rules.split()[0] == "~user_profile:*" and "message" not in rules and "+set" in rules and "+@" not in rules
    assert cache_warm.cache_warm_rules({}) == "" == cache_warm.cache_warm_rules(None)


def test_how_far_a_filling_is_told():
    reports = [{**warm.report_of("a"), "state": "done"}, {**warm.report_of("b"), "state": "filling", "read": 7}]
    assert cache_warm_report.line(reports) == "1 of 2 families done; b: 7 rows read, 0 keys written, 0 were there"
    assert cache_warm_report.line([]) == "begins"
    reports[1].update(**{"from": 100}, written=4, kept=3)
    assert cache_warm_report.line(reports) == "1 of 2 families done; b: 107 rows read, 4 keys written, 3 were there"
    reports[1]["state"], reports[0]["state"] = "interrupted", "waiting"
    assert cache_warm_report.line(reports) == "1 of 2 families done"


@pytest.mark.parametrize(
    ("existing", "missing", "replaced"),
    [("replace", 4, True), ("replace", 5, False), ("keep", 0, False), (None, 0, False)],
)
def test_a_family_is_replaced_where_it_says_so_and_keys_are_there(existing, missing, replaced):
    job = {"families": {"a": family(warm={"existing": existing} if existing else {})}}
    assert cache_warm_report.replaced(job, {"family": "a", "missing": missing, "probed": 5}) is replaced


def test_a_plan_says_which_database_is_asked():
    warm = {"sql": "SELECT a,\n   b AS value"}
    job = {"families": {"a": family(warm=warm)}, "rate": 1, "database": {"host": "db1", "port": 5432, "name": "chat"}}
    told = {"family": "a", "certain": True, "rows": 7, "missing": 3, "probed": 5, "why": ""}
    [line] = cache_warm_report.planned(job, [told], {})
    assert line.endswith("at most 1 a second, from db1 port 5432, database chat: SELECT a, b AS value")


def test_a_broken_checkpoint_is_none(tmp_path):
    path = os.fspath(tmp_path / "checkpoint.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write("{")
    assert checkpoint.read(path) == {}


@pytest.mark.parametrize(
    ("more", "lives"), [({"jitter": 0}, "100 s"), ({}, "90 to 100 s"), ({"ttl": 5, "jitter": 10}, "5 s")]
)
def test_how_long_keys_will_live_is_told(more, lives):
    job = {"families": {"a": family(warm={"path": "/a.json"}, **more)}, "rate": 0}
    told = {"family": "a", "certain": True, "rows": 7, "missing": 3, "probed": 5, "why": ""}
    assert cache_warm_report.planned(job, [told], {}) == [
        f"fill a with 7 rows (3 of the first 5 keys are not there), which live {lives}, without a limit of their rate, "
        "from /a.json"
    ]
    job = {**job, "rate": 50, "families": {"a": family(warm={"path": "/a", "existing": "replace"}, **more)}}
    assert cache_warm_report.planned(job, [{**told, "certain": False}], {"a": "rows.json"}) == [
        "fill a with about 7 rows (3 of the first 5 keys are not there, the others are replaced), which live "
        f"{lives}, at most 50 a second, from rows.json"
    ]
    assert cache_warm_report.planned(job, [{**told, "why": "it is gone"}], {}) == []
