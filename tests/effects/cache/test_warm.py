"""Families are filled from the database and from files: what is in the server afterwards, and what never happens."""

import json
import re
import shlex
import time

import instances
import pytest
from inventory import host_vars_of, ssh

PASSWORD = "reads and nothing else"
LIMIT = ["--limit", "cache"]
USERS, ROWS, TTL = 1500, 20_000, 300
DATABASE = f"""
SET client_min_messages = warning;
TRUNCATE users CASCADE;
INSERT INTO users (user_id, username, email) SELECT n, 'user' || n, 'user' || n || '@example.org'
  FROM generate_series(1, {USERS}) n ON CONFLICT DO NOTHING;
INSERT INTO users (user_id, username, email) VALUES (9001, 'O''Brien', 'o@example.org'), (9002, 'a:b', 'ab@example.org')
  ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS written (at timestamptz);
-- whoever calls it may write: what keeps it from that is the transaction alone
CREATE OR REPLACE FUNCTION write_it() RETURNS text LANGUAGE sql SECURITY DEFINER
  AS $$ INSERT INTO written VALUES (now()) RETURNING 'x' $$;
DROP ROLE IF EXISTS cache_reader;
CREATE ROLE cache_reader LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_read_all_data;
"""
PROFILES = "SELECT user_id, row_to_json(u) AS value FROM users u WHERE username <> %(not)s ORDER BY user_id"
NAMES = "SELECT username, user_id AS value FROM users"
PAGES = 'SELECT user_id, 20 AS "limit", 0 AS "offset", json_build_array(username, email) AS value FROM users LIMIT 50'


@pytest.fixture(scope="module")
def database(inventory):
    """A plain PostgreSQL with the tables of the chat platform, and a role that can read them."""
    [host_vars] = host_vars_of(inventory, "database", "redis", ()).values()
    host = ssh(host_vars, host_vars["ansible_host"])
    network = host_vars["ansible_host"].rpartition(".")[0]

    def run(command, **more):
        done = host.run(command, **more)
        assert done.succeeded, done.stderr
        return done.stdout.strip()

    def ask(query):
        return run(f"cd /; runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d chat -c {query!r}")

    run(
        "cd /; folder=$(ls -d /etc/postgresql/*/main)\n"
        f"echo 'host chat cache_reader {network}.0/24 scram-sha-256' >> $folder/pg_hba.conf\n"
        "echo \"listen_addresses = '*'\" > $folder/conf.d/lab.conf\n"
        # also where its package has started it without its unit
        "pg_ctlcluster $(basename $(dirname $folder)) main restart\n"
        "runuser -u postgres -- createdb chat 2>/dev/null || true"
    )
    tables = (instances.ROOT / "inventories/lab/chat.sql").read_text(encoding="utf-8")
    run(f"cd /; runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 -d chat <<'END'\n{tables}\n{DATABASE}\nEND")
    return host_vars["ansible_host"], ask


@pytest.fixture(scope="module")
def more(database, tmp_path_factory):
    """What is laid over the inventory: how families are filled."""
    path = tmp_path_factory.mktemp("warm") / "messages.jsonl"
    lines = [json.dumps({"message_id": number, "value": {"id": number, "body": "x" * 80}}) for number in range(ROWS)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    families = {
        "user_profile": {"warm": {"sql": PROFILES, "parameters": {"not": "O'Brien"}}},
        "user_username": {"warm": {"sql": NAMES, "after": ["restart", "failover"]}},
        "user_messages": {"type": "list", "warm": {"sql": PAGES}},
        "unread_count": {"warm": {"sql": "SELECT user_id, 0 AS value FROM users LIMIT 10", "every": "3s"}},
        "message": {"jitter": 50, "warm": {"file": str(path), "after": ["failover"]}},
    }
    where = {"host": database[0], "name": "chat", "user": "cache_reader"}
    return {"cache_warm_database": where, "cache_warm_password": PASSWORD, "cache_families": families}


@pytest.fixture(scope="module")
def warms(playbook, everyone, more):
    """The hosts fill by themselves; in the end nothing of it is left."""
    playbook.run(more, LIMIT, name="redis")
    playbook.run(more, LIMIT, name="cache")
    assert playbook.run(more, LIMIT, name="cache").changed == 0
    yield more
    left = (
        "systemctl list-units --all --no-legend --plain 'cistern-cache-wa*'; ls /etc/systemd/system /etc/cistern"
        " | grep cache-wa; find /var/lib/cistern/cache-warm-data -type f"
    )
    hosts = [everyone[name] for name in ("cache1", "cache2")]
    by_hand = {"message": {"warm": {"file": more["cache_families"]["message"]["warm"]["file"]}}}
    playbook.run({"cache_families": by_hand}, LIMIT, name="cache")
    assert [host.run(left) for host in hosts] == ["/var/lib/cistern/cache-warm-data/redis/message.jsonl"] * 2
    playbook.run(options=LIMIT)
    for host in hosts:
        assert host.run(left) == "" and "cistern-warm" not in host.redis().acl_users()


@pytest.fixture
def cache(everyone):
    """The deployment `cache`, its primary first."""
    found = [everyone[name] for name in ("cache1", "cache2")]
    found.sort(key=lambda instance: instance.role() != "master")
    found[0].redis().flushall()
    return found


def warm(playbook, more, families, check=False, fails=False, **also):
    options = ["-e", f"cache_warm=cache cache_warm_families={families}", *(["--check"] if check else [])]
    return playbook.run({**more, **also}, options, fails=fails, name="cache_warm")


def keys(instance, pattern):
    return set(instance.redis().scan_iter(pattern, count=10_000))


def wait_for(instance, pattern, count, seconds):
    until = time.monotonic() + seconds
    while len(keys(instance, pattern)) < count:
        assert time.monotonic() < until, f"{len(keys(instance, pattern))} of {count}"
        time.sleep(0.2)


def test_families_are_filled_from_the_database_and_from_a_file(cache, playbook, warms):
    primary, replica = cache
    client = primary.redis()
    client.set("user_profile:7", "newer, of the application", ex=1800)
    check = warm(playbook, warms, "user_profile,message,user_messages", check=True)
    assert keys(primary, "[^u]*") == set() and keys(primary, "user_profile:*") == {"user_profile:7"}
    assert re.search(r"fill user_profile with about \d+ rows \(199 of the first 200 keys are not there\)", check.output)
    assert (
        f"fill message with {ROWS} rows (200 of the first 200 keys are not there), which live 150 to 300 s"
        in check.output
    )
    run = warm(playbook, warms, "user_profile,message,user_messages,user_username")
    assert run.changed == 1 and run.steps(replica.name) == []
    told = "\n".join(run.steps(primary.name))
    # a parameter with a quote is one value: only O'Brien is left out
    assert f"user_profile: {USERS + 1} rows read, {USERS} keys written, 1 were there" in told
    assert f"message: {ROWS} rows read, {ROWS} keys written, 0 were there" in told
    assert client.get("user_profile:7") == "newer, of the application"
    assert json.loads(client.get("user_profile:8"))["username"] == "user8"
    assert not client.exists("user_profile:9001") and client.get("user_username:O'Brien") == "9001"
    # its key would belong to no family
    assert "1 failed" in told and "'a:b' as username" in told and not client.exists("user_username:a:b")
    assert client.lrange("user_messages:1:20:0", 0, -1) == ["user1", "user1@example.org"]
    pipeline = client.pipeline(transaction=False)
    for number in range(ROWS):
        pipeline.pttl(f"message:{number}")
    lives = pipeline.execute()
    assert TTL * 500 - 30_000 <= min(lives) <= TTL * 550 and TTL * 900 <= max(lives) <= TTL * 1000
    assert len(set(lives)) > ROWS / 4, "they do not live as long as each other"
    second = warm(playbook, warms, "user_profile,message,user_messages")
    assert second.changed == 0 and f"message: {ROWS} rows read, 0 keys written" in second.output


def test_a_query_that_writes_is_refused(cache, database, playbook, warms):
    asks = database[1]
    ways = [
        ("SELECT user_id, write_it() AS value FROM users", "read-only transaction"),
        ("DELETE FROM users RETURNING user_id, username AS value", "syntax error"),
    ]
    for sql, why in ways:
        families = {**warms["cache_families"], "user_profile": {"warm": {"sql": sql}}}
        run = warm(playbook, warms, "user_profile", fails=True, cache_families=families)
        assert why in " ".join(run.output.split())
    assert asks("SELECT count(*) FROM written") == "0" and asks("SELECT count(*) > 1000 FROM users") == "t"
    assert keys(cache[0], "user_profile:*") == set()


def test_memory_is_not_filled_and_nothing_is_evicted(cache, playbook, warms):
    client = cache[0].redis()
    before = client.info("memory")["used_memory"]
    limit = before + (4 << 20)
    evicted, usual = client.info("stats")["evicted_keys"], client.config_get("maxmemory")["maxmemory"]
    client.config_set("maxmemory", limit)
    try:
        run = warm(playbook, warms, "message,user_profile")
        [message, profile] = run.steps(cache[0].name)
        assert "stopped: memory: " in message and "cache_warm_memory is 0.9" in message and "stopped" in profile
        assert client.info("memory")["used_memory"] < limit and client.info("stats")["evicted_keys"] == evicted
        assert 0 < len(keys(cache[0], "message:*")) < ROWS
    finally:
        client.config_set("maxmemory", usual)


def job_of(instance):
    """Return (pid, rows) of the filling that runs."""
    told = instance.host.run("cat /var/lib/cistern/cache-warm/redis/job-*.json").stdout
    found = json.loads(told) if told else {}
    return found.get("pid"), sum(each["read"] for each in found.get("reports", []))


def test_what_was_killed_is_gone_on_with_and_the_password_is_nowhere(cache, playbook, warms):
    primary, options = cache[0], ["-vvv", "-e", "cache_warm=cache cache_warm_families=message,user_profile"]
    process = playbook.start({**warms, "cache_warm_rate": 2000}, options, "cache_warm")
    until = time.monotonic() + 40
    while job_of(primary)[1] < 4000:
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.2)
    seen = primary.run(
        "ps axww -o args; cat /proc/[0-9]*/environ | tr '\\0' '\\n'; ls -la /var/lib/cistern/cache-warm/redis"
    )
    primary.run(f"kill -9 {job_of(primary)[0]}")
    output = process.communicate(timeout=60)[0]
    assert process.returncode and "the filling was killed" in " ".join(output.split()).lower()
    written = len(keys(primary, "message:*"))
    run = warm(playbook, warms, "message")
    begun = int(re.search(r"from row (\d+) on", run.output)[1])
    assert 2000 < begun <= written + 1 < ROWS and len(keys(primary, "message:*")) == ROWS
    journal = primary.run("journalctl --no-pager; cat /var/lib/cistern/cache-warm/redis/*.json")
    for text in (seen, output, run.output, journal):
        assert PASSWORD not in text and primary.vars["redis_password"] not in text


def test_a_core_of_the_host_fills_fast_enough(cache, warms):
    """Time of the core, which does not depend on what else the machine does; bench/warm.py has the other figures."""
    program = f"""
import os, sys, time
sys.path.insert(0, "/usr/local/lib")
from cistern.cache.warm import job as warm_job
family = {{"key": "message:{{message_id}}", "type": "string", "ttl": 300, "warm": {{"path": sys.argv[1]}}}}
job = {{"host": "127.0.0.1", "port": {cache[0].vars["redis_port"]}, "password": os.environ["REDISCLI_AUTH"], "rate": 0}}
job.update(memory=1, database={{}}, families={{"message": family}})
[report] = warm_job.run(job, "/tmp")["reports"]
print(report["written"], time.process_time())
"""
    secret = shlex.quote(cache[0].vars["redis_password"])
    path = "/var/lib/cistern/cache-warm-data/redis/message.jsonl"
    done = cache[0].run(f"REDISCLI_AUTH={secret} python3 -c {shlex.quote(program)} {path}; rm -f /tmp/checkpoint.json")
    written, seconds = done.split()
    assert int(written) == ROWS and ROWS / float(seconds) > 50_000


def test_a_timer_fills(cache, warms):
    primary, replica = cache
    primary.redis().flushall()
    wait_for(primary, "unread_count:*", 10, 15)
    assert "this server is a replica" in replica.run("journalctl -u 'cistern-cache-warm-redis@unread_count' -o cat")


def test_a_restart_is_filled_after(cache, warms):
    primary = cache[0]
    primary.redis().flushall()
    primary.run(f"systemctl restart {primary.unit}")
    wait_for(primary, "user_username:*", USERS, 20)
    assert keys(primary, "message:*") == set(), "its family does not say so"


def test_a_failover_is_filled_after(cache, playbook, warms):
    primary, replica = cache
    primary.redis().flushall()
    playbook.run(options=["-e", f"redis_failover=cache redis_failover_to={replica.name}"], name="redis_failover")
    wait_for(replica, "user_username:*", USERS, 20)
    wait_for(replica, "message:*", ROWS, 20)
