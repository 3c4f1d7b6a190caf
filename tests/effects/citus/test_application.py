"""What the .env says of the database is enough for a client, from its own host."""

import psycopg
from inventory import host_vars_of, ssh

READ = "set -a; . /srv/app/.env; set +a; printenv DATABASE_URL"


def test_the_application_finds_its_database(playbook, coordinator, inventory, tmp_path):
    host_vars = host_vars_of(inventory, "app", "citus", ("app_",))["repository"]
    host = ssh(host_vars, host_vars["ansible_host"])
    run = playbook.run(name="app_env", options=["-vvv", "--diff"])
    assert run.changed == 1 and playbook.run(name="app_env").changed == 0
    # as it is, and as it stands in the URL
    assert not any(part in run.output for part in ("throw-away#1", "throw-away%231"))
    assert host.check_output("stat --format '%a %U:%G' /srv/app/.env /srv/app/citus-ca.crt").split("\n") == [
        "600 ops:ops",
        "644 ops:ops",
    ]
    url = host.check_output("sh -c %s", READ)
    assert psycopg.conninfo.conninfo_to_dict(url) == {
        "host": coordinator.vars["citus_address"],
        "port": "5432",
        "user": coordinator.vars["citus_role"],
        "password": coordinator.vars["citus_password"],
        "dbname": coordinator.vars["citus_database"],
        "sslmode": "verify-full",
        "sslrootcert": "/srv/app/citus-ca.crt",
    }
    authority = tmp_path / "ca.crt"
    authority.write_text(host.file("/srv/app/citus-ca.crt").content_string, encoding="utf-8")
    with psycopg.connect(url, sslrootcert=str(authority)) as connection:
        assert connection.execute(
            "SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).fetchone() == (coordinator.vars["citus_role"], True)
