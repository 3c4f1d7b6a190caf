"""The machines of an inventory with all that runs on them, and who knocks at which of their doors.

Each machine is asked once, with tests/support/doors_probe.py; what it found is looked at by many tests.
"""

import base64
import functools
import json
import re
import shlex
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import instances
import monitoring
import nodes
import pytest
import sentinels
from inventory import host_vars_of, ssh

PROBE = Path(__file__).with_name("doors_probe.py")
APP = {"app_env_path": "/srv/app/.env", "app_env_owner": "root"}
WRONG = "not the password"
# Who may be on a machine: what runs there, what runs anywhere, and whoever logs in to it.
USERS = ("nobody", "redis", "postgres", "prometheus", "cistern-exporter", "cistern-report", "cistern-warm")
# Programs that have one user of the toolkit each, with what it must and what it must not. None would do harm.
MUST = {
    "cistern-exporter": [["PING"], ["INFO", "server"], ["SLOWLOG", "LEN"]],
    "cistern-report": [["PING"], ["INFO", "server"], ["SCAN", "0"], ["TYPE", "cistern:door"]],
    "cistern-warm": [["PING"]],
}
MUST_NOT = [
    ["CONFIG", "GET", "requirepass"],
    ["GET", "cistern:door"],
    ["KEYS", "cistern:door"],
    ["DEL", "cistern:door"],
    ["EVAL", "return 1", "0"],
    ["ACL", "LIST"],
    ["CLIENT", "LIST"],
]
# as the first word, or as all of them
FORBIDDEN = {*(" ".join(words) for words in MUST_NOT), "ACL", "SENTINEL REMOVE cistern:door"}
# asked of ACL DRYRUN, which does nothing
DANGEROUS = [
    *MUST_NOT,
    ["FLUSHALL"],
    ["FLUSHDB"],
    ["SHUTDOWN"],
    ["CONFIG", "SET", "maxmemory", "1"],
    ["REPLICAOF", "NO", "ONE"],
    ["DEBUG", "SLEEP", "0"],
    ["ACL", "SETUSER", "x"],
    ["SET", "cistern:door", "1"],
    ["SCRIPT", "FLUSH"],
    ["MONITOR"],
    ["SAVE"],
]


def read(inventory):
    """Return the machines by the name of their first host."""
    found = {}

    def machine(name, host_vars):
        address = host_vars.get("ansible_host", name)
        return found.setdefault(address, Machine(name, host_vars, address))

    for name, instance in instances.read(inventory).items():
        machine(name, instance.vars).instances.append(instance)
    for name, sentinel in sentinels.read(inventory).items():
        machine(name, sentinel.vars).sentinels.append(sentinel)
    for name, node in nodes.read(inventory).items():
        machine(name, node.vars).nodes.append(node)
    for each in monitoring.read(inventory).values():
        machine(each.name, each.vars).watched = each
    for name, host_vars in host_vars_of(inventory, "app", "monitoring", ("app_env",)).items():
        machine(name, host_vars).apps.append({**APP, **host_vars})
    everyone = list(found.values())
    for each in everyone:
        each.everyone = everyone
    return {each.name: each for each in everyone}


class Machine:
    """One machine. `told` is what became of the attempts that were made from there."""

    def __init__(self, name, host_vars, address):
        self.name, self.vars, self.address = name, host_vars, address
        self.instances, self.sentinels, self.nodes, self.apps, self.watched = [], [], [], [], None
        self.everyone, self._told = [], None

    def __repr__(self):
        return self.name

    @functools.cached_property
    def host(self):
        return ssh(self.vars, self.address)

    @functools.cached_property
    def is_container(self):
        return self.host.run("systemd-detect-virt --container --quiet").rc == 0

    @property
    def watches(self):
        return self.watched is not None and self.watched.watches

    @property
    def users(self):
        """Who is tried: users of services, and the one whom Ansible logs in as."""
        return list(dict.fromkeys([*USERS, self.vars.get("ansible_user", "root"), *self.owners]))

    @property
    def owners(self):
        return [host_vars["app_env_owner"] for host_vars in self.apps]

    @property
    def told(self):
        """Return what was found from there, which is asked of all machines at once."""
        if self._told is None:
            with ThreadPoolExecutor(max_workers=8) as pool:
                for machine, told in zip(self.everyone, pool.map(Machine._ask, self.everyone)):
                    machine._told = told
        if isinstance(self._told, str):
            pytest.fail(f"{self}: {self._told}", pytrace=False)
        return self._told

    def _ask(self):
        """Return what the machine answers, or as a text why it does not."""
        ask = {
            "users": [user for user in self.users if user != "root"],
            "files": [pattern for pattern, _readers, _writers in self.files],
            "units": list(self.units),
            "psql": self.psql,
            "asked": {},
            "local": self.local,
            "pages": list(self.pages),
            "comes_from": [node.vars["citus_address"] for each in self.everyone for node in each.nodes],
        }
        for target in self.everyone:
            if target.stranger is self:
                ask["asked"].update(target.doors)
        program = f"{PROBE.read_text(encoding='utf-8')}\nprint(json.dumps(probe(json.loads({json.dumps(ask)!r}))))\n"
        encoded = base64.b64encode(program.encode()).decode()
        done = self.host.run(f"echo {encoded} | base64 -d | python3 -")
        return done.stderr or f"ended with {done.rc}" if done.rc else json.loads(done.stdout)

    @property
    def places(self):
        """Return {address:port} where something may listen."""
        found = [(each.vars["redis_bind"], each.vars["redis_port"]) for each in self.instances]
        found += [(each.vars["redis_sentinel_bind"], each.vars["redis_sentinel_port"]) for each in self.sentinels]
        found += [(each.vars["citus_bind"], each.vars["citus_port"]) for each in self.nodes]
        found += [([address], port) for address, port in (self.watched.units.values() if self.watched else ())]
        flat = [(address.lstrip("-"), port) for addresses, port in found for address in addresses]
        return {f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for address, port in flat}

    @property
    def exporter_asks_sentinels(self):
        """A Sentinel before Redis 6.2 has no users, and the inventory says that its exporter does not ask it."""
        hosts = self.watched.hosts.values() if self.watched else ()
        return all(host_vars.get("monitoring_sentinels", True) for host_vars in hosts)

    @property
    def knows_by_name(self):
        """Return the roles that a system user of the same name has."""
        return {"postgres", "cistern-exporter"} if self.watched else {"postgres"}

    @property
    def secrets(self):
        """Return {where: secret} of the whole inventory."""
        found = {}
        for each in self.everyone:
            for host_vars in [each.vars, *(host.vars for host in [*each.instances, *each.nodes])]:
                found.update({f"{name} of {each}": v for name, v in host_vars.items() if re.search(SECRET, name) and v})
            if each.watched:
                for number, receiver in enumerate(each.watched.vars["monitoring_receivers"]):
                    found.update(within(receiver, f"monitoring_receivers[{number}]"))
        return {name: value for name, value in found.items() if isinstance(value, str)}

    # -- from another machine

    @property
    def stranger(self):
        """Another machine, which neither watches nor is a node; one that does where there is no such, or None."""
        others = [each for each in self.everyone if each is not self]
        return min(others, key=lambda each: (each.watches, bool(each.nodes)), default=None)

    @property
    def doors(self):
        """Return {name: [address, port, commands]} of the servers of Redis and the exporters here."""
        found = {}
        for each in self.instances:
            words = [["PING"], ["INFO"], ["CONFIG", "GET", "requirepass"], ["GET", "cistern:door"]]
            found[f"redis {each}"] = [reached(each.vars), each.vars["redis_port"], words + REFUSED]
        for each in self.sentinels:
            words = [["PING"], ["INFO"], ["SENTINEL", "MASTERS"]]
            found[f"sentinel {each}"] = [reached(each.vars), each.vars["redis_sentinel_port"], words + REFUSED]
        for unit, (address, port) in (self.watched.units if self.watched else {}).items():
            if unit.endswith("-exporter.service"):
                found[f"{unit} {self}"] = [address, port, []]
        return found

    # -- from the machine itself

    @property
    def local(self):
        """Return {name: [user, address, port, commands]}: users of the toolkit, each at each server here."""
        found = {}
        for each in self.instances:
            at = [here(each.vars["redis_bind"][0]), each.vars["redis_port"]]
            for user, must in MUST.items():
                found[f"{user} {each}"] = [user, *at, [*must, *MUST_NOT]]
        for each in self.sentinels if self.exporter_asks_sentinels else ():
            at = [here(each.vars["redis_sentinel_bind"][0]), each.vars["redis_sentinel_port"]]
            commands = [["PING"], ["SENTINEL", "MASTERS"], ["ACL", "LIST"], ["SENTINEL", "REMOVE", "cistern:door"]]
            found[f"cistern-exporter sentinel {each}"] = ["cistern-exporter", *at, commands]
        return found

    @property
    def psql(self):
        found = {}
        for node in self.nodes:
            host_vars = node.vars
            how = {
                "program": f"/usr/lib/postgresql/{host_vars['postgresql_version']}/bin/psql",
                "port": host_vars["citus_port"],
                "database": host_vars["citus_database"],
            }
            for user in self.users:
                for role in dict.fromkeys(["postgres", host_vars["citus_role"], "cistern-exporter", user]):
                    for password in [None, WRONG] if role == host_vars["citus_role"] else [None]:
                        name = f"{user} as {role}{' with a wrong password' if password else ''}"
                        found[f"{node}: {name}"] = {**how, "user": user, "role": role, "password": password}
        return found

    @property
    def units(self):
        """Return {unit: paths outside of its own where it may write}; of those whose sandbox is promised."""
        found = {each.unit: [] for each in self.instances}
        if self.sentinels:
            found[sentinels.UNIT] = []
        return {**found, **dict.fromkeys(self.watched.units if self.watched else (), ())}

    @property
    def pages(self):
        """Return the addresses of pages that anyone who reaches them can read."""
        found = []
        more = {
            "prometheus.service": ("/api/v1/status/config", "/api/v1/status/flags", "/api/v1/targets"),
            "prometheus-alertmanager.service": ("/api/v2/status",),
        }
        for unit, (address, port) in (self.watched.units if self.watched else {}).items():
            address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
            place = f"[{address}]" if ":" in address else address
            found += [f"http://{place}:{port}{path}" for path in ("/metrics", *more.get(unit, ()))]
        return found

    @property
    def files(self):
        """Return [(pattern, who may read, who may write)]; the first that fits a path counts, None is anybody."""
        found = [("/etc/cistern/*.password", (), ()), ("/etc/cistern/*.database-password", (), ())]
        found += [("/etc/cistern/cache-warm-*.json", (), ())]
        for host_vars in self.apps:
            found.append((host_vars["app_env_path"], (host_vars["app_env_owner"],), (host_vars["app_env_owner"],)))
        for each in self.instances:
            folder, log = each.vars["redis_data_dir"], each.vars["redis_log_file"]
            found += [(path, ("redis",), ("redis",)) for path in (folder, f"{folder}/**")]
            found += [(path, ("redis",), ("redis",)) for path in ([log, f"{log}.*"] if log else [])]
            found += [(path, ("redis",), ("redis",)) for path in acl_files(each)]
        for each in self.sentinels:
            log = each.vars["redis_sentinel_log_file"]
            found += [(path, ("redis",), ("redis",)) for path in ([log, f"{log}.*"] if log else [])]
        found += [(path, ("redis",), ("redis",)) for path in ("/etc/redis", "/etc/redis/**")]
        for node in self.nodes:
            data = node.vars["citus_data_dir"]
            found += [(f"{node.folder}/pg_{name}.conf", ("postgres",), ("postgres",)) for name in ("hba", "ident")]
            found += [(f"{node.folder}/**", None, ("postgres",))]
            found += [(path, ("postgres",), ("postgres",)) for path in (data, f"{data}/*")]
        found += [("/etc/ssl/cistern-citus/*.key*", ("postgres",), ("postgres",))]
        found += [("/etc/ssl/cistern-citus/node.crt", None, ("postgres",)), ("/etc/ssl/cistern-citus/**", None, ())]
        found += [
            ("/etc/prometheus/alertmanager.yml", ("prometheus",), ("prometheus",)),
            ("/etc/prometheus/**", None, ()),
        ]
        exporter = ("cistern-exporter",)
        found += [(path, exporter, exporter) for path in ("/run/cistern-*", "/run/cistern-*/**")]
        warm = ("cistern-warm",)
        found += [(path, warm, warm) for path in ("/var/lib/cistern/cache-warm", "/var/lib/cistern/cache-warm/**")]
        found += [
            ("/etc/cistern/**", None, ()),
            ("/usr/local/*/cistern/**", None, ()),
            ("/var/lib/cistern/**", None, ()),
        ]
        found += [
            (pattern, None, ()) for pattern in ("/etc/*/*cistern*", "/etc/*/*/*cistern*", "/etc/*/*/*.d/cistern*")
        ]
        return found + [(f"/etc/{name}", None, ()) for name in ("sysctl.d/60-redis.conf", "tmpfiles.d/redis-*.conf")]


# without a password, with a wrong one, as somebody whom nobody knows
REFUSED = [["AUTH", WRONG], ["AUTH", "nobody", WRONG], ["PING"]]


SECRET = r"password$|passphrase$|secret$|token$|_key$|credentials$"


def within(value, place):
    """Return {where: secret} of what is nested."""
    if isinstance(value, dict):
        own = {f"{place}.{name}": each for name, each in value.items() if re.search(SECRET, name) and each}
        return {**own, **{k: v for name, each in value.items() for k, v in within(each, f"{place}.{name}").items()}}
    if isinstance(value, list):
        return {k: v for number, each in enumerate(value) for k, v in within(each, f"{place}[{number}]").items()}
    return {}


def acl_files(instance):
    value = instance.directives().get("aclfile")
    return [value] if value else []


def here(address):
    """Return where a server that listens at an address of its machine is asked from there."""
    address = address.lstrip("-")
    return {"*": "127.0.0.1", "::*": "::1"}.get(address, address)


def reached(host_vars):
    """Return where another machine would knock: the address that others are told, else that of the machine."""
    return host_vars.get("redis_address") or host_vars.get("ansible_host")


class Tunnel:
    """A port of this machine that ends at a port of another one; what goes through comes from `machine`."""

    def __init__(self, machine, address, port):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        host_vars = machine.vars
        place = f"[{address}]" if ":" in address else address
        command = ["ssh", "-N", "-o", "ControlPath=none", "-o", "ExitOnForwardFailure=yes"]
        command += [
            *shlex.split(host_vars.get("ansible_ssh_common_args", "")),
            "-p",
            str(host_vars.get("ansible_port", 22)),
        ]
        command += ["-L", f"127.0.0.1:{self.port}:{place}:{port}"]
        if "ansible_ssh_private_key_file" in host_vars:
            command += ["-i", host_vars["ansible_ssh_private_key_file"]]
        self.process = subprocess.Popen(
            [*command, f"{host_vars.get('ansible_user', 'root')}@{machine.address}"],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        until = time.monotonic() + 20
        while not self._opens():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"no tunnel through {machine}: {self.process.stderr.read().decode()}")
            time.sleep(0.02)

    def _opens(self):
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self):
        self.process.terminate()
        self.process.wait()
