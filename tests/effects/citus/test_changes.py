"""What a change costs and shows: settings, files, passwords, certificates, and inventories that are wrong."""

import shutil
import subprocess
import threading
import time
from pathlib import Path

import citus_load
import psycopg
import pytest
import states

NAME = "15/citus"


def value(nodes, setting):
    return {node.value(f"SELECT current_setting('{setting}') AS v") for node in nodes.values()}


def test_settings_change_while_the_servers_run_and_what_is_changed_by_hand_is_told_or_set_back(playbook, cluster):
    before, change = states.started(cluster.values()), {"citus_config": {"work_mem": "5MB"}}
    one, other = cluster["worker1"], cluster["worker2"]
    one.execute("ALTER SYSTEM SET random_page_cost = 2")
    other.run(f"echo 'host all all 0.0.0.0/0 trust' >> {other.folder}/pg_hba.conf")
    other.run(f"echo manual > {other.folder}/start.conf")
    for node in (one, other):
        node.execute("SELECT pg_reload_conf()")
    run = states.planned(playbook, change)
    settings, by_hand = "conf.d/50-cistern.conf", ("start.conf", "pg_hba.conf")
    for node in cluster.values():
        written = [f"write {node.folder}/{name}" for name in (*(by_hand if node is other else ()), settings)]
        assert run.steps(node.name) == [*written, f"reload {NAME}"]
    assert value(cluster, "work_mem") == {"5MB"} and states.started(cluster.values()) == before
    assert "note: random_page_cost is 2 by" in run.output and "ALTER SYSTEM RESET random_page_cost" in run.output
    assert "trust" not in {row["auth_method"] for row in other.rows("SELECT auth_method FROM pg_hba_file_rules")}
    one.execute("ALTER SYSTEM RESET random_page_cost")
    one.execute("SELECT pg_reload_conf()")
    playbook.run()
    assert value(cluster, "work_mem") != {"5MB"}
    states.settle(playbook)


def test_a_restart_waits_or_goes_from_node_to_node(playbook, cluster, coordinator, workers, load):
    change = {"citus_config": {"max_locks_per_transaction": 160}}
    why = "max_locks_per_transaction: 128 -> 160"
    before = states.started(cluster.values())
    reported = playbook.run({**change, "citus_restart_policy": "report"})
    for node in cluster.values():
        assert reported.steps(node.name)[-1] == f"waits for a restart of {NAME}: {why}"
    assert value(cluster, "max_locks_per_transaction") == {"128"} and states.started(cluster.values()) == before
    run = states.planned(playbook, change)
    for node in cluster.values():
        assert run.steps(node.name)[-1] == f"restart {NAME}: {why}"
    times = [node.started() for node in [*workers, coordinator]]
    assert times == sorted(times) and not set(times) & set(before.values())
    assert value(cluster, "max_locks_per_transaction") == {"160"}
    with load:
        playbook.run()
        load.wait_steady()
    print(f"\nthree restarts: {load.summary()}")
    assert load.missing() == [] and load.gap() < 5, load.summary()
    states.settle(playbook)


def test_settings_that_a_server_refuses_replace_nothing_anywhere(playbook, cluster):
    before = states.files(cluster.values()), states.started(cluster.values())
    wrong = {"worker1": {"shared_preload_libraries": "citus, nowhere"}, "worker2": {"work_mem": "64XB"}}
    wrong = f"{{{{ {wrong}.get(inventory_hostname, {{'work_mem': '5MB'}}) }}}}"
    run = playbook.run({"citus_config": wrong}, fails=True)
    said = states.said(run).lower()
    assert 'could not access file "nowhere"' in said and 'invalid value for parameter "work_mem": "64xb"' in said
    assert (states.files(cluster.values()), states.started(cluster.values())) == before


class Watch:
    """Looks at what runs, here and on the nodes, until the block ends; `seen` is all that stood in an argument list."""

    def __init__(self, nodes):
        self.nodes, self.seen = nodes, set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        look = "while sleep 0.05; do cat /proc/[0-9]*/cmdline 2> /dev/null | sort -zu; done > /run/seen"
        for node in self.nodes:
            node.run(f"systemd-run --quiet --collect --unit watch sh -c '{look}'")
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._stop.set()
        self._thread.join()
        for node in self.nodes:
            seen = node.run("systemctl stop watch; sort -zu /run/seen | tr '\\0' '\\n'; rm /run/seen")
            self.seen |= set(seen.split("\n"))

    def _look(self):
        while not self._stop.wait(0.05):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen |= set(path.read_text(errors="replace").split("\0"))
                except OSError:
                    continue


def test_a_password_changes_and_nobody_sees_it(playbook, cluster):
    """The server logs every statement meanwhile, so that one that shows the password would be found in its log."""
    new, old = r"another\one#of$the%application's{}ä|=!", cluster["worker1"].vars["citus_password"]
    with Watch(cluster.values()) as watch:
        change = {"citus_password": new, "citus_config": {"log_statement": "all"}}
        first = playbook.run(change, ["-vvv", "--diff"])
        for node in cluster.values():
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                node.connect()
            with node.connect(password=new) as connection:
                assert connection.execute("SELECT count(*) FROM countries").fetchone() == (0,)
        second = playbook.run({"citus_config": {"log_statement": "all"}}, ["-vvv", "--diff"])
    for node in cluster.values():
        node.connect().close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            node.connect(password=new)
    said = first.output + second.output
    for word in (new, old, "SCRAM-SHA-256$", new.replace("\\", "\\\\"), old.replace("\\", "\\\\")):
        assert word not in said
        assert not [seen for seen in watch.seen if word in seen]
    for node in cluster.values():
        for word in (new, old):
            found = node.host.run("grep -rFl -e %s /etc /var/log /run/systemd /tmp /root /home", word)
            assert found.stdout == "" and node.host.run("journalctl --no-pager | grep -F -e %s", word).stdout == ""
    playbook.run()
    states.settle(playbook)


def serials(nodes):
    return {node.run("openssl x509 -noout -serial -in /etc/ssl/cistern-citus/node.crt") for node in nodes.values()}


def test_certificates_are_made_anew_while_the_application_writes(playbook, cluster, coordinator, load):
    before, running = serials(cluster), states.started(cluster.values())
    with load:
        seen = [before]
        for _time in range(2):
            playbook.run({"citus_rotate": True})
            seen.append(serials(cluster))
            assert states.health(coordinator, len(cluster))
        load.wait_steady()
    assert (load.errors, load.missing()) == ([], []), load.summary()
    assert len(set().union(*seen)) == 3 * len(cluster)
    assert states.started(cluster.values()) == running
    states.settle(playbook)


def issuers(nodes):
    return {node.run("openssl x509 -noout -issuer -in /etc/ssl/cistern-citus/node.crt") for node in nodes.values()}


def test_another_ca_takes_over_and_gives_back_while_the_application_writes(
    playbook, cluster, coordinator, tables, tmp_path
):
    """Each time the CA of before lies in trusted/, so nodes of both know each other."""
    ours, another = Path(coordinator.vars["citus_ca_dir"]), tmp_path / "another"
    (another / "trusted").mkdir(parents=True)
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 30 -subj /CN=another"
    files = ["-keyout", another / "ca.key", "-out", another / "ca.crt"]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    shutil.copyfile(ours / "ca.crt", another / "trusted/ours.crt")
    back = shutil.copytree(ours, tmp_path / "back")
    (back / "trusted").mkdir(exist_ok=True)
    shutil.copyfile(another / "ca.crt", back / "trusted/another.crt")
    both = tmp_path / "both.crt"
    both.write_text((ours / "ca.crt").read_text() + (another / "ca.crt").read_text())
    before = issuers(cluster)
    with citus_load.Load({**coordinator.place(), "sslrootcert": str(both)}) as load:
        run = playbook.run({"citus_ca_dir": str(another)})
        why = "its certificate is of another CA"
        assert run.steps("worker1")[-2:] == [f"take a certificate of the CA: {why}", f"reload {NAME}"]
        assert len(issuers(cluster)) == 1 and issuers(cluster) != before and states.health(coordinator, len(cluster))
        playbook.run({"citus_ca_dir": str(back)})
        assert issuers(cluster) == before and states.health(coordinator, len(cluster))
        playbook.run()
        load.wait_steady()
    assert (load.errors, load.missing()) == ([], []), load.summary()
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        coordinator.connect(sslrootcert=str(another / "ca.crt"))
    states.settle(playbook)


def test_every_mistake_of_an_inventory_is_told_at_once(playbook, cluster):
    began = time.monotonic()
    wrong = {
        "citus_port": 70000,
        "citus_password": "short",
        "citus_clients": ["10.213.7.0/33"],
        "citus_config": {"wal_level": "replica", "citus.shard_kount": 4},
    }
    run = playbook.run(wrong, fails=True)
    assert time.monotonic() - began < 10
    said = states.said(run)
    assert "The inventory has 5 errors. No host was touched." in said
    for name in ("citus_port", "citus_password", "citus_clients", "wal_level", "citus.shard_kount"):
        assert name in said
    assert "changed=0" in run.output and "short" not in run.output.replace("at least", "")
