"""Is what the inventory says of Citus true on its nodes? Asked of each server, and from here as an application asks."""

import base64

import psycopg
import pytest

# Settings that the role computes, and what the server has to say of them.
COMPUTED = {"ssl": "on", "password_encryption": "scram-sha-256", "wal_level": "logical", "data_checksums": "on"}


def normal(value):
    """Return a value of the inventory as PostgreSQL spells it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def test_server_runs_and_starts_at_boot(node):
    service = node.host.service(node.unit)
    assert service.is_running
    assert node.host.file(f"{node.folder}/start.conf").content_string.split("\n")[-2] == "auto"
    listening = node.run(f"ss --listening --tcp --numeric --no-header 'sport = :{node.vars['citus_port']}'")
    addresses = {line.split()[3].rsplit(":", 1)[0].strip("[]") for line in listening.splitlines()}
    assert addresses == set(node.vars["citus_bind"])


def test_the_package_made_no_cluster_of_its_own(node):
    clusters = [line.split()[1] for line in node.run("pg_lsclusters --no-header").splitlines()]
    assert clusters == [node.vars["citus_cluster"]]


def test_settings_are_those_of_the_inventory(node):
    wanted = dict(COMPUTED)
    for layer in ("citus_config", "citus_group_config", "citus_host_config"):
        wanted.update({name: value for name, value in node.vars[layer].items() if value is not None})
    for name, value in wanted.items():
        assert node.value(f"SELECT current_setting('{name}') AS v") == normal(value), name
    assert node.value("SELECT current_setting('shared_preload_libraries') AS v").split(",")[0].strip() == "citus"
    assert node.value("SELECT current_setting('citus.local_hostname') AS v") == node.vars["citus_address"]
    assert "sslmode=verify-full" in node.value("SELECT current_setting('citus.node_conninfo') AS v")


def test_nothing_waits_for_a_restart_and_no_file_has_an_error(node):
    assert node.rows("SELECT name FROM pg_settings WHERE pending_restart") == []
    assert node.rows("SELECT name, error FROM pg_file_settings WHERE error IS NOT NULL") == []
    assert node.rows("SELECT line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL") == []


def test_a_node_has_room_for_the_pools_of_all(node, cluster):
    has = {
        name: int(node.value(f"SELECT current_setting('{name}') AS v"))
        for name in ("max_connections", "citus.max_shared_pool_size", "max_prepared_transactions", "max_wal_senders")
    }
    clients = node.vars["citus_client_connections"]
    assert has["max_connections"] >= len(cluster) * has["citus.max_shared_pool_size"] + clients
    assert has["max_prepared_transactions"] >= has["max_connections"]


def test_packages_are_of_this_version_and_stay_so(node):
    series = ".".join(node.vars["citus_version"].split(".")[:2])
    package = node.vars["citus_package"].format(postgresql=node.vars["postgresql_version"], citus=series)
    installed = node.host.package(package)
    assert installed.is_installed and installed.version.startswith(node.vars["citus_version"])
    held = node.run("apt-mark showhold").split()
    wanted = {f"postgresql-{node.vars['postgresql_version']}", package} if node.vars["citus_package_hold"] else set()
    assert {name for name in held if name.startswith("postgresql-")} == wanted
    library = node.value("SELECT citus_version() AS v")
    assert library.startswith(f"Citus {node.vars['citus_version']}")
    assert (
        node.rows(
            "SELECT name FROM pg_available_extensions WHERE name LIKE 'citus%' AND installed_version <> default_version"
        )
        == []
    )


def test_every_node_knows_every_other(node, cluster):
    known = {
        (row["nodename"], row["nodeport"]): row
        for row in node.rows("SELECT nodename, nodeport, groupid, isactive, metadatasynced FROM pg_dist_node")
    }
    wanted = {(each.vars["citus_address"], each.vars["citus_port"]): each for each in cluster.values()}
    assert set(known) == set(wanted)
    for place, each in wanted.items():
        assert (known[place]["groupid"] == 0) == each.coordinates
        assert known[place]["isactive"] and known[place]["metadatasynced"]


def test_every_node_reaches_every_other(coordinator, cluster):
    health = coordinator.rows("SELECT * FROM citus_check_cluster_node_health()")
    assert len(health) == len(cluster) ** 2 and all(row["result"] is True for row in health), health


def test_nodes_know_each_other_by_certificates(coordinator, cluster):
    seen = coordinator.rows(
        "SELECT result FROM run_command_on_all_nodes($q$SELECT ssl::text || ' ' || coalesce(client_dn, '') "
        "FROM pg_stat_ssl WHERE pid = pg_backend_pid()$q$)"
    )
    assert [row["result"] for row in seen] == ["true /CN=citus-node"] * len(cluster)


def test_the_application_connects_over_tls_alone(node):
    with node.connect() as connection:
        assert connection.execute("SELECT current_user").fetchone() == (node.vars["citus_role"],)
        assert connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (True,)
    for wrong in ({"sslmode": "disable"}, {"password": "not the one"}, {"user": "postgres"}, {"dbname": "postgres"}):
        with pytest.raises(psycopg.OperationalError):
            node.connect(**wrong)


def test_the_certificate_names_the_node_and_is_nobody_elses(node):
    """libpq has verified name and CA in every connection of the tests above; here is what it cannot see."""
    key = node.host.file("/etc/ssl/cistern-citus/node.key")
    assert (key.user, key.group, key.mode) == ("postgres", "postgres", 0o600)
    for path in ("node.crt", "ca.crt"):
        assert node.host.file(f"/etc/ssl/cistern-citus/{path}").mode == 0o644
    ends = node.host.run("openssl x509 -noout -checkend 2592000 -in /etc/ssl/cistern-citus/node.crt")
    assert ends.rc == 0, "the certificate ends within 30 days"


def test_the_password_is_kept_where_it_belongs(node):
    password = node.vars["citus_password"]
    assert node.value(
        f"SELECT rolpassword LIKE 'SCRAM-SHA-256$%' AS v FROM pg_authid WHERE rolname = '{node.vars['citus_role']}'"
    )
    # -F: as it is; a file that only its owner reads does not exist either. It travels encoded: sudo logs commands.
    encoded = base64.b64encode(password.encode()).decode()
    for place in ("/etc/postgresql", "/var/log/postgresql", "/etc/systemd/system", "/tmp", "/root"):
        command = f"echo {encoded} | base64 -d | grep -rFl --file=- {place}"
        assert node.host.run(command).stdout == ""
    assert password not in node.run("ps -ewwo args")


def test_tables_are_distributed_as_declared(coordinator):
    exists = {row["name"] for row in coordinator.rows("SELECT oid::regclass::text AS name FROM pg_class")}
    known = {
        row["name"]: row
        for row in coordinator.rows(
            # of the colocation group: a tenant that was isolated gives its table more shards than were declared
            "SELECT table_name::text AS name, citus_table_type AS type, distribution_column AS col, colocation_id AS "
            "together, shardcount AS shards FROM citus_tables "
            "LEFT JOIN pg_dist_colocation ON colocationid = colocation_id"
        )
    }
    tables = {name: spec for name, spec in coordinator.vars["citus_tables"].items() if name in exists}
    groups = {}
    for name, spec in tables.items():
        kind = spec.get("type", "distributed")
        if kind == "local":
            assert name not in known
            continue
        assert known[name]["type"] == kind, name
        if kind == "distributed":
            assert known[name]["col"] == spec["column"]
            assert known[name]["shards"] == spec.get("shard_count", known[name]["shards"])
            groups.setdefault(spec.get("colocate_with", name), set()).add(known[name]["together"])
    for group, together in groups.items():
        together |= {known[group]["together"]} if group in known else set()
        assert len(together) == 1, group
