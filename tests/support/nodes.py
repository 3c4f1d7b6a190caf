"""The nodes of a Citus cluster, as tests see them: what the inventory says of each, and real connections to it.

Worked out here from the inventory and the role's defaults, on purpose not by the role's own code.
"""

import functools
import json
import shlex

import psycopg
from inventory import host_vars_of, ssh

PREFIXES = ("citus_", "postgresql_")


def read(inventory, group="citus"):
    """Return the nodes of an inventory, or of several laid over each other, by name."""
    coordinators = host_vars_of(inventory, "citus_coordinator", "citus", PREFIXES)
    found = host_vars_of(inventory, group, "citus", PREFIXES)
    return {name: Node(name, host_vars, name in coordinators) for name, host_vars in found.items()}


def coordinator_of(nodes):
    [found] = [node for node in nodes.values() if node.coordinates]
    return found


def workers_of(nodes):
    return [node for node in nodes.values() if not node.coordinates]


class Node:
    """One node: `vars` are its variables; `host` runs commands as root; `rows()` asks as the superuser."""

    def __init__(self, name, host_vars, coordinates):
        self.name, self.vars, self.coordinates = name, host_vars, coordinates
        self.address = host_vars.get("ansible_host", name)
        self.unit = f"postgresql@{host_vars['postgresql_version']}-{host_vars['citus_cluster']}.service"
        self.folder = f"/etc/postgresql/{host_vars['postgresql_version']}/{host_vars['citus_cluster']}"

    def __repr__(self):
        return self.name

    @functools.cached_property
    def host(self):
        return ssh(self.vars, self.address)

    def run(self, command):
        """Run a shell command as root; it must succeed. Returns its output."""
        return self.host.check_output(command)

    def rows(self, query, database=None):
        """Return what a query finds, asked on the host as the superuser; each row is a dict."""
        inner = f"SELECT coalesce(json_agg(q), '[]') FROM ({query}) q"
        command = ["psql", "-XAtq", "-p", str(self.vars["citus_port"]), "-d", database or self.vars["citus_database"]]
        text = self.host.run(f"cd /; runuser -u postgres -- {shlex.join([*command, '-c', inner])}")
        assert text.succeeded, text.stderr
        return json.loads(text.stdout)

    def value(self, query, database=None):
        [row] = self.rows(query, database)
        [found] = row.values()
        return found

    def execute(self, statement, database=None):
        """Run statements as the superuser."""
        command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-p", str(self.vars["citus_port"])]
        command += ["-d", database or self.vars["citus_database"], "-c", statement]
        done = self.host.run(f"cd /; runuser -u postgres -- {shlex.join(command)}")
        assert done.succeeded, done.stderr
        return done.stdout

    def connect(self, **more):
        """Connect from this machine, as the application does: over TLS, its certificate verified, with the password."""
        return psycopg.connect(**{**self.place(), **more})

    def place(self):
        return {
            "host": self.vars["citus_address"],
            "port": self.vars["citus_port"],
            "dbname": self.vars["citus_database"],
            "user": self.vars["citus_role"],
            "password": self.vars["citus_password"],
            "sslmode": "verify-full",
            "sslrootcert": f"{self.vars['citus_ca_dir']}/ca.crt",
            "connect_timeout": 5,
            "autocommit": True,
        }

    def started(self):
        """Return when the server started, as it says."""
        return self.value("SELECT pg_postmaster_start_time()::text AS t", "postgres")
