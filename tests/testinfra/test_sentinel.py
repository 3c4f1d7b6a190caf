"""Is what the inventory says true on the Sentinels? Changes nothing, so it may be asked of production."""

import base64

import pytest
import redis
import sentinels as suite
from test_redis import PLACES, exposure, kept_logs, listening, packaged_exposure, unit_says


def pytest_generate_tests(metafunc):
    if "sentinel" in metafunc.fixturenames:
        inventory = metafunc.config.getoption("ansible_inventory")
        if not inventory:
            raise pytest.UsageError("which inventory? --ansible-inventory=inventories/<environment>")
        if not hasattr(metafunc.config, "_sentinels"):
            metafunc.config._sentinels = suite.read(inventory)
        found = metafunc.config._sentinels
        metafunc.parametrize("sentinel", found.values(), ids=list(found), scope="session")


@pytest.fixture(scope="session", autouse=True)
def closed(pytestconfig):
    yield
    suite.close(getattr(pytestconfig, "_sentinels", {}))


def test_it_answers_with_the_password(sentinel):
    assert sentinel.redis().ping()


@pytest.mark.parametrize("password", ["", "not the password"])
def test_it_refuses_anyone_else(sentinel, password):
    with pytest.raises(
        (redis.AuthenticationError, redis.ResponseError),
        match="NOAUTH|WRONGPASS|Authentication required|invalid username-password",
    ):
        sentinel.redis(password=password).ping()


def test_it_listens_where_the_inventory_says_and_nowhere_else(sentinel):
    listens = listening(sentinel.run, sentinel.pid())
    wanted = {f"[{address}]" if ":" in address else address for address in sentinel.vars["redis_sentinel_bind"]}
    assert listens == {f"{address.lstrip('-')}:{sentinel.vars['redis_sentinel_port']}" for address in wanted}


def test_it_watches_what_the_inventory_says_and_nothing_else(sentinel):
    watched = [suite.pairs(each)["name"] for each in sentinel.redis().execute_command("SENTINEL", "MASTERS")]
    assert sorted(watched) == sorted(sentinel.watches)


def test_settings_of_each_monitor_are_in_effect(sentinel):
    for name, watched in sentinel.watches.items():
        master = sentinel.master(name)
        shown = {option: value for option, value in watched.settings.items() if option in master}
        assert set(suite.BASELINE) <= set(shown)
        assert {option: int(master[option]) for option in shown} == shown
        assert int(master["quorum"]) == watched.quorum


def test_it_reaches_the_primary_that_everybody_names(sentinel):
    for name, watched in sentinel.watches.items():
        master = sentinel.master(name)
        primary = watched.members[(master["ip"], int(master["port"]))]
        assert master["flags"] == "master" and int(master["info-refresh"]) < 30000
        assert primary.redis().execute_command("ROLE")[0] == "master"


def test_it_knows_every_other_sentinel_and_replica_and_nobody_else(sentinel):
    for name, watched in sentinel.watches.items():
        master = sentinel.master(name)
        replicas, others = sentinel.others("REPLICAS", name), sentinel.others("SENTINELS", name)
        assert set(replicas) == set(watched.members) - {(master["ip"], int(master["port"]))}
        assert set(others) == watched.sentinels - {sentinel.place}
        flags = [set(each["flags"].split(",")) for found in (replicas, others) for each in found.values()]
        assert not [each for each in flags if each & {"s_down", "o_down", "disconnected"}]
        assert {each["master-link-status"] for each in replicas.values()} <= {"ok"}


def test_a_failover_would_have_a_majority(sentinel):
    assert all(sentinel.has_quorum(name) for name in sentinel.watches)


def test_its_file_belongs_to_it_and_says_what_it_watches(sentinel):
    assert sentinel.run(f"stat --format '%U:%G %a' {suite.CONF}") == "redis:redis 640"
    lines = sentinel.run(f"cat {suite.CONF}").splitlines()
    monitors = {line.split()[2]: line.split()[5] for line in lines if line.startswith("sentinel monitor ")}
    assert monitors == {name: str(watched.quorum) for name, watched in sentinel.watches.items()}


def test_the_unit_runs_now_and_after_a_reboot(sentinel):
    service = sentinel.host.host.service(suite.UNIT)
    assert service.is_running and service.is_enabled
    assert sentinel.run(f"stat --format %U /proc/{sentinel.pid()}") == "redis"


def test_the_unit_is_as_hardened_as_packaged(sentinel):
    before = packaged_exposure(sentinel.run, suite.UNIT)
    after = sentinel.run(f"systemd-analyze security --no-pager {suite.UNIT} | tail -1")
    assert exposure(after) <= exposure(before)


def test_hooks_are_there_for_each_monitor_and_only_where_wanted(sentinel):
    for variable, option, name in (
        ("redis_sentinel_notification_script", "notification-script", "notification"),
        ("redis_sentinel_reconfig_script", "client-reconfig-script", "reconfig"),
    ):
        path = f"/usr/local/lib/cistern/sentinel-{name}"
        wanted = path if sentinel.vars[variable] else None
        assert {sentinel.master(each).get(option) for each in sentinel.watches} == {wanted}
        file = sentinel.host.host.file(path)
        assert file.exists == bool(wanted)
        assert not wanted or (file.user, file.mode & 0o777) == ("root", 0o755)


def test_one_that_failed_is_started_again_for_as_long_as_it_takes(sentinel):
    told = unit_says(sentinel.run, suite.UNIT, "StartLimitIntervalUSec", "Restart", "RestartUSec")
    assert told == {"StartLimitIntervalUSec": "0", "Restart": "always", "RestartUSec": "1s"}


def test_the_log_is_rotated(sentinel):
    if sentinel.vars["redis_sentinel_log_file"]:
        assert kept_logs(sentinel.run, sentinel.vars["redis_sentinel_log_file"]) == 12


@pytest.mark.parametrize("place", PLACES)
def test_the_password_is_nowhere_it_should_not_be(sentinel, place):
    # the pattern travels encoded, lest this very test put the password into a list of processes
    pattern = base64.b64encode(sentinel.vars["redis_sentinel_password"].encode()).decode()
    found = sentinel.host.host.run(
        f"pattern=$(mktemp) && echo {pattern} | base64 -d > $pattern"
        f" && ({PLACES[place]}) | grep --text --count --fixed-strings --file $pattern; rm $pattern"
    )
    assert found.stdout.strip() == "0", place
