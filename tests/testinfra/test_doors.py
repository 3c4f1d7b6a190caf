"""Who must not come in, beside who must: each door of the inventory, tried from outside as each of them.

Changes nothing, so it may be asked of production: a few connections, files that are opened and closed again.
"""

import re

import doors
import pytest

# a Sentinel before 6.2 has no users, and takes no name with a password
NO_USERS = "-ERR wrong number of arguments for 'auth'"
REFUSES = rf"-NOAUTH|-WRONGPASS|-NOPERM|-DENIED|-ERR operation not permitted|closed: |{NO_USERS}"


def pytest_generate_tests(metafunc):
    if "machine" in metafunc.fixturenames:
        inventory = metafunc.config.getoption("ansible_inventory")
        if not inventory:
            raise pytest.UsageError("which inventory? --ansible-inventory=inventories/<environment>")
        if not hasattr(metafunc.config, "_doors"):
            metafunc.config._doors = doors.read(inventory)
        found = metafunc.config._doors
        metafunc.parametrize("machine", found.values(), ids=list(found), scope="session")


# -- files


def test_files_open_for_those_alone_whom_they_are_for(machine):
    paths, tried = machine.told["paths"], machine.told["files"]
    assert "nobody" in tried
    wrong = []
    for path, number in paths.items():
        pattern, readers, writers = machine.files[number]
        for user, opened in tried.items():
            may = {"r": readers is None or user in readers, "w": user in writers}
            wrong += [(user, way, path) for way in opened[path] if not may[way]]
            # what stands there by its name; of others somebody may have been root
            must = "*" not in pattern and user in (readers or ())
            wrong += [(user, "cannot read", path)] if must and "r" not in opened[path] else []
    assert wrong == []


# -- ports


def test_nothing_of_ours_listens_anywhere_else(machine):
    ours = re.compile(r"redis|postgres|prometheus|alertmanager")
    listens = {(program, at) for program, at in map(tuple, machine.told["listening"]) if ours.match(program)}
    assert {at for _program, at in listens} <= machine.places, listens


def test_another_machine_gets_no_answer_of_a_server_without_the_password(machine):
    if machine.stranger is None:
        pytest.skip("the inventory has one machine")
    told = machine.stranger.told["asked"]
    for name, (_address, _port, commands) in machine.doors.items():
        if commands:
            answers = told[name]
            assert len(answers) in (1, len(commands))
            assert [each for each in answers if not re.match(REFUSES, each)] == [], name


def test_a_machine_that_does_not_watch_reaches_no_exporter(machine):
    """systemd holds the packets back where the kernel lets it, which that of a container may not."""
    if machine.stranger is None or machine.stranger.watches or machine.watched is None:
        pytest.skip("no exporter, or nobody else who might ask it")
    if machine.is_container:
        pytest.skip("in a container nothing holds the packets back")
    told = machine.stranger.told["asked"]
    for name, (_address, _port, commands) in machine.doors.items():
        if not commands:
            assert told[name][0].startswith("closed: "), name


# -- users of the toolkit in Redis


def test_programs_of_the_machine_may_what_they_must_and_nothing_else(machine):
    for name, answers in machine.told["local"].items():
        user, _address, _port, commands = machine.local[name]
        if answers[0].startswith(NO_USERS):
            continue
        if answers[0].startswith("-WRONGPASS") and not (user == "cistern-exporter" and machine.watched):
            continue  # one password for all servers of the machine, and this one does not have that program
        assert len(answers) == len(commands) + 1, (name, answers)
        found = dict(zip(map(" ".join, [["AUTH"], *commands]), answers, strict=True))
        must_not = {word for word in found if word.split()[0] in doors.FORBIDDEN or word in doors.FORBIDDEN}
        assert found["AUTH"] == "+OK", name
        let_in = {word for word, answer in found.items() if not re.match(REFUSES, answer)}
        assert let_in == set(found) - must_not, name


def test_users_of_a_server_have_passwords_and_those_of_the_toolkit_few_rights(instance):
    client = instance.redis()
    lines = [line.split() for line in client.execute_command("ACL", "LIST")]
    assert [words[1] for words in lines if "on" in words and "nopass" in words] == []
    if [int(part) for part in client.info("server")["redis_version"].split(".")[:1]] < [7]:
        pytest.skip("this server has no ACL DRYRUN")
    for user in {words[1] for words in lines} & set(doors.MUST):
        for words in doors.MUST[user]:
            assert client.execute_command("ACL", "DRYRUN", user, *words) == "OK", (user, words)
        for words in doors.DANGEROUS:
            answer = client.execute_command("ACL", "DRYRUN", user, *words)
            allowed = user == "cistern-warm" and answer == "OK" and words[0] in ("SET", "GET", "DEL")
            assert answer != "OK" or allowed, (user, words)


# -- units


OF_A_MACHINE = "prometheus-node-exporter.service"
USERS = {
    "prometheus-redis-exporter.service": "cistern-exporter",
    "prometheus-postgres-exporter.service": "cistern-exporter",
    "prometheus": "prometheus",
    "cistern-cache-metrics": "cistern-report",
    "cistern-cache": "cistern-warm",
    "redis": "redis",
}
# what systemd has to find closed in a unit of the toolkit
CLOSED = {
    "AmbientCapabilities=",
    "CapabilityBoundingSet=~CAP_SYS_ADMIN",
    "LockPersonality=",
    "MemoryDenyWriteExecute=",
    "NoNewPrivileges=",
    "PrivateDevices=",
    "PrivateTmp=",
    "ProtectClock=",
    "ProtectControlGroups=",
    "ProtectHome=",
    "ProtectHostname=",
    "ProtectKernelLogs=",
    "ProtectKernelModules=",
    "ProtectKernelTunables=",
    "ProtectSystem=",
    "RestrictAddressFamilies=~AF_PACKET",
    "RestrictNamespaces=~user",
    "RestrictRealtime=",
    "RestrictSUIDSGID=",
    "SystemCallArchitectures=",
    "SystemCallFilter=~@mount",
    "User=/DynamicUser=",
}
# the exporter of a machine tells how full each file system is, and how the clock goes
OPEN_FOR_IT = {"PrivateDevices=", "PrivateTmp=", "ProtectClock=", "ProtectHome="}


def test_programs_run_as_whom_they_should_and_are_closed_in(machine):
    for unit, found in machine.told["units"].items():
        # of the names that fit, the longest is that of the unit
        [*_others, who] = sorted((name for name in USERS if unit.startswith(name)), key=len)
        assert found["told"]["User"] == USERS[who], unit
        if not unit.startswith("redis"):  # which is closed in as it is packaged, and compared with that
            open_for_it = OPEN_FOR_IT if unit == OF_A_MACHINE else set()
            assert CLOSED - open_for_it - set(found["closed"]) == set(), unit


def test_programs_that_run_see_and_change_nothing_but_their_own(machine):
    """Asked of the kernel; of systemd where a container may not mount."""
    for unit, found in machine.told["units"].items():
        if unit.startswith("cistern-cache") and "user" not in found:
            continue  # runs now and then
        assert found.get("user", "root") != "root", f"{unit} does not run, or as root"
        assert not found["gains"], unit
        if unit.startswith("redis"):
            # as its package has it, which differs; none of them lets it write to the machine
            assert found["sees_all"] or found["writes"] == [], (unit, found)
            continue
        assert not found["any_call"] and found["may"] == 0, (unit, found)
        told = found["told"]
        homes = "read-only" if unit == OF_A_MACHINE else "yes"
        assert (told["ProtectSystem"], told["ProtectHome"]) == ("strict", homes), unit
        if found["sees_all"]:
            assert machine.is_container, f"{unit} sees the file systems of all"
        else:
            assert found["writes"] == [] and found["sees_home"] == (homes == "read-only"), (unit, found)


def test_programs_come_back_and_have_the_time_that_they_need(machine):
    for unit, found in machine.told["units"].items():
        told = found["told"]
        if unit.startswith("prometheus"):
            assert told["Restart"] == "on-failure", unit
        if unit == "prometheus.service":
            assert told["TimeoutStartUSec"] == "15min", "it reads what it has written before it answers"
        if unit.startswith("cistern-cache-metrics"):
            assert told["TimeoutStartUSec"] == "infinity", "a walk takes as long as its rate makes it"
        if unit.startswith("cistern-cache-watch"):
            assert told["Restart"] == "always", unit
    assert set(machine.told["timers"].values()) <= {"active"}, machine.told["timers"]


# -- pages


def test_pages_tell_no_secret(machine):
    for url, text in machine.told["pages"].items():
        assert text, url
        for name, secret in machine.secrets.items():
            assert secret not in text, (url, name)


# -- PostgreSQL over its socket

NOT_WITHOUT = {
    None: r"no password supplied|no pg_hba\.conf entry",
    doors.WRONG: r"password authentication failed|no pg_hba\.conf entry",
}


def test_another_user_of_the_machine_is_not_let_in_through_the_socket(machine):
    if not machine.nodes:
        pytest.skip("no node")
    named = {rule["user"] for node in machine.nodes for rule in node.vars["citus_hba"] if rule.get("type") == "local"}
    for name, answer in machine.told["psql"].items():
        how = machine.psql[name]
        if {how["role"], "all"} & named:
            continue
        if how["user"] == how["role"] and how["role"] in machine.knows_by_name:
            assert answer == "1", name
        elif how["role"] in (node.vars["citus_role"] for node in machine.nodes):
            assert re.search(NOT_WITHOUT[how["password"]], answer), (name, answer)
        else:
            assert re.search(r"Peer authentication failed|no pg_hba\.conf entry", answer), (name, answer)
