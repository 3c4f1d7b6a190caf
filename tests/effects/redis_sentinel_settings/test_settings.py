"""Sentinels change while they watch: what is set live, what restarts one after the other, what goes back."""

import subprocess
import threading
import time

import faults
import pytest
import redis
import sentinels as suite


@pytest.fixture(scope="module")
def sentinels(inventory, everyone):
    found = suite.read(inventory)
    yield found
    suite.close(found)


@pytest.fixture(autouse=True)
def well(sentinels):
    """Each test starts with Sentinels that know each other."""
    wait(lambda: in_touch(sentinels))


def wait(condition, seconds=90):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not so after {seconds} s"
        time.sleep(0.3)


def in_touch(sentinels, **options):
    """Whether each Sentinel finds its primaries well, and reaches every replica, which follows, and every Sentinel."""
    for sentinel in sentinels.values():
        for name, watched in sentinel.watches.items():
            if sentinel.master(name, **options)["flags"] != "master" or not sentinel.has_quorum(name, **options):
                return False
            known = sentinel.others("REPLICAS", name, **options), sentinel.others("SENTINELS", name, **options)
            if any(
                {"s_down", "disconnected"} & set(each["flags"].split(",")) for found in known for each in found.values()
            ):
                return False
            if [len(found) for found in known] != [len(watched.members) - 1, len(watched.sentinels) - 1]:
                return False
            # a former primary is one, for Sentinel, some seconds before it follows the new one
            parts = {(each["role-reported"], each["master-link-status"]) for each in known[0].values()}
            if parts - {("slave", "ok")}:
                return False
    return True


def pids(sentinels):
    return {name: sentinel.pid() for name, sentinel in sentinels.items()}


def told(sentinels, option, of=None, **options):
    """What the Sentinels say of their deployments, or of one."""
    return {
        str(each.master(name, **options)[option])
        for each in sentinels.values()
        for name in each.watches
        if of in (None, name)
    }


def ids(sentinels, **options):
    return {name: each.redis(**options).execute_command("SENTINEL", "MYID") for name, each in sentinels.items()}


def restart(sentinels, **options):
    for sentinel in sentinels.values():
        sentinel.run(f"systemctl restart {suite.UNIT}")
    wait(lambda: in_touch(sentinels, **options))


def test_settings_of_a_monitor_are_set_live_and_last(sentinels, playbook):
    before = pids(sentinels)
    change = {
        "redis_sentinel_quorum": 3,
        "redis_sentinel_config": {"down-after-milliseconds": 7000, "failover-timeout": 90000, "parallel-syncs": 2},
    }
    planned = playbook.check(change)
    run = playbook.run(change)
    for name, sentinel in sentinels.items():
        assert run.steps(name) == planned.steps(name)
        assert [step for step in run.steps(name) if "quorum 2 -> 3" in step and "5000 -> 7000" in step]
        assert len([step for step in run.steps(name) if step.startswith("set while running: ")]) == len(
            sentinel.watches
        )
    for option, value in {"quorum": "3", **change["redis_sentinel_config"]}.items():
        assert told(sentinels, option) == {str(value)}
    assert pids(sentinels) == before
    assert playbook.run(change).changed == 0
    restart(sentinels)
    assert told(sentinels, "quorum") == {"3"} and told(sentinels, "parallel-syncs") == {"2"}
    assert playbook.check(change).changed == 0


def test_drift_by_hand_is_found_and_repaired(sentinels, playbook):
    before = pids(sentinels)
    for sentinel in sentinels.values():
        for name in sentinel.watches:
            sentinel.redis().execute_command("SENTINEL", "SET", name, "quorum", "1", "auth-pass", "somebody's")
        sentinel.redis().execute_command("SENTINEL", "CONFIG", "SET", "announce-port", "7")
    found = playbook.check()
    for name in sentinels:
        steps = "\n".join(found.steps(name))
        assert "quorum 1 -> 2" in steps and "auth-pass (hidden) -> (hidden)" in steps
        assert "announce-port 7 -> " in steps
    assert told(sentinels, "quorum") == {"1"}
    playbook.run()
    assert told(sentinels, "quorum") == {"2"} and pids(sentinels) == before
    wait(lambda: in_touch(sentinels))
    assert playbook.check().changed == 0


def test_a_monitor_that_nobody_wants_is_removed_and_the_others_stay(sentinels, playbook):
    before = ids(sentinels), pids(sentinels)
    for sentinel in sentinels.values():
        sentinel.redis().execute_command("SENTINEL", "MONITOR", "old", "127.0.0.1", "6400", "2")
    assert all("remove the monitor old" in playbook.check().steps(name) for name in sentinels)
    run = playbook.run()
    for name, sentinel in sentinels.items():
        assert run.steps(name) == ["remove the monitor old"]
        watched = {suite.pairs(each)["name"] for each in sentinel.redis().execute_command("SENTINEL", "MASTERS")}
        assert watched == set(sentinel.watches)
    assert (ids(sentinels), pids(sentinels)) == before


class Quorum:
    """Asks all the time whether each Sentinel has a quorum, with any of the passwords."""

    def __init__(self, sentinels, passwords):
        self.sentinels, self.passwords, self.gaps, self.asked = sentinels, passwords, [], 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._ask)

    def _ask(self):
        while not self.ended.wait(0.1):
            for sentinel in self.sentinels.values():
                for name in sentinel.watches:
                    self.asked += 1
                    if not any(sentinel.has_quorum(name, password=each) for each in self.passwords):
                        self.gaps.append((sentinel.name, time.monotonic()))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_problem):
        self.ended.set()
        self.thread.join()


def test_a_new_password_of_the_sentinels_keeps_the_quorum(sentinels, playbook):
    before = pids(sentinels)
    new = r"another\one#of$the%Sentinels{}ä|=!"
    with Quorum(sentinels, [next(iter(sentinels.values())).vars["redis_sentinel_password"], new]) as quorum:
        run = playbook.run({"redis_sentinel_password": new}, options=["-vvv", "--diff"])
    assert quorum.asked > 20 and quorum.gaps == []
    assert pids(sentinels) == before
    for name, sentinel in sentinels.items():
        assert "accept the new password of the Sentinel beside the old one" in run.steps(name)
        assert run.steps(name)[-1] == "accept no other password of the Sentinel than the present one"
        assert new not in run.output and sentinel.vars["redis_sentinel_password"] not in run.output
        with pytest.raises((redis.AuthenticationError, redis.ResponseError)):
            sentinel.redis().ping()
    wait(lambda: in_touch(sentinels, password=new))
    assert playbook.run({"redis_sentinel_password": new}).changed == 0
    restart(sentinels, password=new)
    assert playbook.run({"redis_sentinel_password": new}).changed == 0


def test_a_password_that_would_break_the_file_is_refused(sentinels, playbook):
    texts = {name: sentinel.run(f"cat {suite.CONF}") for name, sentinel in sentinels.items()}
    run = playbook.run({"redis_sentinel_password": 'with blanks and "quotes" in it'}, fails=True)
    assert "redis_sentinel_password" in run.output and "quot" in run.output
    assert {name: sentinel.run(f"cat {suite.CONF}") for name, sentinel in sentinels.items()} == texts


def test_a_new_password_of_the_instances_reaches_the_sentinels(sentinels, playbook):
    before = pids(sentinels)
    new = r"another\one#of$the%instances{}ä|=!"
    old = next(iter(sentinels.values())).vars["redis_sentinel_password"]
    change = {"redis_password": new, "redis_sentinel_password": old}
    playbook.run(change)
    assert pids(sentinels) == before
    wait(lambda: in_touch(sentinels))
    restart(sentinels)
    assert playbook.run(change).changed == 0
    playbook.run()
    wait(lambda: in_touch(sentinels))


def monotonic(sentinel, name):
    return int(sentinel.run(f"systemctl show --property {name} --value {suite.UNIT}"))


def test_a_port_changes_by_restarts_one_after_the_other(sentinels, playbook):
    before, known = pids(sentinels), ids(sentinels)
    change = {"redis_sentinel_port": 26380}
    planned = playbook.check(change)
    run = playbook.run(change)
    for name in sentinels:
        assert f"restart {suite.UNIT}: port: 26379 -> 26380, announce-port: 26379 -> 26380" in planned.steps(name)
        assert planned.steps(name)[-1] == run.steps(name)[-1]
    assert ids(sentinels, port=26380) == known and set(pids(sentinels).values()).isdisjoint(before.values())
    # the clock is that of the machine below all hosts
    times = sorted(
        (monotonic(each, "InactiveEnterTimestampMonotonic"), monotonic(each, "ActiveEnterTimestampMonotonic"))
        for each in sentinels.values()
    )
    assert all(earlier[1] < later[0] for earlier, later in zip(times, times[1:], strict=False)), times
    wait(lambda: in_touch(sentinels, port=26380))
    assert playbook.run(change).changed == 0
    playbook.run()


def test_a_restart_can_wait(sentinels, playbook):
    before = pids(sentinels)
    run = playbook.run({"redis_sentinel_port": 26380, "redis_restart_policy": "report"})
    assert run.output.count(f"waits for a restart of {suite.UNIT}: port: 26379 -> 26380") == len(sentinels)
    assert pids(sentinels) == before and in_touch(sentinels)


def test_a_run_killed_between_stop_and_start_is_finished_by_the_next(sentinels, playbook):
    known = ids(sentinels)
    one = next(iter(sentinels.values()))
    one.run(f"systemctl stop {suite.UNIT}")
    playbook.run({"redis_sentinel_port": 26380})
    assert ids(sentinels, port=26380) == known
    wait(lambda: in_touch(sentinels, port=26380))
    assert playbook.run({"redis_sentinel_port": 26380}).changed == 0


@pytest.fixture
def no_other_port(sentinels):
    """Something that the run cannot foresee: no Sentinel starts with another port than it had.

    With a plus it runs outside of the sandbox of the unit, which runs nothing but redis-server.
    """
    folder, own = f"/run/systemd/system/{suite.UNIT}.d", f"ExecStartPre=+/bin/grep -q '^port 26379' {suite.CONF}"
    for each in sentinels.values():
        each.run(f"mkdir -p {folder}; printf '[Service]\\n%s\\n' \"{own}\" > {folder}/own.conf")
        each.run("systemctl daemon-reload")
    yield
    for each in sentinels.values():
        each.run(f"rm -r {folder}; systemctl daemon-reload")


def test_a_restart_that_fails_leaves_the_sentinel_as_it_was(sentinels, playbook, no_other_port):
    known = ids(sentinels)
    run = playbook.run({"redis_sentinel_port": 26380}, fails=True)
    assert f"restart {suite.UNIT}: port: 26379 -> 26380" in run.output
    wait(lambda: in_touch(sentinels))
    assert ids(sentinels) == known


def test_a_port_that_is_taken_is_told_before_a_restart(sentinels, playbook):
    before = pids(sentinels)
    run = playbook.run({"redis_sentinel_port": 22, "redis_sentinel_announce_port": 26379}, fails=True)
    assert run.output.count("is served by ssh.service") >= len(sentinels) and run.changed == 0
    assert pids(sentinels) == before


HOOK = """#!/bin/sh
echo "$@" >> /var/lib/redis/{name}
"""


def test_hooks_run_at_a_failover(sentinels, playbook, tmp_path):
    scripts = {name: tmp_path / name for name in ("notification", "reconfig")}
    for name, path in scripts.items():
        path.write_text(HOOK.format(name=name), encoding="utf-8")
    change = {f"redis_sentinel_{name}_script": str(path) for name, path in scripts.items()}
    run = playbook.run(change)
    for name in sentinels:
        assert "notification-script: " in run.steps(name)[-1] and run.steps(name)[-1].startswith("restart ")
    assert playbook.run(change).changed == 0
    one = next(iter(sentinels.values()))
    name, watched = next(iter(one.watches.items()))
    former = one.master(name)["ip"]
    wait(lambda: in_touch(sentinels))
    one.redis().execute_command("SENTINEL", "FAILOVER", name)
    wait(lambda: all(each.master(name)["ip"] != former for each in sentinels.values() if name in each.watches))
    present = one.master(name)["ip"]
    watching = [each for each in sentinels.values() if name in each.watches]
    wait(lambda: all(f"+switch-master {name} {former}" in lines(each, "notification") for each in watching))
    # the leader runs it as it starts, the others when they hear of the new primary
    wait(lambda: all(said_of(each, name, former, present) for each in watching))
    wait(lambda: in_touch(sentinels))
    run = playbook.run(change)
    assert run.changed == 0, run.output
    run = playbook.run()
    for each in sentinels.values():
        assert run.steps(each.name)[-2:] == [f"remove /usr/local/lib/cistern/sentinel-{name}" for name in scripts]
        assert each.run("ls /usr/local/lib/cistern") == ""
    assert playbook.check().changed == 0


def lines(sentinel, name):
    return sentinel.run(f"cat /var/lib/redis/{name} 2>/dev/null || true")


def said_of(sentinel, name, former, present):
    found = [line.split() for line in lines(sentinel, "reconfig").splitlines()]
    return [words for words in found if words[0] == name and words[3] == former and words[5] == present]


def test_a_failover_and_a_reboot_are_no_difference(sentinels, playbook):
    one = next(iter(sentinels.values()))
    name = next(iter(one.watches))
    former = one.master(name)["ip"]
    one.redis().execute_command("SENTINEL", "FAILOVER", name)
    wait(lambda: all(each.master(name)["ip"] != former for each in sentinels.values() if name in each.watches))
    wait(lambda: in_touch(sentinels), 90)
    primary = one.master(name)["ip"]
    found = playbook.check()
    assert found.changed == 0, found.output
    restart(sentinels)
    run = playbook.run()
    assert run.changed == 0, run.output
    assert told(sentinels, "ip", of=name) == {primary}


def test_a_file_of_somebody_else_is_kept_and_what_sentinel_knows_too(sentinels, playbook):
    known = ids(sentinels)
    one = next(iter(sentinels.values()))
    one.run(f"rm -f {suite.CONF}.before-cistern; systemctl stop {suite.UNIT}; sed -i /Cistern/d {suite.CONF}")
    one.run(f"echo 'sentinel monitor mine 127.0.0.1 6400 1' >> {suite.CONF}; systemctl start {suite.UNIT}")
    run = playbook.run()
    why = f"{suite.CONF} was not written by Cistern"
    assert run.steps(one.name)[0] == "remove the monitor mine"
    assert run.steps(one.name)[-1] == f"restart {suite.UNIT}: {why}"
    assert "sentinel monitor" in one.run(f"cat {suite.CONF}.before-cistern")
    assert ids(sentinels) == known
    wait(lambda: in_touch(sentinels))
    assert playbook.run().changed == 0


BETWEEN_SENTINELS = """
table inet fault {
  chain in {
    type filter hook input priority 0;
    iif != "lo" tcp dport 26379 drop;
  }
  chain out {
    type filter hook output priority 0;
    oif != "lo" tcp dport 26379 drop;
  }
}
"""


@pytest.fixture
def alone(everyone, sentinels):
    """A Sentinel that reaches every instance, and no other Sentinel."""
    name, sentinel = next(iter(sentinels.items()))
    subprocess.run(
        [*faults.in_network_of(everyone[name]), "nft", "-f", "-"], input=BETWEEN_SENTINELS, text=True, check=True
    )
    wait(lambda: not any(sentinel.has_quorum(each) for each in sentinel.watches))
    yield name
    faults.end(everyone[name])


def test_a_sentinel_without_quorum_is_stated_and_no_run_leaves_it_so(sentinels, playbook, alone):
    run = playbook.run()
    assert run.changed == 0
    for deployment in sentinels[alone].watches:
        assert f"deployment {deployment}: {alone}: its Sentinel has no quorum" in run.output
    # a run that changes something there, and could have known, does not end well
    run = playbook.run({"redis_sentinel_config": {"down-after-milliseconds": 6000}}, fails=True)
    assert "as a Sentinel to" in run.output and "26379" in run.output
