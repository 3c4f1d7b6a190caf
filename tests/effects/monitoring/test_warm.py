"""A cache under Sentinel is filled from the database of the inventory's Citus: over TLS, its certificate verified."""

import json

import faults
import instances
import nodes
import pytest
from waiting import wait_for

READER, PASSWORD = "cache_reader", "reads and nothing else"
COUNTRIES = 300
FAMILY = {"key": "country:{code}", "type": "string", "ttl": 1800}
QUERY = "SELECT code, row_to_json(c) AS value FROM countries c ORDER BY code"
TABLE = f"""
DROP TABLE IF EXISTS countries;
CREATE TABLE countries (code text PRIMARY KEY, name text);
SELECT create_distributed_table('countries', 'code');
INSERT INTO countries SELECT 'c' || n, 'country ' || n FROM generate_series(1, {COUNTRIES}) n;
DROP ROLE IF EXISTS {READER};
CREATE ROLE {READER} LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_read_all_data;
"""


@pytest.fixture(scope="module")
def coordinator(inventory):
    return nodes.coordinator_of(nodes.read(inventory))


@pytest.fixture(scope="module")
def more(coordinator):
    """What is laid over the inventory: who may read the database, and which family is filled from it."""
    network = coordinator.address.rpartition(".")[0]
    return {
        "citus_hba": [{"database": "chat", "user": READER, "address": f"{network}.0/24"}],
        "cache_families": {"country": {**FAMILY, "warm": {"sql": QUERY, "after": ["failover"]}}},
        "cache_warm_database": {"user": READER},
        "cache_warm_password": PASSWORD,
    }


@pytest.fixture(scope="module")
def warms(playbook, coordinator, more):
    for name in ("citus", "redis", "cache"):
        playbook.run(more, name=name)
    # each of them: one after the other would be one transaction, and Citus makes a role alone
    for statement in TABLE.strip().split(";\n"):
        coordinator.execute(statement.removesuffix(";"))
    yield
    coordinator.execute("DROP TABLE countries")
    coordinator.execute(f"DROP ROLE {READER}")
    playbook.run()


def filled(instance):
    return len(list(instance.redis().scan_iter("country:*", count=1000)))


def test_it_is_filled_by_a_run_and_by_the_server_that_sentinel_makes_primary(everyone, playbook, warms, more):
    [primary] = instances.primaries(everyone)
    run = playbook.run(more, name="cache_warm")
    assert f"country: {COUNTRIES} rows read, {COUNTRIES} keys written" in "\n".join(run.steps(primary.name))
    assert json.loads(primary.redis().get("country:c7"))["name"] == "country 7"
    primary.redis().flushall()
    faults.kill(primary, stays_down=True)
    try:
        others = {name: each for name, each in everyone.items() if each is not primary}
        wait_for(lambda: instances.primaries(others), 90)
        [promoted] = instances.primaries(others)
        wait_for(lambda: filled(promoted) == COUNTRIES, 90)
    finally:
        faults.revive(primary)
    wait_for(lambda: filled(primary) == COUNTRIES, 90)


def test_a_certificate_of_somebody_else_is_not_trusted(everyone, playbook, coordinator, warms, more, tmp_path):
    [primary] = instances.primaries(everyone)
    primary.redis().flushall()
    # a CA of its own, made on the coordinator so that no openssl is needed here
    other = tmp_path / "other.crt"
    made = "openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=other -days 2 2> /dev/null"
    other.write_text(coordinator.run(made) + "\n")
    where = {**more["cache_warm_database"], "sslrootcert": str(other)}
    run = playbook.run({**more, "cache_warm_database": where}, name="cache_warm", fails=True)
    assert "certificate verify failed" in " ".join(run.output.split()) and filled(primary) == 0
