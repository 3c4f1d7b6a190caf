"""Is what the inventory says of monitoring true on its machines? Changes nothing, so it may be asked of production."""

import re
import time

import monitoring
import pytest


def pytest_generate_tests(metafunc):
    for name in {"machine", "watcher"} & set(metafunc.fixturenames):
        found = _machines(metafunc.config)
        chosen = {key: each for key, each in found.items() if name == "machine" or each.watches}
        metafunc.parametrize(name, chosen.values(), ids=list(chosen), scope="session")


def _machines(config):
    inventory = config.getoption("ansible_inventory")
    if not inventory:
        raise pytest.UsageError("which inventory? --ansible-inventory=inventories/<environment>")
    if not hasattr(config, "_machines"):
        config._machines = monitoring.read(inventory)
    return config._machines


@pytest.fixture(scope="session")
def machines(pytestconfig):
    return _machines(pytestconfig)


def test_units_run_and_start_at_boot(machine):
    for unit in machine.units:
        service = machine.host.service(unit)
        assert service.is_running and service.is_enabled, unit


def test_each_listens_where_the_inventory_says_and_nowhere_else(machine):
    rows = [line.split() for line in machine.run("ss --listening --tcp --udp --numeric --no-header").splitlines()]
    for unit, (address, port) in machine.units.items():
        at = f"[{address}]" if ":" in address else address
        assert {row[4] for row in rows if row[4].endswith(f":{port}")} == {f"{at}:{port}"}, unit
    # the port on which Alertmanagers find each other
    assert not [row for row in rows if row[4].endswith(":9094")]


def test_an_exporter_answers_those_who_watch_alone(machine, machines):
    """systemd holds the packets back where the kernel lets it, which that of a container may not."""
    watchers = {address for each in machines.values() if each.watches for address, _port in [first(each)]}
    for unit in machine.units:
        if unit.endswith("-exporter.service"):
            shown = machine.run(f"systemctl show {unit} --property IPAddressDeny,IPAddressAllow").splitlines()
            told = dict(line.split("=", 1) for line in shown)
            assert set(told["IPAddressDeny"].split()) == {"0.0.0.0/0", "::/0"}, unit
            allowed = {each.removesuffix("/32").removesuffix("/128") for each in told["IPAddressAllow"].split()}
            servers = machine.redis_addresses if "redis" in unit else set()
            assert allowed == {"127.0.0.0/8", "::1", first(machine)[0], *watchers, *servers}, unit


def first(machine):
    return next(iter(machine.units.values()))


def test_units_are_closed_in(machine):
    for unit in machine.units:
        shown = machine.run(f"systemd-analyze security --no-pager {unit} | tail -1")
        assert float(shown.split("level for ")[1].split(":")[1].split()[0]) < 4, f"{unit}: {shown}"


def test_every_target_is_there_and_up(watcher, machines):
    until = time.monotonic() + 60
    while True:
        found = watcher.targets()
        if set(found.values()) == {"up"} or time.monotonic() > until:
            break
        time.sleep(1)
    assert set(found) == monitoring.wanted_targets(machines, watcher)
    assert {target: health for target, health in found.items() if health != "up"} == {}


def test_every_server_answers_its_exporter(watcher):
    for metric in ("redis_up", "pg_up"):
        assert [labels for labels, value in watcher.query(metric) if value != 1] == []


def test_what_is_kept_is_kept_as_long_as_it_should(watcher):
    flags = watcher.prometheus("status/flags")
    assert in_days(flags["storage.tsdb.retention.time"]) == in_days(watcher.vars["monitoring_retention"])


def in_days(text):
    days = {"y": 365, "w": 7, "d": 1, "h": 1 / 24, "m": 1 / 24 / 60, "s": 1 / 24 / 3600}
    parts = re.findall(r"(\d+)([ywdhms])", text)
    assert parts, text
    return pytest.approx(sum(int(number) * days[unit] for number, unit in parts))


def test_rules_are_loaded_and_evaluated(watcher):
    groups = watcher.prometheus("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len([rule for rule in rules if rule["type"] == "alerting"]) >= 30
    assert {rule["name"]: rule["lastError"] for rule in rules if rule["health"] == "err"} == {}
    said = {**monitoring.thresholds(), **watcher.vars["monitoring_thresholds"]}
    found = {
        labels["__name__"].removeprefix("cistern:threshold:"): value
        for labels, value in watcher.query('{__name__=~"cistern:threshold:.+"}')
    }
    assert found == pytest.approx(said)


def test_alerts_have_a_way(watcher):
    # Prometheus that has just started has not looked at its rules yet
    until = time.monotonic() + 60
    while not watcher.query("ALERTS{alertname='Watchdog', alertstate='firing'}") and time.monotonic() < until:
        time.sleep(1)
    assert watcher.query("ALERTS{alertname='Watchdog', alertstate='firing'}")
    assert watcher.prometheus("alertmanagers")["activeAlertmanagers"]


def test_secrets_are_their_readers_alone(machine):
    modes = {"/etc/cistern/cistern-exporter.password": "root:root 600", "/etc/prometheus/alertmanager.yml": None}
    if machine.watches:
        modes["/etc/prometheus/alertmanager.yml"] = "prometheus:prometheus 600"
    for path, mode in modes.items():
        found = machine.host.run(f"stat --format '%U:%G %a' {path}").stdout.strip()
        assert found in ("", mode), path
