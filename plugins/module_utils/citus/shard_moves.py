"""Shard moves of Citus, which its background workers make: start them, follow them, end them.

They go on without whoever started them. So a run that is killed loses nothing, and the next one finds them under way.
"""

import re
import time

from ansible_collections.cistern.core.plugins.module_utils.citus import client as citus_sql
from ansible_collections.cistern.core.plugins.module_utils.citus import cluster as citus_cluster
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Failed
from ansible_collections.cistern.core.plugins.module_utils.host.formatting import pg_size

# Citus tries a move again after 5, after 20 and then each 60 seconds, 30 times,
# which is half an hour of waiting for nothing.
TRIES = 3
ENDED = ("finished", "cancelled", "failed")


def start(connection, mode, strategy=None, drain_only=False):
    """Start the moves; return the job, or None where there is nothing to move."""
    return citus_sql.value(
        connection,
        "SELECT pg_catalog.citus_rebalance_start(rebalance_strategy := %s, drain_only := %s,"
        " shard_transfer_mode := %s::citus.shard_transfer_mode)",
        (strategy, drain_only, mode),
    )


def progress(connection, job, hosts):
    """Return how far a job is: {job, state, done, total, message, failed}."""
    state = citus_sql.value(
        connection, "SELECT state::text FROM pg_catalog.pg_dist_background_job WHERE job_id = %s", (job,)
    )
    tasks = citus_sql.rows(
        connection,
        "SELECT status::text, coalesce(retry_count, 0) AS tries, message"
        " FROM pg_catalog.pg_dist_background_task WHERE job_id = %s ORDER BY task_id",
        (job,),
    )
    done = sum(task["status"] == "done" for task in tasks)
    troubled = [task for task in tasks if task["message"] and task["status"] != "done" and task["tries"]]
    given_up = [task for task in troubled if task["status"] == "error" or task["tries"] >= TRIES]
    message = f"{done} of {len(tasks)} shard moves done"
    if troubled:
        message += f"; failed {troubled[0]['tries']} times: {reason(troubled[0]['message'])}"
    else:
        message += "".join(f"; {text}" for text in _under_way(connection, hosts))
    return {
        "job": job,
        "state": state,
        "done": done,
        "total": len(tasks),
        "message": message,
        "failed": reason(given_up[0]["message"]) if given_up else "",
    }


def _under_way(connection, hosts):
    """Yield what is being copied at this moment, as sentences; tables whose shards lie together move together."""
    for row in citus_sql.rows(
        connection,
        "SELECT string_agg(DISTINCT table_name::text, ', ') AS tables, sourcename || ' ' || sourceport AS source,"
        " targetname || ' ' || targetport AS target, sum(source_shard_size)::bigint AS bytes,"
        " least(sum(target_shard_size), sum(source_shard_size))::bigint AS copied"
        " FROM pg_catalog.get_rebalance_progress() WHERE progress = 1 GROUP BY 2, 3 ORDER BY 1",
    ):
        source, target = (hosts.get(row[end], row[end]) for end in ("source", "target"))
        copied = f"{pg_size(row['copied'] or 0)} of {pg_size(row['bytes'] or 0)}"
        yield f"{row['tables']} from {source} to {target}, {copied}"


def reason(message):
    """Return what a task says of its failure, in one line, without what led to it."""
    text = " ".join(re.split(r"\n?(?:CONTEXT|STATEMENT):", message)[0].split())
    return re.sub(r"^(?:(?:ERROR|FATAL): *)+", "", text).rstrip(".")


def wait(connection, job, until, pause, hosts):
    """Wait for a job until it ends (None), or until the moment `pause` (how far it is).

    Raises Failed where it ends without success, where a move fails again and again, and at the moment `until`.
    """
    while True:
        now = progress(connection, job, hosts)
        if now["state"] == "finished":
            return None
        if now["failed"]:
            raise Failed(f"a shard move fails: {now['failed']}")
        if now["state"] in ENDED:
            raise Failed(f"somebody ended the shard moves (job {job} is {now['state']})")
        if time.monotonic() >= until:
            raise Failed(f"the time is over: {now['message']}")
        if time.monotonic() >= pause:
            return now
        time.sleep(min(1, max(0.05, min(until, pause) - time.monotonic())))


def stop(connection, seconds=60):
    """End the moves that are under way. What has moved stays where it is; a move that is half done is undone."""
    under_way = citus_cluster.job(connection)
    if not under_way:
        return
    citus_sql.run(connection, "SELECT pg_catalog.citus_job_cancel(%s)", (under_way["id"],))
    until = time.monotonic() + seconds
    while progress(connection, under_way["id"], {})["state"] not in ENDED:
        if time.monotonic() > until:
            raise Failed(f"job {under_way['id']} does not end within {seconds} s")
        time.sleep(0.2)


def set_shards(connection, endpoint, takes):
    """Set whether a node takes shards; nothing moves by this."""
    citus_sql.run(
        connection,
        "SELECT pg_catalog.citus_set_node_property(%s, %s, 'shouldhaveshards', %s)",
        (*citus_cluster.parts(endpoint), takes),
    )
