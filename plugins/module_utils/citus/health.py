"""What is not whole of a Citus cluster, as its coordinator sees it, and the connections that its nodes live on."""

from ansible_collections.cistern.core.plugins.module_utils.citus import client as citus_sql
from ansible_collections.cistern.core.plugins.module_utils.citus.contract import Cluster


def health(have: Cluster, hosts) -> list[str]:
    """Return what is not whole, as sentences; `hosts` are {endpoint: inventory host}. Pure."""
    found = []
    for endpoint, node in have["nodes"].items():
        name, answer = hosts.get(endpoint, endpoint), have["answers"][endpoint]
        if not answer["ok"]:
            found.append(f"{name} does not answer the coordinator ({answer['message']})")
        elif not node["active"]:
            found.append(f"{name} is inactive: nothing is asked of its shards")
        elif not node["synced"]:
            found.append(f"{name} has not got the metadata: it takes no queries")
    return found


def refused(connection, hosts) -> list[str]:
    """Let every node open a connection to every other; return those that are refused, as sentences.

    Citus' own citus_check_cluster_node_health() asks each node to connect to each; all of it in sessions of this run,
    so with the certificates, names and rules of now.
    """
    rows = citus_sql.rows(
        connection,
        "SELECT from_nodename || ' ' || from_nodeport AS source, to_nodename || ' ' || to_nodeport AS target, result"
        " FROM pg_catalog.citus_check_cluster_node_health()",
    )
    names = {key: [hosts.get(row[key], row[key]) for row in rows] for key in ("source", "target")}
    return [
        f"from {source} to {target}"
        for source, target, row in zip(names["source"], names["target"], rows)
        if row["result"] is not True
    ]
