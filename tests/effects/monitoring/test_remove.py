"""What is taken off a machine, what stays, and that it comes back."""

import pytest
from waiting import wait_for

NODE = "prometheus-node-exporter.service"
OWN = f"/etc/systemd/system/{NODE}.d/own.conf"


@pytest.fixture(scope="module", autouse=True)
def watched_again(playbook):
    """Whatever happened here, all is watched afterwards."""
    yield
    playbook.run(name="monitoring")
    assert playbook.run(name="monitoring").changed == 0


def remove(playbook, name, check=False, fails=False):
    options = ["-e", f"monitoring_remove={name}", *(["--check"] if check else [])]
    return playbook.run(options=options, name="monitoring_remove", fails=fails)


def state(machine, *units):
    said = machine.run(f"systemctl show --property ActiveState,UnitFileState --value {' '.join(units)}").split()
    return list(zip(said[::2], said[1::2], strict=True))


@pytest.mark.parametrize("name", ["", "redis9", "watch"])
def test_what_is_no_host_is_refused(playbook, name):
    run = remove(playbook, name, fails=True)
    assert "Write -e monitoring_remove=<host of the inventory>" in " ".join(run.output.split())
    assert run.changed == 0


def test_a_machine_is_watched_no_more(playbook, machines):
    machine = machines["redis3"]
    machine.run(f"printf '[Service]\\nNice=1\\n' > {OWN}")
    checked = remove(playbook, "redis3", check=True)
    assert state(machine, *machine.units) == [("active", "enabled")] * 2
    run = remove(playbook, "redis3")
    assert run.steps("redis3") == checked.steps("redis3")
    assert f"stop {NODE} and keep it from starting" in run.steps("redis3")
    assert [run.steps(other) for other in machines if other != "redis3"] == [[]] * (len(machines) - 1)
    assert state(machine, *machine.units) == [("inactive", "disabled")] * 2
    assert not [line for line in machine.run("ss -ltn").split() if line.endswith((":9100", ":9121"))]
    assert machine.run("ls /etc/cistern /usr/local/lib/cistern").split().count("cistern-exporter.password") == 0
    # what is somebody else's: their file, and their exporter from now on
    assert machine.run(f"cat {OWN}") and remove(playbook, "redis3").changed == 0
    machine.run(f"systemctl enable --now {NODE}")
    assert remove(playbook, "redis3").changed == 0 and state(machine, NODE) == [("active", "enabled")]
    machine.run(f"rm {OWN}; systemctl disable --now {NODE}")
    # a program of somebody else on the port answers, and is told before anything is changed
    address, port = machine.units[NODE]
    machine.run(f"systemd-run --unit stranger python3 -m http.server --bind {address} {port}")
    wait_for(lambda: f"{address}:{port} " in machine.run("ss -ltn"))
    run = playbook.run(options=["--limit", "redis3"], name="monitoring", fails=True)
    assert f"port {port} of redis3 is served by stranger.service" in " ".join(run.output.split()), run.output
    assert run.changed == 0
    # the server has a user of it, with a password that is made anew
    playbook.run(name="redis")
    # systemd refuses to start it for a while after this
    machine.run(f"for each in 1 2 3 4 5 6; do systemctl start {NODE}; done; systemctl stop stranger")
    playbook.run(name="monitoring")
    assert state(machine, *machine.units) == [("active", "enabled")] * 2


def test_a_machine_watches_no_more_and_keeps_what_it_has_measured(playbook, watch):
    [(_labels, since)] = watch.query("min_over_time(timestamp(up{job='prometheus'})[1h:1m])") or [(None, None)]
    remove(playbook, "watch1")
    assert state(watch, *watch.units) == [("inactive", "disabled")] * len(watch.units)
    left = watch.run("cd /etc/prometheus; find *.yml rules targets -type f 2> /dev/null || true").split()
    assert left == [] and watch.run("ls /var/lib/prometheus/metrics2")
    assert remove(playbook, "watch1").changed == 0
    # somebody sets up a Prometheus of their own: what they have written is kept
    watch.run("cd /etc/prometheus; echo '# theirs' | tee prometheus.yml alertmanager.yml rules/theirs.yml")
    run = playbook.run(name="monitoring")
    assert "set /etc/prometheus/rules/theirs.yml aside as /etc/prometheus/rules/theirs.yml.before-cistern" in run.output
    kept = "cd /etc/prometheus; {} prometheus.yml.before-cistern alertmanager.yml.before-cistern rules/*.before-cistern"
    assert watch.run(kept.format("cat")).split() == ["#", "theirs"] * 3
    assert playbook.run(name="monitoring").changed == 0
    watch.run(kept.format("rm"))
    [(_labels, found)] = watch.query("min_over_time(timestamp(up{job='prometheus'})[1h:1m])")
    assert since and found <= since
