"""What the tests of this folder ask and do: what a cluster is now, that nothing is left to do, a run that is killed."""

import contextlib
import re
import time

import faults
import instances

JOINED = ["--inventory", str(instances.ROOT / "molecule/citus/joined.yml")]
SPARE = "worker3"
SCHEMA = instances.ROOT / "inventories/lab/chat.sql"


def wait(condition, seconds=30):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, f"not so after {seconds} s"
        time.sleep(0.1)
    return found


def said(run):
    """Return what a run printed, as one line: Ansible wraps what it prints."""
    return " ".join(run.output.split())


def settle(playbook, more=None, options=()):
    """A run changes nothing, and a check run has nothing to say; both at once, as neither may do anything."""
    processes = [playbook.start(more, [*options, *check]) for check in ([], ["--check", "--diff"])]
    for process in processes:
        output = process.communicate(timeout=300)[0]
        assert process.returncode == 0 and "changed=0" in output, output
        assert not any(f"changed={digit}" in output for digit in "123456789"), output


def planned(playbook, more=None, options=(), name=None):
    """Run; a check run before it has told the same steps. Returns the run."""
    plan = playbook.check(more, options, name)
    run = playbook.run(more, options, name=name)
    told, taken = steps(plan), steps(run)
    assert told == taken, f"told: {told}\ntaken: {taken}\n{run.output}"
    return run


def steps(run):
    """Return {host: steps}, without sizes, which grow meanwhile, and what is told of moves while they last."""
    return {
        name: [re.sub(r" \(\d+ \w+\)", "", step) for step in run.steps(name) if " shard moves done" not in step]
        for name in ("coordinator", "worker1", "worker2", SPARE)
    }


def mend(playbook, nodes):
    """Bring back what a test that failed has left: hosts that are down, another worker, settings."""
    for node in nodes:
        faults.end(node)
    playbook.run({"citus_remove": SPARE}, JOINED, name="citus_remove")
    playbook.run()


# -- what a cluster is


def started(nodes):
    return {node.name: node.started() for node in nodes}


def files(nodes):
    """Return all that the role writes on a node, as one checksum each."""
    folders = "/etc/postgresql /etc/ssl/cistern-citus /etc/apt /etc/postgresql-common"
    return {node.name: node.run(f"find {folders} -type f -exec md5sum {{}} + | sort | md5sum") for node in nodes}


def health(coordinator, count):
    """Whether each of so many nodes reaches each."""
    found = [row["result"] for row in coordinator.rows("SELECT result FROM citus_check_cluster_node_health()")]
    return found == [True] * count**2


def takes_shards(coordinator):
    """Return {address: whether it may hold shards} of the workers."""
    found = coordinator.rows("SELECT nodename, shouldhaveshards AS takes FROM pg_dist_node WHERE groupid <> 0")
    return {row["nodename"]: row["takes"] for row in found}


def shards(coordinator):
    """Return {address: how many shards of distributed tables it holds}; one that holds none is not in it."""
    found = coordinator.rows(
        "SELECT nodename, count(*) AS n FROM pg_dist_placement JOIN pg_dist_shard USING (shardid) "
        "JOIN pg_dist_partition USING (logicalrelid) JOIN pg_dist_node USING (groupid) "
        "WHERE partmethod = 'h' GROUP BY 1"
    )
    return {row["nodename"]: row["n"] for row in found}


def distributed(coordinator):
    if coordinator.value("SELECT count(*) AS n FROM pg_extension WHERE extname = 'citus'") == 0:
        return set()
    return {row["name"] for row in coordinator.rows("SELECT logicalrelid::text AS name FROM pg_dist_partition")}


def contents(coordinator):
    """Return count and checksum of the application's rows."""
    with coordinator.connect() as connection:
        return connection.execute(
            "SELECT count(*), sum(message_id), "
            "md5(string_agg(conversation_id || ' ' || body, ',' ORDER BY message_id)) FROM messages"
        ).fetchone()


def is_stand_in(coordinator):
    return "stand-in" in coordinator.value("SELECT citus_version() AS v")


# -- what is done to it


def migrate(coordinator):
    """Make the application's tables, as its own migration does."""
    with coordinator.connect() as connection:
        connection.execute(SCHEMA.read_text(encoding="utf-8"))


def drop(coordinator, *tables):
    for table in tables:
        coordinator.execute(f"DROP TABLE IF EXISTS {table} CASCADE")


@contextlib.contextmanager
def locked(node, table):
    """Hold a lock on a table, which a change of it waits for; reading goes on."""
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lock'"
    query = f"BEGIN; LOCK TABLE {table} IN SHARE MODE; SELECT pg_sleep(600)"
    node.run(
        "systemd-run --quiet --collect --uid postgres --setenv PGAPPNAME=lock psql -XAtq "
        f"-p {node.vars['citus_port']} -d {node.vars['citus_database']} -c '{query}'"
    )
    of_table = f"relation = '{table}'::regclass AND mode = 'ShareLock' AND granted"
    granted = f"SELECT count(*) AS n FROM pg_locks WHERE {of_table}"
    try:
        wait(lambda: node.value(granted))
        yield
    finally:
        node.execute(end)


def somebody_waits(node, process):
    """Wait until the lock is what a run waits for."""
    waiting = "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    wait(lambda: node.value(waiting) or process.poll() is not None, 300)
    assert process.poll() is None, process.communicate()[0]


def kill(process, nodes):
    """Kill a run, and what it had under way on the hosts."""
    faults.kill_run(process)
    faults.kill_modules(nodes)
    return process.communicate()[0]


def anew(inventory, node):
    """Make a host anew, as it came."""
    faults.podman("rm", "--force", node.vars["lab_container"])
    up = instances.ROOT / "lab/hosts.py"
    faults.subprocess.run([up, "up", "--inventory", inventory], check=True, capture_output=True)
