"""What a Citus cluster says of itself, asked on its coordinator: nodes, shards, tables, whether every node answers."""

from __future__ import annotations

import json

from ansible_collections.cistern.core.plugins.module_utils.citus import client as citus_sql
from ansible_collections.cistern.core.plugins.module_utils.citus.contract import (
    Answer,
    Cluster,
    Job,
    Local,
    Move,
    Node,
    NodeState,
    Server,
    Shards,
)

# Asked at each node over the connections that Citus itself uses: address, password and certificate are proven with it.
_QUESTION = """SELECT pg_catalog.json_build_object(
    'extension', (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'),
    'wal_level', pg_catalog.current_setting('wal_level'))"""
# Reference tables (t) have a copy everywhere, and local tables (colocation 0) stay where they are.
_MOVABLE = "p.repmodel <> 't' AND p.colocationid <> 0"
_NOT_OF_AN_EXTENSION = """NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_class'::regclass
    AND d.objid = p.logicalrelid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')"""


def refusal(error):
    """Return the reasons as a person may read them."""
    if len(error.args) == 1:
        return f"Nothing was changed: {error}."
    return "\n".join(["Nothing was changed, for these reasons:", *[f"- {text}." for text in error.args]])


def endpoint_of(node: Node) -> str:
    """Return where a node is reached, as one word: as the cluster has written it, whose rows are found by it."""
    return f"{node['address']} {node['port']}"


def parts(endpoint):
    """Return address and port of a place."""
    address, _space, port = endpoint.rpartition(" ")
    return address, int(port)


def identity(connection) -> Server:
    """Return what this server is; raise Absent where the database has no Citus."""
    version = citus_sql.value(connection, "SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'")
    if version is None:
        raise citus_sql.Absent("the database has no extension citus: CREATE EXTENSION citus, on every node")
    return {
        "extension": version,
        "group": citus_sql.value(connection, "SELECT groupid FROM pg_catalog.pg_dist_local_group"),
        "port": int(citus_sql.value(connection, "SELECT pg_catalog.current_setting('port')")),
    }


def observe(connection, endpoints) -> Cluster:
    """Return the state of the cluster; `endpoints` are nodes that it may not know yet."""
    known = nodes(connection)
    answered = answers(connection, [*known, *endpoints])
    return {
        **identity(connection),
        "nodes": known,
        "job": job(connection),
        "answers": answered,
        "shards": shards(connection, known, _all_answer(known, answered)),
        "bare": bare(connection),
        "local": _local(connection),
    }


def reachable(have: Cluster) -> bool:
    """Whether every node that the cluster knows answers."""
    return _all_answer(have["nodes"], have["answers"])


def _all_answer(known, answered) -> bool:
    return all(answered[endpoint]["ok"] for endpoint in known)


def nodes(connection) -> dict[str, NodeState]:
    """Return {endpoint: what Citus knows of the node}; the coordinator is the one of group 0."""
    found = citus_sql.rows(
        connection,
        "SELECT nodename, nodeport, groupid, isactive, metadatasynced, shouldhaveshards FROM pg_catalog.pg_dist_node"
        " WHERE noderole = 'primary' ORDER BY groupid",
    )
    return {
        f"{node['nodename']} {node['nodeport']}": {
            "group": node["groupid"],
            "active": node["isactive"],
            "synced": node["metadatasynced"] or node["groupid"] == 0,
            "takes": node["shouldhaveshards"],
        }
        for node in found
    }


def answers(connection, endpoints) -> dict[str, Answer]:
    """Return {endpoint: {ok, message, extension, wal_level}}."""
    unique = list(dict.fromkeys(endpoints))
    if not unique:
        return {}
    found = citus_sql.rows(
        connection,
        "SELECT node_name, node_port, success, result FROM pg_catalog.master_run_on_worker(%s, %s, %s, true)",
        (
            [parts(endpoint)[0] for endpoint in unique],
            [parts(endpoint)[1] for endpoint in unique],
            [_QUESTION] * len(unique),
        ),
    )
    return {f"{row['node_name']} {row['node_port']}": _answer(row["success"], row["result"]) for row in found}


def _answer(success, result) -> Answer:
    if not success:
        return {"ok": success, "message": " ".join(result.split()), "extension": None, "wal_level": None}
    found = json.loads(result)
    return {"ok": success, "message": "", "extension": found["extension"], "wal_level": found["wal_level"]}


def shards(connection, known, sizes) -> dict[str, Shards]:
    """Return {endpoint: {count, bytes}} of the shards that can be moved; bytes None where not every node answers."""
    found = citus_sql.rows(
        connection,
        "SELECT n.nodename || ' ' || n.nodeport AS place, count(*) AS count FROM pg_catalog.pg_dist_placement pl"
        " JOIN pg_catalog.pg_dist_shard s USING (shardid) JOIN pg_catalog.pg_dist_partition p USING (logicalrelid)"
        " JOIN pg_catalog.pg_dist_node n ON n.groupid = pl.groupid AND n.noderole = 'primary'"
        f" WHERE {_MOVABLE} AND {_NOT_OF_AN_EXTENSION} GROUP BY 1",
    )
    counts = {row["place"]: row["count"] for row in found}
    total = dict.fromkeys(known, None)
    if sizes:
        found = citus_sql.rows(
            connection,
            "SELECT nodename || ' ' || nodeport AS place, sum(shard_size)::bigint AS bytes FROM pg_catalog.citus_shards"
            " WHERE citus_table_type NOT IN ('reference', 'local') GROUP BY 1",
        )
        total = {**dict.fromkeys(known, 0), **{row["place"]: row["bytes"] or 0 for row in found}}
    return {endpoint: {"count": counts.get(endpoint, 0), "bytes": total[endpoint]} for endpoint in known}


def bare(connection) -> list[str]:
    """Return the tables whose rows logical replication cannot tell apart."""
    found = citus_sql.rows(
        connection,
        "SELECT c.oid::regclass::text AS name FROM pg_catalog.pg_dist_partition p"
        " JOIN pg_catalog.pg_class c ON c.oid = p.logicalrelid"
        f" WHERE p.colocationid <> 0 AND c.relkind = 'r' AND {_NOT_OF_AN_EXTENSION} AND NOT {IDENTIFIED} ORDER BY 1",
    )
    return [row["name"] for row in found]


# A condition on a row c of pg_class.
IDENTIFIED = """(c.relreplident = 'f' OR EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid
    AND CASE c.relreplident WHEN 'i' THEN i.indisreplident WHEN 'd' THEN i.indisprimary ELSE false END))"""


def job(connection) -> Job | None:
    """Return the shard moves that are under way: {id, state}, or None."""
    found = citus_sql.rows(
        connection,
        "SELECT job_id AS id, state::text FROM pg_catalog.pg_dist_background_job WHERE job_type = 'rebalance'"
        " AND state IN ('scheduled', 'running', 'cancelling', 'failing') ORDER BY job_id DESC LIMIT 1",
    )
    return found[0] if found else None


def planned(connection, strategy=None) -> list[Move]:
    """Return the moves that a rebalance would make; the shards of one group that move together are one."""
    found = citus_sql.rows(
        connection,
        "SELECT m.table_name::text AS name, m.shardid AS shard, p.colocationid AS colocation,"
        " s.shardminvalue AS low, m.sourcename || ' ' || m.sourceport AS source,"
        " m.targetname || ' ' || m.targetport AS target"
        " FROM pg_catalog.get_rebalance_table_shards_plan(rebalance_strategy := %s) m"
        " JOIN pg_catalog.pg_dist_shard s ON s.shardid = m.shardid"
        " JOIN pg_catalog.pg_dist_partition p ON p.logicalrelid = s.logicalrelid",
        (strategy,),
    )
    sizes = {}
    if found:  # the plan itself says 0 for all of them
        sizes = {
            row["shard"]: row["bytes"]
            for row in citus_sql.rows(
                connection, "SELECT shardid AS shard, shard_size AS bytes FROM pg_catalog.citus_shards"
            )
        }
    moves: dict = {}
    for row in found:
        key = (row["colocation"], row["low"], row["source"], row["target"])
        move = moves.setdefault(key, {"tables": [], "bytes": 0, "from": row["source"], "to": row["target"]})
        move["tables"].append(row["name"])
        move["bytes"] += sizes.get(row["shard"]) or 0
    return list(moves.values())


def _local(connection) -> Local:
    """Whether this server reaches itself under the name that its background work uses."""
    name = citus_sql.value(connection, "SELECT pg_catalog.current_setting('citus.local_hostname')")
    port = citus_sql.value(connection, "SELECT pg_catalog.current_setting('port')")
    endpoint = f"{name} {port}"
    return {"name": name, **answers(connection, [endpoint])[endpoint]}


def unmovable(have: Cluster, mode, hosts) -> list[str]:
    """Return why no shard could be moved: each would be tried again for half an hour."""
    problems = []
    if not have["local"]["ok"]:
        problems.append(
            f"this server does not reach itself as {have['local']['name']} ({have['local']['message']}), which shard "
            "moves need: set citus.local_hostname to its own address"
        )
    if mode == "block_writes":
        return problems
    for endpoint, answer in have["answers"].items():
        if answer["ok"] and answer["wal_level"] != "logical":
            problems.append(
                f"{hosts.get(endpoint, endpoint)} has wal_level {answer['wal_level']}: set it to logical, which needs "
                "a restart, or take shard_transfer_mode block_writes"
            )
    if have["bare"] and mode == "auto":
        several = len(have["bare"]) > 1
        problems.append(
            f"{', '.join(have['bare'])} {'have' if several else 'has'} no primary key and no replica identity, so the "
            "rows cannot be told apart while shards move: give "
            f"{'each' if several else 'it'} one (ALTER TABLE {have['bare'][0]} REPLICA IDENTITY FULL), or take "
            "shard_transfer_mode block_writes"
        )
    return problems
