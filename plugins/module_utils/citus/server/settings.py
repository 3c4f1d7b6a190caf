"""The PostgreSQL settings of a Citus node: what its machine and its cluster make of them. Pure.

machine  {memory_mb, cores}
cluster  {version, citus, nodes, clients, address, addresses, port, tls: {ca, certificate, key}}
         version: of the installed server, as (15, 20); nodes: how many there are, the coordinator among them
"""

import re

# Citus' own plugin for splits without blocking has to be allowed by name from these on (CVE-2026-6471, August 2026).
# An older server does not start with the setting: it does not know it.
PLUGIN_LIST_SINCE = {14: 24, 15: 19, 16: 15, 17: 11, 18: 6}
# Connections that Citus opens to one node, over all backends of another, where there is room for so many clients.
LEAST_POOL, MOST_INTERNAL = 20, 1000
# There is room for so many nodes, or twice as many, and so on: one that joins shall not make all others restart.
LEAST_ROOM = 8
# For operators, monitoring and the toolkit.
RESERVED = 10
# Moves of shards that run at once: citus.max_background_task_executors.
MOVES = 4
GB = 1024


def settings(machine, cluster):
    """Return {name: value} in the server's own spelling: the baseline, and what only the toolkit may say."""
    return {**baseline(machine, cluster), **computed(cluster)}


def computed(cluster):
    """Return the settings that make a node of a cluster. What the inventory says of them is refused."""
    tls = cluster["tls"]
    found = {
        "listen_addresses": ", ".join(cluster["addresses"]),
        "port": cluster["port"],
        "ssl": True,
        "ssl_ca_file": tls["ca"],
        "ssl_cert_file": tls["certificate"],
        "ssl_key_file": tls["key"],
        "password_encryption": "scram-sha-256",
        # shards move by logical replication
        "wal_level": "logical",
        "citus.node_conninfo": (
            f"sslmode=verify-full sslrootcert={tls['ca']} sslcert={tls['certificate']} sslkey={tls['key']}"
        ),
        # a node that reaches itself shows the same certificate; the default, localhost, is no name of it
        "citus.local_hostname": cluster["address"],
    }
    if allows_plugins(cluster["version"]):
        found["output_plugin_libraries"] = "pgoutput, test_decoding, citus"
    return found


def allows_plugins(version):
    """Whether a server of this version, (major, minor), has the list of allowed output plugins."""
    major, minor = version
    return minor >= PLUGIN_LIST_SINCE[major] if major in PLUGIN_LIST_SINCE else major > max(PLUGIN_LIST_SINCE)


def baseline(machine, cluster):
    """Return the settings that the inventory may lay others over."""
    return {
        "shared_preload_libraries": "citus",
        **_memory(machine["memory_mb"], connections(cluster)["max_connections"]),
        **connections(cluster),
        **_workers(machine["cores"], cluster["nodes"]),
        "checkpoint_completion_target": 0.9,
        "max_wal_size": "4GB",
        "min_wal_size": "512MB",
        "random_page_cost": 1.1,
        "effective_io_concurrency": 200,
        "log_min_duration_statement": "1s",
        "log_checkpoints": True,
        "log_lock_waits": True,
        "log_autovacuum_min_duration": "10s",
        "log_temp_files": "64MB",
    }


def _memory(total, clients):
    """A quarter for the server's own pages; another one for sorts and hashes, if one client in four has one at once."""
    return {
        "shared_buffers": _size(max(128, total // 4)),
        "effective_cache_size": _size(max(64, total * 3 // 4)),
        "maintenance_work_mem": _size(min(2 * GB, max(64, total // 16))),
        # a distributed query is several backends, each of which may sort
        "work_mem": _size(min(64, max(4, total // 4 // max(1, clients // 4)))),
    }


def connections(cluster):
    """Return the settings of connections, by arithmetic over the number of nodes.

    Every node may take clients, and each may open a pool of connections to every other one. A node has to have room
    for its own clients, for the pools of all nodes (it is one of its own), and for operators.
    """
    nodes, clients = room(cluster["nodes"]), cluster["clients"]
    pool = max(LEAST_POOL, min(clients, MOST_INTERNAL // nodes))
    most = clients + nodes * pool + RESERVED
    return {
        "max_connections": most,
        "superuser_reserved_connections": RESERVED,
        "citus.max_shared_pool_size": pool,
        "citus.max_client_connections": clients,
        # one for each transaction that is committed on several nodes
        "max_prepared_transactions": most,
        # a query over a table locks every shard of it
        "max_locks_per_transaction": 128,
    }


def room(nodes):
    """Return the number of nodes that there is room for."""
    found = LEAST_ROOM
    while found < nodes:
        found *= 2
    return found


def _workers(cores, nodes):
    """Return the settings of background processes: those of parallel queries, and those of moves of shards."""
    slots = 10 + MOVES * room(nodes)
    return {
        "max_parallel_workers": max(2, cores),
        "max_parallel_workers_per_gather": max(1, min(4, cores // 2)),
        "max_logical_replication_workers": 2 * MOVES + 4,
        "citus.max_background_task_executors": MOVES,
        # those two, the maintenance daemon of each database, and the executors of moves with their own helpers
        "max_worker_processes": max(2, cores) + 2 * MOVES + 4 + 3 * MOVES + 8,
        "max_replication_slots": slots,
        "max_wal_senders": slots,
    }


def _size(megabytes):
    return f"{megabytes}MB"


# -- what the inventory lays over them, and the file


def merged(machine, cluster, layers):
    """Return all settings; null takes one away. What is computed wins: the check has refused it in a layer."""
    found = baseline(machine, cluster)
    for layer in layers:
        found.update(layer)
    found.update(computed(cluster))
    return {name: value for name, value in found.items() if value is not None}


def text(values):
    """Return the lines of a configuration file, one setting a line, sorted, so that a diff is short."""
    return "".join(f"{name} = {quoted(value)}\n" for name, value in sorted(values.items()))


def spelled(value):
    """Return a value of the inventory in the server's spelling."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value)
    return str(value)


def quoted(value):
    """Return a value as a configuration file has it: quoted, unless it is a number or a word."""
    text = spelled(value)
    if re.fullmatch(r"-?\d+(\.\d+)?|[a-z_]+", text):
        return text
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
