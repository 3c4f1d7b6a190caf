"""What the doctor finds where something is really wrong, and that it finds nothing where all is well.

Each test makes one fault, looks, and undoes it. All hosts have the clock of this machine: a line that every Python of
one of them runs at its start stands in for a clock that is off.
"""

import json
import subprocess

import faults
import instances
import nodes
import pytest
import redis
from inventory import host_vars_of
from waiting import wait_for

WRONG = "another-password-of-nobody"
# lets a server that fails stay failed
ONCE = "/run/systemd/system/redis-server.service.d"


@pytest.fixture(autouse=True)
def as_the_inventory_says():
    """The tests of this file undo what they do, in less time than a run takes."""


@pytest.fixture(scope="module", autouse=True)
def in_order(playbook, everyone):
    """Forget what tests before these have done, and leave hosts behind that are what the inventory says."""
    playbook.run(name="app_env")
    # one that was rebooted as the primary may still have to learn that it is none
    wait_for(lambda: all_follow(everyone), 60)
    for each in everyone.values():
        each.run("systemctl reset-failed")
        if each.role() == "master":
            # what is left of a load would not fit on the small disk of a test
            each.redis().flushall()
    for each in everyone.values():
        each.redis().execute_command("SLOWLOG", "RESET")
    yield
    playbook.run()


@pytest.fixture(scope="module")
def deployment(everyone):
    """The instances of the deployment of the application, by name."""
    return {name: each for name, each in everyone.items() if each.vars["redis_deployment"] == "cache"}


@pytest.fixture
def primary(deployment):
    return wait_for(lambda: one(instances.primaries(deployment)))


@pytest.fixture
def replicas(deployment, primary):
    found = [each for each in deployment.values() if each is not primary]
    wait_for(lambda: all_follow(deployment))
    return found


def all_follow(members):
    """Whether one instance is primary, and all others have a link to it."""
    links = [each.redis().info("replication").get("master_link_status") for each in members.values()]
    return sorted(links, key=str) == [None] + ["up"] * (len(links) - 1)


@pytest.fixture
def replica(replicas):
    return replicas[0]


@pytest.fixture(scope="module")
def application(inventory):
    return one(list(instances.read(inventory, "app").values()))


@pytest.fixture(scope="module")
def env(inventory, application):
    """The path of the .env."""
    return host_vars_of(inventory, "app", "redis", ("app_env_",))[application.name].get("app_env_path", "/srv/app/.env")


def one(found):
    return found[0] if len(found) == 1 else None


class Look:
    """One run of the doctor: its exit code, its output, its document."""

    def __init__(self, code, output, document):
        self.code, self.output, self.document = code, output, document

    def of(self, severity):
        return {(each["id"], each["host"]) for each in self.document["findings"] if each["severity"] == severity}

    @property
    def critical(self):
        return self.of("critical")

    def mend(self, name, host):
        """Return the one command that is offered for a finding."""
        return one([each["mend"] for each in self.document["findings"] if (each["id"], each["host"]) == (name, host)])


@pytest.fixture
def look(playbook, inventory, tmp_path):
    secrets = {
        value
        for group, role, prefix in (("redis", "redis", "redis_"), ("citus", "citus", "citus_"))
        for host_vars in host_vars_of(inventory, group, role, (prefix,)).values()
        for name, value in host_vars.items()
        if name.endswith("_password")
    }

    def run(options=(), **more):
        path = tmp_path / "doctor.json"
        # how quick this machine is, is not what is asked
        slow = {"ping_ms": 1000, "connect_ms": 5000, "slow_command_ms": 5000}
        more = {"doctor_json": str(path), "doctor_thresholds": slow, **more}
        process = playbook.start(more, options, name="doctor")
        output = process.communicate(timeout=300)[0]
        text = path.read_text(encoding="utf-8")
        told = [secret for secret in {*secrets, WRONG} if secret in output or secret in text]
        assert secrets and told == []
        assert "changed=0" in output and "changed=1" not in output
        return Look(process.returncode, output, json.loads(text))

    return run


def state_of(hosts, env):
    """What a look must not change: files, processes, keys."""
    command = (
        f"md5sum /etc/redis/*.conf {env} 2> /dev/null;"
        " systemctl show --property MainPID redis-server redis-sentinel;"
        " ls -A /tmp /run /var/lib/redis | grep -v systemd-private-"  # those come and go with timers
    )
    return {each.name: each.host.run(command).stdout for each in hosts}


def test_nothing_is_found_where_all_is_well(look, everyone, application, env):
    hosts = [*everyone.values(), application]
    before = state_of(hosts, env)
    found = look()
    assert found.code == 0, found.output
    assert found.of("critical") == found.of("warning") == set()
    assert found.document["hosts"][application.name] == "told"
    checked = look(["--check"], doctor_strict=True)
    assert checked.code == 0 and checked.document["findings"] == found.document["findings"]
    assert state_of(hosts, env) == before


def test_a_stopped_server_is_found(look, replica):
    replica.run("systemctl stop redis-server")
    try:
        found = look()
        assert found.code == 2 and found.critical == {("redis-stopped", replica.name)}
        assert "redis-server.service is stopped." in found.output
        offered = found.mend("redis-stopped", replica.name)
        assert f"mend: {offered}" in found.output
        replica.run(offered)
        assert wait_for(replica.role) == "slave"
    finally:
        replica.run("systemctl start redis-server")


def test_a_broken_file_and_a_wrong_password_in_the_env_are_found(look, replica, application, env):
    application.run(f"cp -a {env} /root/kept.env; sed -i 's/^REDIS_PASSWORD=.*/REDIS_PASSWORD={WRONG}/' {env}")
    replica.run(f"cp -a {replica.conf} /root/kept.conf; echo 'requirepass \"{WRONG}' >> {replica.conf}")
    try:
        runs = look()
        offered = runs.mend("env-differs", application.name)
        subprocess.run(offered, shell=True, cwd=instances.ROOT, check=True, capture_output=True)
        application.run(f"cmp {env} /root/kept.env && mv /root/kept.env {env}")
        # or systemd tries again every three seconds, and in that moment it starts
        replica.run(f"mkdir -p {ONCE}; printf '[Service]\\nRestart=no\\n' > {ONCE}/once.conf; systemctl daemon-reload")
        replica.run("systemctl restart redis-server || true")
        fails = look()
    finally:
        application.run(f"test ! -e /root/kept.env || mv /root/kept.env {env}")
        replica.run(f"rm -rf {ONCE}; systemctl daemon-reload; mv /root/kept.conf {replica.conf}")
        replica.run("systemctl reset-failed redis-server; systemctl restart redis-server")
    broken, refused = ("redis-conf-broken", replica.name), ("env-password-refused", application.name)
    assert runs.code == 2 and runs.critical == {broken, refused}
    assert ("env-differs", application.name) in runs.of("warning")
    assert fails.critical == {broken, ("redis-failed", replica.name)}
    assert "requirepass (hidden)" in fails.output


def test_servers_that_let_nobody_in_are_found(look, replicas):
    closed, lonely = replicas
    bound = lonely.redis().config_get("bind")["bind"]
    lonely.redis().config_set("bind", "127.0.0.1")
    closed.redis().config_set("requirepass", WRONG)
    try:
        found = look()
    finally:
        lonely.redis().config_set("bind", bound)
        closed.redis(password=WRONG).config_set("requirepass", closed.vars["redis_password"])
    assert found.critical == {("redis-password-refused", closed.name), ("redis-not-listening", lonely.name)}
    assert ("redis-drift", lonely.name) in found.of("note")


def test_a_snapshot_that_fails_for_a_full_disk_is_found(look, replica):
    inside = ["nsenter", "--target", pid_of(replica), "--mount"]
    subprocess.run([*inside, "mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "tmpfs", "/var/lib/redis"], check=True)
    try:
        # what had its namespace before sees the disk only after a restart
        replica.run("systemctl restart redis-server")
        wait_for(lambda: replica.redis().info("replication")["master_link_status"] == "up")
        replica.run("head -c 65536 /dev/zero > /var/lib/redis/full || true")
        replica.redis().bgsave()
        wait_for(lambda: replica.redis().info("persistence")["rdb_last_bgsave_status"] == "err")
        found = look()
    finally:
        # a server that cannot save would not stop, and the unit would wait for it
        replica.run("rm -f /var/lib/redis/full; systemctl kill --signal=KILL redis-server; systemctl stop redis-server")
        subprocess.run([*inside, "umount", "/var/lib/redis"], check=True)
        replica.run("systemctl start redis-server")
    assert found.critical == {("save-failed", replica.name), ("disk-full", replica.name)}


def pid_of(instance):
    return faults.podman("inspect", "--format", "{{.State.Pid}}", instance.vars["lab_container"])


def test_sentinels_without_a_quorum_are_found(look, deployment, primary):
    gone = [each for each in deployment.values() if each is not primary]
    for each in gone:
        faults.kill(each, faults.SENTINEL, stays_down=True)
    # the last one has to notice
    wait_for(lambda: "s_down" in str(primary.sentinel().execute_command("SENTINEL", "SENTINELS", "cache")))
    try:
        found = look()
    finally:
        for each in gone:
            faults.revive(each, faults.SENTINEL)
    assert found.critical == {("sentinel-no-quorum", primary.name)}
    assert found.of("warning") == {("sentinel-failed", each.name) for each in gone}


def test_a_replica_that_is_cut_off_is_found(look, deployment, replica):
    faults.cut_off(replica, [each for each in deployment.values() if each is not replica])
    try:
        # it would notice by itself after repl-timeout, a minute
        replica.redis().execute_command("CLIENT", "KILL", "TYPE", "master")
        # its own Sentinel notices of the others too that they are gone, one after the other
        wait_for(lambda: str(replica.sentinel().execute_command("SENTINEL", "SENTINELS", "cache")).count("s_down") >= 2)
        found = look()
    finally:
        faults.heal(replica)
    assert found.critical == {("replication-link-down", replica.name)}


def test_a_memory_that_is_full_is_found(look, primary, replicas):
    client = primary.redis()
    had = {name: client.config_get(name)[name] for name in ("maxmemory", "maxmemory-policy")}
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", client.info("memory")["used_memory"] + (16 << 20))
    try:
        with pytest.raises(redis.ResponseError, match="maxmemory"):
            for number in range(30000):
                client.set(f"message:{number}", "x" * 1000)
        found = look()
    finally:
        for name, value in had.items():
            client.config_set(name, value)
        client.flushall()
    assert found.critical == {("memory-full", primary.name)}


def test_an_upgrade_that_waits_for_a_restart_is_found(look, replica):
    # the program on disk is another one than the one that runs, as apt leaves it
    replica.run("f=$(readlink -f /usr/bin/redis-server); cp -a $f $f.new; mv $f.new $f")
    try:
        found = look(doctor_strict=True)
    finally:
        replica.run("systemctl restart redis-server redis-sentinel")
    assert found.code == 2 and found.critical == set()
    assert ("redis-restart-pending", replica.name) in found.of("warning")


def test_a_clock_that_is_off_is_found(look, replica):
    path = "/usr/lib/python3/dist-packages/zz-clock.pth"
    replica.run(f"echo 'import time; time.time = lambda right=time.time: right() + 30' > {path}")
    try:
        found = look()
    finally:
        replica.run(f"rm {path}")
    assert found.code == 0, found.output
    assert ("clock-differs", replica.name) in found.of("warning")
    assert {host for name, host in found.of("warning") if name == "clock-differs"} == {replica.name}


def test_a_certificate_that_has_ended_is_found(look, inventory, application):
    coordinator = nodes.coordinator_of(nodes.read(inventory))
    certificate, key = (coordinator.value(f"SELECT current_setting('ssl_{each}_file')") for each in ("cert", "key"))
    reload = f"systemctl reload {coordinator.unit}"
    # one that ends in the moment in which it is made
    made = f"openssl x509 -in /root/kept.crt -signkey {key} -days 0"
    coordinator.run(f"cp -a {certificate} /root/kept.crt; {made} -out {certificate}; {reload}")
    try:
        found = look()
    finally:
        coordinator.run(f"mv /root/kept.crt {certificate}; {reload}")
    assert found.code == 2
    assert found.critical == {("certificate-ended", coordinator.name), ("env-database-certificate", application.name)}


def test_a_host_that_is_silent_is_a_finding(look, replica):
    faults.freeze(replica)
    try:
        found = look(doctor_seconds=15)
    finally:
        faults.thaw(replica)
    assert found.code == 2 and found.document["hosts"][replica.name] in ("unreachable", "failed")
    assert {name for name, _host in found.critical} <= {"host-unreachable", "host-silent"}
    assert {host for _name, host in found.critical} == {replica.name}
