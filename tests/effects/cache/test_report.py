"""A report of 200,000 keys tells what is wrong with them, and nothing else; who is walked; what it leaves alone."""

import json
import re
import socket

import instances
import pytest

JOINED = instances.ROOT / "molecule/cache/joined.yml"
LIVES = {"user_profile": 1800, "user_username": 1800, "user_email": 1800, "message": 300, "conversation": 300}
LIVES |= {"user_messages": 300, "conversation_partners": 600, "unread_count": 300, "user_online": 3600}
SHAPES = {
    "user_profile": "user_profile:%d",
    "user_username": "user_username:name%d",
    "user_email": "user_email:u%d@example.org",
    "message": "message:%d",
    "conversation": "conversation:%d:7:messages:50:0",
    "user_messages": "user_messages:%d:50:0",
    "conversation_partners": "conversation_partners:%d",
    "unread_count": "unread_count:%d",
    "user_online": "user_online:%d",
}
EACH = 22_000
# what is wrong: how many, and what the report calls it
WITHOUT, OVER, OTHER_TYPE, UNKNOWN = 1500, 800, 12, 400
HOSTILE = b"<script>alert(1)</script>\xff\x00\n\x1b[31m"
HUGE = "conversation:1:2:messages:5000:0"


def packed(*words):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def insert(instance, commands):
    """Send commands as fast as the server takes them."""
    count = 0
    with socket.create_connection((instance.address, instance.vars["redis_port"]), timeout=60) as connection:
        connection.sendall(packed("AUTH", instance.vars["redis_password"]))
        connection.sendall(b"".join(commands) + packed("ECHO", "the end"))
        answers = b""
        while b"the end\r\n" not in answers[-40:]:
            answers = answers[-40:] + connection.recv(1 << 20)
            count += 1
    assert count


def commands():
    for name, shape in SHAPES.items():
        for number in range(EACH):
            # spread over the first nine tenths of its time, less what this test may last
            lives = LIVES[name] * (number % 9 + 1) / 10 - 0.5
            yield packed("SET", shape % number, "x" * 40, "PX", round(lives * 1000) if lives > 120 else 120_000)
    yield packed("SADD", "online_users", *range(300)) + packed("EXPIRE", "online_users", 3000)
    for number in range(WITHOUT):
        yield packed("SET", f"user_profile:{10**6 + number}", "x")
    for number in range(OVER):
        yield packed("SET", f"message:{10**6 + number}", "x", "EX", 86400)
    for number in range(OTHER_TYPE):
        key = f"unread_count:{10**6 + number}"
        yield packed("HSET", key, "a", 1) + packed("EXPIRE", key, 250)
    yield packed("SET", HUGE, "x" * 700_000, "EX", 290)
    for number in range(UNKNOWN):
        yield packed("SET", f"session:{number}:v2", "x", "EX", 1000)
    yield packed("SET", HOSTILE, "x")


@pytest.fixture
def cache(everyone):
    """The deployment `cache`, its primary first, without keys."""
    found = [everyone[name] for name in ("cache1", "cache2")]
    found.sort(key=lambda instance: instance.role() != "master")
    found[0].redis().flushall()
    return found


def report(playbook, folder, deployment="cache", *words, fails=False):
    options = ["-e", f"cache_report={deployment}", "-e", f"cache_report_dir={folder}", *words]
    run = playbook.run(name="cache_report", options=["-e", "cache_report_seconds=1", *options], fails=fails)
    found = json.loads((folder / f"{deployment}.json").read_text(encoding="utf-8")) if not fails else None
    return run, found


def calls(instance, name):
    return instance.redis().info("commandstats").get(f"cmdstat_{name}", {"calls": 0})["calls"]


def wrong(database):
    """What a report says is wrong, without what is right."""
    found = {}
    for name, family in database["families"].items():
        for what in ("without_ttl", "over_ttl", "wrong_type"):
            if family[what]:
                found[name, what] = family[what]
    return found


def test_what_is_wrong_is_found_and_nothing_else(cache, playbook, tmp_path):
    primary, replica = cache
    insert(primary, commands())
    primary.redis().execute_command("WAIT", 1, 20000)
    assert primary.redis().dbsize() > 199_000
    for instance in cache:
        instance.redis().config_resetstat()
        instance.redis().slowlog_reset()
    run, found = report(playbook, tmp_path)
    assert run.changed == 0
    [database] = found["databases"]
    expected = dict.fromkeys(SHAPES, EACH) | {"online_users": 1}
    expected["user_profile"] += WITHOUT
    expected["message"] += OVER
    expected["unread_count"] += OTHER_TYPE
    expected["conversation"] += 1
    assert {name: family["keys"] for name, family in database["families"].items()} == expected
    assert wrong(database) == {
        ("user_profile", "without_ttl"): WITHOUT,
        ("message", "over_ttl"): OVER,
        ("unread_count", "wrong_type"): OTHER_TYPE,
    }
    assert database["unknown"]["keys"] == UNKNOWN + 1 and database["unknown"]["without_ttl"] == 1
    assert database["unknown"]["patterns"][0]["pattern"] == "session:<n>:v<n>"
    assert found["total"]["keys"] == replica.redis().dbsize()
    biggest = database["families"]["conversation"]["biggest"][0]
    assert biggest["key"] == HUGE and biggest["bytes"] > 700_000
    for name, family in database["families"].items():
        assert sum(family["tenths"]) == family["keys"] - family["without_ttl"] - family["over_ttl"], name
    # only the advice that the keys ask for; what a busy machine makes slow is another matter
    told = {finding["id"] for finding in found["advice"] if not finding["host"]}
    assert told == {"ttl_missing", "ttl_over", "types", "big_values"}
    # the replica was walked, in pages, by nothing but what reads
    assert found["walked"]["host"] == replica.name and found["walked"]["by"] == "script"
    assert calls(primary, "scan") == 0 and calls(replica, "scan") == found["walked"]["pages"] >= 6000
    for instance in cache:
        assert calls(instance, "keys") == calls(instance, "get") == calls(instance, "evalsha") == 0
    # lookups of the walk are not those of the application
    assert found["instances"][replica.name]["hits"] == 0
    page = (tmp_path / "cache.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(&lt;n&gt;)&lt;/script&gt;\\xff\\x00\\x0a\\x1b[&lt;n&gt;m" in page
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?\w""", page)
    for text in (run.output, page, json.dumps(found)):
        assert primary.vars["redis_password"] not in text
    # again: the same keys, and nothing changed
    again, second = report(playbook, tmp_path, "cache", "-e", "cache_report_rate=50000")
    assert again.changed == 0 and second["total"]["keys"] == found["total"]["keys"]
    assert wrong(second["databases"][0]) == wrong(database)


def test_without_its_replica_the_primary_is_walked_more_slowly(cache, playbook, tmp_path):
    primary, replica = cache
    primary.redis().mset({f"user_profile:{number}": "x" for number in range(500)})
    replica.run(f"systemctl stop {replica.unit}")
    try:
        run, found = report(playbook, tmp_path)
    finally:
        replica.run(f"systemctl start {replica.unit}")
    assert found["walked"]["host"] == primary.name and found["walked"]["rate"] == 5000
    assert found["total"]["keys"] == 500
    assert f"{primary.name} is primary, and no replica of it is online (a primary is walked more slowly)" in run.output
    assert f"{replica.name} told nothing: the server does not answer" in run.output


def test_every_database_of_redis_8_is_told(everyone, playbook, tmp_path):
    server = everyone["media1"]
    assert server.redis().info("server")["redis_version"].startswith("8.")
    server.redis().mset({f"message:{number}": "x" for number in range(100)})
    other = server.redis(db=3)
    other.set("user_profile:1", "x", ex=1800)
    _run, found = report(playbook, tmp_path, "media")
    told = {
        each["db"]: {name: family["keys"] for name, family in each["families"].items() if family["keys"]}
        for each in found["databases"]
    }
    assert told == {0: {"message": 100}, 3: {"user_profile": 1}}
    assert found["walked"]["why"] == "media1 is the only server"


def test_a_wrong_request_ends_before_a_server_is_asked(everyone, playbook, tmp_path):
    run, _found = report(playbook, tmp_path, "cash", fails=True)
    assert "no deployment cash has key families; write one of cache, media" in " ".join(run.output.split())


def test_metrics_are_told_where_somebody_watches(cache, playbook):
    primary, replica = cache
    here = ["--limit", "cache1,cache2,sessions1"]
    watched = ["--inventory", str(JOINED), *here]
    for name in ("redis", "cache"):
        playbook.run(name=name, options=watched)
    assert playbook.run(name="cache", options=watched).changed == 0
    primary.redis().mset({f"message:{number}": "x" for number in range(40)} | {"left over": "x"})
    primary.redis().execute_command("WAIT", 1, 5000)
    file = "/var/lib/prometheus/node-exporter/cistern-cache-redis.prom"
    try:
        for instance in cache:
            instance.run("systemctl start cistern-cache-metrics-redis.service")
        assert not primary.host.file(file).exists
        told = replica.run(f"cat {file}")
        assert 'cistern_cache_family_keys{deployment="cache",family="message"} 40\n' in told
        assert 'cistern_cache_family_keys_without_ttl{deployment="cache",family="message"} 40\n' in told
        assert 'cistern_cache_unknown_keys{deployment="cache"} 1\n' in told
        assert replica.host.file(file).mode == 0o644 and replica.host.file(file).user == "cistern-report"
        # its user may do no more than it needs: nothing was refused, and values are out of its reach
        assert replica.redis().execute_command("ACL", "LOG") == []
        secret = replica.run("cat /etc/cistern/cistern-report.password").strip()
        for words in (("GET", "message:1"), ("SET", "a", "b"), ("CONFIG", "GET", "*")):
            with pytest.raises(instances.redis.exceptions.ResponseError, match="no permissions|NOPERM"):
                replica.redis(secret, username="cistern-report").execute_command(*words)
        # who walks no longer takes its file away
        replica.run(f"systemctl stop {replica.unit}")
        replica.run("systemctl start cistern-cache-metrics-redis.service")
        primary.run("systemctl start cistern-cache-metrics-redis.service")
        assert primary.host.file(file).exists and not replica.host.file(file).exists
    finally:
        replica.run(f"systemctl start {replica.unit}")
        for name in ("cache", "redis"):
            playbook.run(name=name, options=here)
    for instance in cache:
        assert not instance.host.file(file).exists
        assert instance.run("systemctl list-timers --all --no-legend 'cistern-cache-metrics*'") == ""
