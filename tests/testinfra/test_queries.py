"""Has every query that Cistern ships an answer? Asks the Prometheus of the group monitoring; changes nothing.

Of an alert, which has an answer only while something is wrong, each series that it looks at must be there.
PROMETHEUS_URL=http://localhost:9090 in the environment asks that one, without SSH and without an inventory.
EVERY_PART=1 says that all there is to ask about is there: keys, lookups, replicas, Citus. Then nothing is left out for
want of it.
"""

import base64
import json
import os
import re
import subprocess
import sys
import time

import pytest
import queries
from inventory import host_vars_of, ssh

# What a well deployment does not have, and why. Everything else must be there.
EMPTY = {
    "the exporter may look": [r"redis_exporter_last_scrape_error\{.*NOPERM"],
    "a cache evicts": [r"^redis_instance_info\{.*noeviction"],
    "the exporter of Debian 12 and Ubuntu 24.04 does not tell it": [r"^redis_max_clients"],
    "nothing is wrong": [r"^ALERTS\{"],
    "no shard is being moved": [r"pg_replication_slots_pg_wal_lsn_diff"],
}
# What there may not be: which queries are about it, and what Prometheus has where it is there.
PARTS = {
    "Citus": (r"\bpg_|citus_|postgresql", 'up{job="postgresql"}'),
    "Sentinel": (r"sentinel", 'up{job="sentinel"}'),
    "replica": (r"slave|master_link_up|redis_lag|good_replicas", "cistern:redis_replicas > 0"),
    "lookup in the last minutes": (r"hit_rate|redis_lookups:rate5m > 0", "deployment:redis_lookups:rate5m > 0"),
    "key family": (r"cache_(?!hit)", "cistern:cache_family_ttl_seconds"),
    "key that a walk has seen": (
        r"cache_\w+:ratio|cache_(keys|bytes):max(\{[^}]*\})?\)? > 0|cache_walk_keys\)? > 0|pttl",
        "cistern_cache_walk_keys > 0",
    ),
}
WHOLE = dict(queries.queries())
PATIENCE = 120  # a rate has no answer before the second scrape, and what is recorded from it none before the next turn

ASK = """
import base64, json, sys, urllib.parse, urllib.request
url, asked = sys.argv[1], json.loads(base64.b64decode(sys.argv[2]))
def series(expr):
    body = urllib.parse.urlencode({"query": expr}).encode()
    try:
        with urllib.request.urlopen(url + "/api/v1/query", body) as answer:
            return len(json.load(answer)["data"]["result"])
    except urllib.error.HTTPError as refused:
        return json.load(refused)["error"]
print(json.dumps({expr: series(expr) for expr in asked}))
"""


def pytest_generate_tests(metafunc):
    """Nothing is asked where the inventory has no monitoring."""
    there = os.environ.get("PROMETHEUS_URL") or watchers(metafunc.config)
    for fixture, values in (("name", WHOLE), ("selector", queries.every_selector())):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, values if there else [])


def watchers(config):
    """The hosts of the group monitoring, and what the inventory says of them."""
    inventory = config.getoption("ansible_inventory")
    if not inventory:
        raise pytest.UsageError("which inventory? --ansible-inventory=inventories/<environment>")
    if not hasattr(config, "_watchers"):
        config._watchers = host_vars_of(inventory, "monitoring", "monitoring", ("monitoring_",))
    return config._watchers


@pytest.fixture(scope="session")
def ask(pytestconfig):
    """A function that takes expressions and returns how many series each has, or why it is refused."""
    url = os.environ.get("PROMETHEUS_URL")
    if url:
        return lambda asked: json.loads(subprocess.check_output([sys.executable, "-c", ASK, url, packed(asked)]))
    name, host_vars = next(iter(watchers(pytestconfig).items()))
    host = ssh(host_vars, host_vars.get("ansible_host", name))
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host_vars["monitoring_bind"], host_vars["monitoring_bind"])
    url = f"http://{f'[{address}]' if ':' in address else address}:{host_vars['monitoring_prometheus_port']}"
    return lambda asked: json.loads(host.check_output("python3 -c %s %s %s", ASK, url, packed(asked)))


def packed(asked):
    return base64.b64encode(json.dumps(list(asked)).encode()).decode()


@pytest.fixture(scope="session")
def answers(ask):
    """What every query and selector finds; those without data are asked again for a while."""
    found = {}
    missing = {*WHOLE.values(), *queries.every_selector(), *(there for _about, there in PARTS.values())}
    end = time.monotonic() + PATIENCE
    while True:
        found.update(ask(sorted(missing)))
        missing = {expr for expr, count in found.items() if count == 0 and not reason_of(expr)}
        missing -= {expr for expr in missing if part_that_is_not_there(expr, found)}
        if not missing or time.monotonic() > end:
            return found
        time.sleep(5)


def reason_of(expr):
    return next((why for why, patterns in EMPTY.items() if any(re.search(each, expr) for each in patterns)), None)


def part_that_is_not_there(expr, found):
    if os.environ.get("EVERY_PART"):
        return None
    return next((part for part, (about, there) in PARTS.items() if re.search(about, expr) and not found[there]), None)


def check(expr, found):
    part = part_that_is_not_there(expr, found)
    if part:
        pytest.skip(f"there is no {part}")
    assert isinstance(found[expr], int), f"{found[expr]}: {expr}"
    if not found[expr] and reason_of(expr):
        pytest.skip(reason_of(expr))
    assert found[expr], f"no data: {expr}"


def test_a_panel_or_a_recording_rule_has_data(name, answers):
    check(WHOLE[name], answers)


def test_a_series_that_is_looked_at_is_there(selector, answers):
    check(selector, answers)


def test_what_may_be_empty_is_little_and_asked_for():
    asked = [*WHOLE.values(), *queries.every_selector()]
    patterns = [pattern for each in EMPTY.values() for pattern in each]
    assert [pattern for pattern in patterns if not any(re.search(pattern, expr) for expr in asked)] == []
    assert len(EMPTY) <= 5 and sum(bool(reason_of(expr)) for expr in asked) <= 0.1 * len(asked)
