"""Who may read what: passwords, what the exporters may do in the servers, and where a password must not appear."""

import base64

import pytest
import redis
from waiting import wait_for

PASSWORDS = "/run/cistern-redis-exporter/passwords.json"
CREDENTIAL = "/run/credentials/prometheus-redis-exporter.service/redis.password"
PASSWORD = "/etc/cistern/cistern-exporter.password"
# Where each program's words may end up.
PLACES = {
    "arguments": "ps -ewwo args",
    "environment": "cat /proc/[0-9]*/environ",
    "journal": "journalctl --boot --no-pager",
    "units": "systemctl show '*'; cat /etc/systemd/system/*/*.conf /etc/default/prometheus*",
}


def contents(machine, secret, command):
    """Return how many lines of what a command says have a secret, as it is or as Python quotes it.

    It travels encoded, lest the test be the leak.
    """
    quoted = repr(secret)[1:-1]
    pattern = base64.b64encode("\n".join({secret, quoted, repr(quoted)[1:-1]}).encode()).decode()
    found = machine.host.run(
        f"pattern=$(mktemp) && echo {pattern} | base64 -d > $pattern"
        f" && ({command}) 2> /dev/null | grep --text --count --fixed-strings --file $pattern; rm $pattern"
    )
    return int(found.stdout.strip())


@pytest.fixture(scope="module")
def secrets(machines, watch):
    """Return the secrets of each machine."""
    [config] = watch.vars["monitoring_receivers"][0]["webhook_configs"]
    found = {name: {} for name in machines}
    found[watch.name]["receiver"] = config["http_config"]["authorization"]["credentials"]
    for name, machine in machines.items():
        if "redis" in machine.groups:
            found[name]["exporter"] = machine.run(f"cat {PASSWORD}").strip()
            found[name] |= {key: machine.vars[key] for key in ("redis_password", "redis_sentinel_password")}
        if "citus" in machine.groups:
            found[name]["citus"] = machine.vars["citus_password"]
    return found


def test_the_password_of_an_exporter_is_its_own(machines):
    for machine in machines.values():
        if "redis" not in machine.groups:
            continue
        for user in ("nobody", "redis", "prometheus"):
            for path in (PASSWORD, CREDENTIAL, PASSWORDS):
                assert machine.host.run(f"runuser -u {user} -- cat {path}").stdout == "", (user, path)
        assert machine.run(f"runuser -u cistern-exporter -- cat {PASSWORDS}")
        assert machine.host.run(f"runuser -u cistern-exporter -- cat {PASSWORD}").stdout == ""


def test_who_is_told_is_read_by_alertmanager_alone(watch):
    for user in ("nobody", "ops"):
        assert watch.host.run(f"runuser -u {user} -- cat /etc/prometheus/alertmanager.yml").stdout == ""


def test_the_exporter_of_postgresql_reads_statistics_and_no_data(machines):
    for machine in machines.values():
        if "citus" not in machine.groups:
            continue

        database = machine.vars.get("citus_database", "chat")

        def asked(user, query, role="cistern-exporter", machine=machine, database=database):
            command = f'psql -XAtq -U {role} -d {database} -c "{query}"'
            return machine.host.run(f"cd /; runuser -u {user} -- {command}")

        assert asked("cistern-exporter", "SELECT count(*) FROM pg_stat_activity").succeeded
        assert asked("nobody", "SELECT 1").failed and asked("prometheus", "SELECT 1").failed
        assert asked("postgres", "CREATE TABLE IF NOT EXISTS seen_by_nobody (a int)", "postgres").succeeded
        for query in (
            "SELECT * FROM seen_by_nobody",
            "SELECT rolpassword FROM pg_authid",
            "CREATE TABLE a (b int)",
            "ALTER SYSTEM SET log_statement = 'all'",
            "SELECT pg_read_file('/etc/passwd')",
            "DROP TABLE seen_by_nobody",
        ):
            assert asked("cistern-exporter", query).failed, query
        assert asked("postgres", "DROP TABLE seen_by_nobody", "postgres").succeeded


def test_the_search_finds_what_is_there(machines, secrets):
    machine = machines["redis1"]
    assert contents(machine, secrets["redis1"]["exporter"], f"cat {PASSWORDS}") == 1


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_where_others_look(machines, secrets, place):
    for name, machine in machines.items():
        for kind, secret in secrets[name].items():
            assert contents(machine, secret, PLACES[place]) == 0, (name, kind, place)


def test_no_page_has_a_secret(machines, secrets):
    everything = {kind + name: secret for name, each in secrets.items() for kind, secret in each.items()}
    for machine in machines.values():
        for unit in machine.units:
            pages = machine.fetch(unit, "/metrics")
            if unit == "prometheus.service":
                pages += machine.fetch(unit, "/api/v1/status/config") + machine.fetch(unit, "/api/v1/targets")
            assert [kind for kind, secret in everything.items() if secret in pages] == [], unit


def test_no_run_tells_a_secret(playbook, machines, watch, secrets):
    watch.run("rm /etc/prometheus/alertmanager.yml")
    machines["redis1"].run("rm /etc/systemd/system/prometheus-redis-exporter.service.d/cistern.conf")
    output = ""
    for options in (["--check", "--diff", "-vvv"], ["--diff", "-vvv"]):
        run = playbook.run(name="monitoring", options=options)
        assert "write /etc/prometheus/alertmanager.yml" in run.steps("watch1")
        output += run.output
    everything = {kind + name: secret for name, each in secrets.items() for kind, secret in each.items()}
    assert [kind for kind, secret in everything.items() if secret in output] == []


def test_a_new_password_is_taken_up(playbook, everyone, machines, watch):
    """The servers take it at once; the exporter reads it at its start, so that it restarts where it is newer."""
    machine, one = machines["redis2"], everyone["redis2"]
    before = machine.run(f"cat {PASSWORD}").strip()
    machine.run(f"rm {PASSWORD}")
    told = playbook.run(name="redis", options=["--diff", "-vvv"])
    after = machine.run(f"cat {PASSWORD}").strip()
    assert after != before and after not in told.output
    for port in (one.vars["redis_port"], one.vars["redis_sentinel_port"]):
        assert redis.Redis(host=one.address, port=port, username="cistern-exporter", password=after).ping()
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(host=one.address, port=port, username="cistern-exporter", password=before).ping()
    run = playbook.run(name="monitoring")
    assert run.steps("redis2")[0] == "restart prometheus-redis-exporter.service"
    wait_for(lambda: watch.query("redis_up{instance='redis2'} == 1"))
    assert playbook.run(name="monitoring").changed == 0
