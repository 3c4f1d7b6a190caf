"""What a machine and its cluster make of the PostgreSQL settings: arithmetic, layers, and the text of the file."""

import re

import pytest
from ansible_collections.cistern.core.plugins.module_utils.citus.server import settings as citus_settings
from ansible_collections.cistern.core.plugins.plugin_utils.citus import inventory as citus_inventory
from ansible_collections.cistern.core.plugins.plugin_utils.citus import schema as citus_schema

MACHINE = {"memory_mb": 4096, "cores": 2}
TLS = {"ca": "/tls/ca.crt", "certificate": "/tls/node.crt", "key": "/tls/node.key"}


def cluster(**change):
    usual = {"version": (15, 20), "nodes": 3, "clients": 100, "address": "10.0.0.1", "port": 5432, "tls": TLS}
    return {**usual, "addresses": ["127.0.0.1", "10.0.0.1"], **change}


def megabytes(text):
    return int(re.fullmatch(r"(\d+)MB", text)[1])


# -- connections


@pytest.mark.parametrize("clients", [1, 100, 1000])
@pytest.mark.parametrize("nodes", range(1, 61))
def test_a_node_has_room_for_its_clients_and_for_the_pools_of_all_nodes(nodes, clients):
    found = citus_settings.connections(cluster(nodes=nodes, clients=clients))
    pools, reserved = nodes * found["citus.max_shared_pool_size"], found["superuser_reserved_connections"]
    assert found["max_connections"] >= pools + clients + reserved
    assert found["citus.max_client_connections"] == clients
    assert found["max_prepared_transactions"] >= pools + clients
    assert found["citus.max_shared_pool_size"] >= citus_settings.LEAST_POOL
    # a pool larger than what the clients of one node ask for would only cost memory
    assert found["citus.max_shared_pool_size"] <= max(clients, citus_settings.LEAST_POOL)


@pytest.mark.parametrize(
    ("nodes", "clients", "pool", "most"),
    [(3, 100, 100, 910), (3, 10, 20, 180), (16, 100, 62, 1102), (60, 100, 20, 1390)],
)
def test_pools_shrink_where_there_are_many_nodes(nodes, clients, pool, most):
    found = citus_settings.connections(cluster(nodes=nodes, clients=clients))
    assert (found["citus.max_shared_pool_size"], found["max_connections"]) == (pool, most)


def test_few_clients_sort_with_more_memory():
    """One client in four sorts at once, of however few."""
    few = citus_settings.baseline({"memory_mb": 1024, "cores": 2}, cluster(nodes=1, clients=1))
    assert (few["max_connections"], few["work_mem"]) == (171, "6MB")


@pytest.mark.parametrize(("nodes", "more"), [(1, 8), (9, 16), (17, 32)])
def test_a_node_that_joins_makes_the_others_restart_at_a_doubling_alone(nodes, more):
    few, many, next_one = (citus_settings.baseline(MACHINE, cluster(nodes=each)) for each in (nodes, more, more + 1))
    assert few == many != next_one


# -- memory


@pytest.mark.parametrize("memory", [256, 1024, 4096, 65536, 262144])
@pytest.mark.parametrize("nodes", [1, 3, 60])
def test_memory_stays_below_that_of_the_machine(memory, nodes):
    found = citus_settings.baseline({"memory_mb": memory, "cores": 2}, cluster(nodes=nodes))
    shared, once = megabytes(found["shared_buffers"]), megabytes(found["maintenance_work_mem"])
    # what every fourth client sorts at once
    sorting = megabytes(found["work_mem"]) * found["max_connections"] // 4
    assert shared <= memory // 2 and once <= memory // 4
    assert shared + once < memory
    assert memory <= 1024 or shared + once + sorting < memory + 4 * found["max_connections"]
    assert 4 <= megabytes(found["work_mem"]) <= 64 <= once <= 2048


@pytest.mark.parametrize(
    ("memory", "sizes"),
    [
        (80, (128, 64, 64, 4)),
        (256, (128, 192, 64, 4)),
        (520, (130, 390, 64, 4)),
        (1040, (260, 780, 65, 4)),
        (4096, (1024, 3072, 256, 4)),
        (8000, (2000, 6000, 500, 8)),
        (32768, (8192, 24576, 2048, 36)),
        (65536, (16384, 49152, 2048, 64)),
        (262144, (65536, 196608, 2048, 64)),
    ],
)
def test_memory_of_some_machines(memory, sizes):
    found = citus_settings.baseline({"memory_mb": memory, "cores": 2}, cluster())
    names = ("shared_buffers", "effective_cache_size", "maintenance_work_mem", "work_mem")
    assert tuple(megabytes(found[name]) for name in names) == sizes


# -- background processes


@pytest.mark.parametrize("cores", [1, 2, 16, 128])
@pytest.mark.parametrize("nodes", [1, 3, 60])
def test_there_are_processes_for_queries_and_moves_at_once(cores, nodes):
    found = citus_settings.baseline({"memory_mb": 4096, "cores": cores}, cluster(nodes=nodes))
    moves = found["citus.max_background_task_executors"]
    assert 1 <= found["max_parallel_workers_per_gather"] <= found["max_parallel_workers"]
    assert (
        found["max_worker_processes"]
        >= found["max_parallel_workers"] + found["max_logical_replication_workers"] + moves + 1
    )
    # the receiving side of a move has an apply worker, and one that copies
    assert found["max_logical_replication_workers"] >= 2 * moves
    # moves may all start from one node
    assert min(found["max_wal_senders"], found["max_replication_slots"]) >= moves * nodes


@pytest.mark.parametrize(
    ("cores", "nodes", "queries", "of_one", "processes", "slots"),
    [
        (1, 3, 2, 1, 34, 42),
        (2, 3, 2, 1, 34, 42),
        (4, 8, 4, 2, 36, 42),
        (6, 9, 6, 3, 38, 74),
        (8, 17, 8, 4, 40, 138),
        (64, 60, 64, 4, 96, 266),
    ],
)
def test_processes_of_some_machines(cores, nodes, queries, of_one, processes, slots):
    found = citus_settings.baseline({"memory_mb": 4096, "cores": cores}, cluster(nodes=nodes))
    assert (found["max_parallel_workers"], found["max_parallel_workers_per_gather"]) == (queries, of_one)
    assert (found["max_worker_processes"], found["max_logical_replication_workers"]) == (processes, 12)
    assert found["max_replication_slots"] == found["max_wal_senders"] == slots
    assert found["citus.max_background_task_executors"] == 4


def test_a_machine_of_four_gigabytes_and_two_cores():
    found = citus_settings.settings(MACHINE, cluster())
    assert citus_settings.text(found).splitlines() == [
        "checkpoint_completion_target = 0.9",
        "citus.local_hostname = '10.0.0.1'",
        "citus.max_background_task_executors = 4",
        "citus.max_client_connections = 100",
        "citus.max_shared_pool_size = 100",
        f"citus.node_conninfo = '{found['citus.node_conninfo']}'",
        "effective_cache_size = '3072MB'",
        "effective_io_concurrency = 200",
        "listen_addresses = '127.0.0.1, 10.0.0.1'",
        "log_autovacuum_min_duration = '10s'",
        "log_checkpoints = on",
        "log_lock_waits = on",
        "log_min_duration_statement = '1s'",
        "log_temp_files = '64MB'",
        "maintenance_work_mem = '256MB'",
        "max_connections = 910",
        "max_locks_per_transaction = 128",
        "max_logical_replication_workers = 12",
        "max_parallel_workers = 2",
        "max_parallel_workers_per_gather = 1",
        "max_prepared_transactions = 910",
        "max_replication_slots = 42",
        "max_wal_senders = 42",
        "max_wal_size = '4GB'",
        "max_worker_processes = 34",
        "min_wal_size = '512MB'",
        "output_plugin_libraries = 'pgoutput, test_decoding, citus'",
        "password_encryption = 'scram-sha-256'",
        "port = 5432",
        "random_page_cost = 1.1",
        "shared_buffers = '1024MB'",
        "shared_preload_libraries = citus",
        "ssl = on",
        "ssl_ca_file = '/tls/ca.crt'",
        "ssl_cert_file = '/tls/node.crt'",
        "ssl_key_file = '/tls/node.key'",
        "superuser_reserved_connections = 10",
        "wal_level = logical",
        "work_mem = '4MB'",
    ]


# -- what only the toolkit may say


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ((14, 23), False),
        ((14, 24), True),
        ((15, 18), False),
        ((15, 19), True),
        ((15, 20), True),
        ((16, 14), False),
        ((16, 15), True),
        ((17, 10), False),
        ((17, 11), True),
        ((18, 5), False),
        ((18, 6), True),
        ((19, 0), True),
        ((13, 99), False),
    ],
)
def test_output_plugins_are_allowed_where_the_server_knows_the_list(version, has):
    found = citus_settings.computed(cluster(version=version))
    assert found.get("output_plugin_libraries") == ("pgoutput, test_decoding, citus" if has else None)


def test_computed_settings_are_those_of_the_node():
    found = citus_settings.computed(cluster(port=6432))
    assert found["port"] == 6432 and found["listen_addresses"] == "127.0.0.1, 10.0.0.1"
    assert found["citus.local_hostname"] == "10.0.0.1"
    assert found["citus.node_conninfo"] == (
        "sslmode=verify-full sslrootcert=/tls/ca.crt sslcert=/tls/node.crt sslkey=/tls/node.key"
    )


def test_the_check_refuses_all_that_is_computed_and_nothing_of_the_baseline():
    computed, baseline = citus_settings.computed(cluster()), citus_settings.baseline(MACHINE, cluster())
    assert set(computed) <= set(citus_inventory.COMPUTED)
    assert not set(baseline) & set(citus_inventory.COMPUTED)
    of_citus = {name for name in {*baseline, *citus_inventory.COMPUTED} if "." in name}
    assert of_citus <= set(citus_schema.settings())
    # a series that lacks one of them could not be installed
    assert all(citus_schema.settings()[name] == {} for name in of_citus)


# -- layers


def test_layers_are_laid_over_the_baseline_in_their_order():
    layers = [
        {"work_mem": "1MB", "max_wal_size": "1GB", "log_temp_files": 0},
        {"work_mem": "2MB", "max_wal_size": "2GB"},
        {"work_mem": "3MB", "search_path": ["chat", "public"]},
    ]
    found = citus_settings.merged(MACHINE, cluster(), layers)
    assert (found["work_mem"], found["max_wal_size"], found["log_temp_files"]) == ("3MB", "2GB", 0)
    assert found["search_path"] == ["chat", "public"]
    assert found["random_page_cost"] == 1.1


def test_null_takes_a_setting_away_and_a_later_layer_brings_it_back():
    assert "log_temp_files" not in citus_settings.merged(MACHINE, cluster(), [{"log_temp_files": None}])
    found = citus_settings.merged(MACHINE, cluster(), [{"log_temp_files": None}, {"log_temp_files": "1MB"}])
    assert found["log_temp_files"] == "1MB"


def test_what_is_computed_wins():
    found = citus_settings.merged(MACHINE, cluster(), [{"port": 1, "wal_level": None, "ssl": False}])
    assert (found["port"], found["wal_level"], found["ssl"]) == (5432, "logical", True)


def test_layers_stay_as_they_are():
    layer = {"work_mem": "1MB", "log_temp_files": None}
    citus_settings.merged(MACHINE, cluster(), [layer])
    assert layer == {"work_mem": "1MB", "log_temp_files": None}


# -- the file


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        (True, "on"),
        (False, "off"),
        (0, "0"),
        (-1, "-1"),
        (1.1, "1.1"),
        ("on", "on"),
        ("logical", "logical"),
        ("16", "16"),
        ("-1.5", "-1.5"),
        ("4GB", "'4GB'"),
        ("1e3", "'1e3'"),
        ("", "''"),
        ("scram-sha-256", "'scram-sha-256'"),
        ("it's", "'it''s'"),
        ("''", "''''''"),
        (r"C:\temp", r"'C:\\temp'"),
        (r"\'", r"'\\'''"),
        ("# no comment", "'# no comment'"),
        ("%m [%p] ", "'%m [%p] '"),
        ("für dich", "'für dich'"),
        ('"$user", public', "'\"$user\", public'"),
        (["citus", "pg_stat_statements"], "'citus, pg_stat_statements'"),
        (["citus"], "citus"),
        ((1, 2), "'1, 2'"),
        ([], "''"),
    ],
)
def test_a_value_is_spelled_as_the_configuration_file_takes_it(value, spelled):
    assert citus_settings.quoted(value) == spelled


def test_the_file_has_a_setting_a_line_in_the_order_of_their_names():
    assert citus_settings.text({"work_mem": "4MB", "log_checkpoints": True, "citus.shard_count": 32}) == (
        "citus.shard_count = 32\nlog_checkpoints = on\nwork_mem = '4MB'\n"
    )


def test_the_port_is_found_again_in_the_file():
    """citus_server_state looks for this line, to reach a server whose port changes."""
    lines = citus_settings.text(citus_settings.merged(MACHINE, cluster(port=6432), [])).splitlines()
    assert "port = 6432" in lines


def test_a_server_logs_what_is_slow_and_what_it_waits_for():
    found = citus_settings.baseline(MACHINE, cluster(nodes=3))
    assert found["log_checkpoints"] is found["log_lock_waits"] is True
    assert all(found[name] not in (-1, "0", 0) for name in found if name.startswith("log_"))
