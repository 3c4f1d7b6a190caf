"""Who is timed, and how each is told what to do: equal hosts, the same settings, a cold SSH connection."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
STATE = BENCH / ".state"
INVENTORY = BENCH / "inventory"
PASSWORD = "throw-away-of-the-bench"
SUBNET = "10.213.8"
RUN_SECONDS = 900

# A peer role gets the settings that it has names for. One that is not listed runs with its own defaults: then nobody
# can say what its server should be like, so only its first and its unchanged run are timed.
PEER_SETTINGS = {
    "geerlingguy.redis": lambda maxmemory: {
        "redis_bind_interface": "127.0.0.1 {{ ansible_host }}",
        "redis_port": 6379,
        "redis_requirepass": PASSWORD,
        "redis_maxmemory": maxmemory,
        "redis_maxmemory_policy": "allkeys-lru",
    }
}


class RunFailed(Exception):
    """A contender did not finish, or left a server that is not as it was told."""


class Contender:
    """One way to provision Redis, with hosts of its own: nobody else's file is ever in its way."""

    can_change = True
    # what of it is timed
    cases = ("first", "unchanged", "change")
    cwd = ROOT

    def __init__(self, name, index):
        self.name = name
        self.slug = re.sub(r"[^a-z0-9]+", "-", name.lower())
        self.index = index

    def hosts(self, count):
        """Its hosts: name to address, sixteen addresses a contender."""
        return {f"{self.slug}-{number}": f"{SUBNET}.{16 * (self.index + 1) + number}" for number in range(1, count + 1)}

    def prepare(self, count, maxmemory):
        """Write what the run reads, as an operator would edit it before; not timed."""

    def command(self, count, maxmemory):
        raise NotImplementedError

    def run(self, count, maxmemory):
        """Seconds from the start of the command to its end."""
        self.prepare(count, maxmemory)
        # Connections that Ansible kept open for its last run would favour whoever is timed more often.
        with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as sockets:
            environment = {key: text for key, text in os.environ.items() if not key.startswith(("ANSIBLE_", "PYTHON"))}
            environment |= {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets}
            environment |= self.environment()
            log = STATE / f"{self.slug}.log"
            with log.open("wb") as output:
                start = time.monotonic()
                done = subprocess.run(
                    self.command(count, maxmemory),
                    cwd=self.cwd,
                    env=environment,
                    timeout=RUN_SECONDS,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
                seconds = time.monotonic() - start
        if done.returncode:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise RunFailed(f"{self.name} ended with {done.returncode}; the end of {log.relative_to(ROOT)}:\n{tail}")
        return seconds

    def environment(self):
        return {}


class Shell(Contender):
    def prepare(self, count, maxmemory):
        lab = ROOT / "lab" / ".state"
        (STATE / "ssh_config").write_text(
            f"User ops\nIdentityFile {lab}/id_ed25519\nUserKnownHostsFile {lab}/known_hosts\n"
            "IdentitiesOnly yes\nStrictHostKeyChecking yes\n"
        )

    def command(self, count, maxmemory):
        return [BENCH / "shell.sh", STATE / "ssh_config", maxmemory, *self.hosts(count).values()]

    def environment(self):
        return {"REDIS_PASSWORD": PASSWORD}


class Pyinfra(Contender):
    # pyinfra looks for a template, and leaves the log of a failure, where it is started
    cwd = BENCH

    def prepare(self, count, maxmemory):
        lab = ROOT / "lab" / ".state"
        # the lab's known_hosts has one line for any address, which pyinfra does not understand
        key = (lab / "known_hosts").read_text().split(maxsplit=1)[1]
        (STATE / "known_hosts").write_text("".join(f"{address} {key}" for address in self.hosts(count).values()))
        common = {
            "ssh_user": "ops",
            "ssh_key": f"{lab}/id_ed25519",
            "ssh_known_hosts_file": f"{STATE}/known_hosts",
            "ssh_strict_host_key_checking": "yes",
            "ssh_allow_agent": False,
            "ssh_look_for_keys": False,
            "_sudo": True,
            "maxmemory": maxmemory,
            "password": PASSWORD,
        }
        hosts = [
            (name, {**common, "ssh_hostname": address, "address": address})
            for name, address in self.hosts(count).items()
        ]
        (STATE / "pyinfra_inventory.py").write_text(f"hosts = {hosts!r}\n")

    def command(self, count, maxmemory):
        return [
            BENCH / ".venv" / "bin" / "pyinfra",
            "--yes",
            STATE / "pyinfra_inventory.py",
            BENCH / "pyinfra_deploy.py",
        ]


class Ansible(Contender):
    """What Cistern and a peer role share: the shipped ansible.cfg, an inventory file, a playbook."""

    def settings(self, maxmemory):
        raise NotImplementedError

    def playbook(self):
        raise NotImplementedError

    def prepare(self, count, maxmemory):
        hosts = {name: {"ansible_host": address} for name, address in self.hosts(count).items()}
        deployment = {"hosts": hosts, "vars": self.settings(maxmemory)}
        write_json(
            INVENTORY / f"{self.slug}.yml", {"all": {"children": {"redis": {"children": {"bench": deployment}}}}}
        )

    def command(self, count, maxmemory):
        return [
            Path(sys.executable).with_name("ansible-playbook"),
            "-i",
            INVENTORY / f"{self.slug}.yml",
            self.playbook(),
        ]


class Cistern(Ansible):
    def settings(self, maxmemory):
        return {
            "redis_deployment": "bench",
            "redis_password": PASSWORD,
            "redis_bind": ["127.0.0.1", "{{ ansible_host }}"],
            "redis_group_config": {"maxmemory": maxmemory},
        }

    def playbook(self):
        return ROOT / "playbooks" / "redis.yml"


class Ping(Ansible):
    """A question to Cistern's own hosts, as root: what any run of Ansible costs at least."""

    can_change = False
    cases = ("unchanged",)

    def __init__(self, name, of):
        super().__init__(name, of.index)
        self.slug = of.slug

    def prepare(self, count, maxmemory):
        """The inventory is the one that Cistern's own run has read."""

    def command(self, count, maxmemory):
        return [
            Path(sys.executable).with_name("ansible"),
            "-i",
            INVENTORY / f"{self.slug}.yml",
            "all",
            "-m",
            "ping",
            "-b",
        ]


class Many(Cistern):
    """Several instances a machine: how an unchanged run grows with the hosts of an inventory."""

    MACHINES = 8

    def prepare(self, count, maxmemory):
        addresses = list(self.hosts(self.MACHINES).values())
        hosts = {}
        for number in range(count):
            turn, machine = divmod(number, self.MACHINES)
            name = f"i{turn}" if turn else ""
            own = {"redis_instance": name, "redis_port": 6379 + turn}
            hosts[f"{self.slug}-{machine + 1}-{turn}"] = {"ansible_host": addresses[machine], **own}
        deployment = {"hosts": hosts, "vars": self.settings(maxmemory)}
        write_json(
            INVENTORY / f"{self.slug}.yml", {"all": {"children": {"redis": {"children": {"bench": deployment}}}}}
        )


class Site(Ansible):
    """Everything of the lab: what `make up` has provisioned."""

    def prepare(self, count, maxmemory):
        """The inventory is the lab's own."""

    def command(self, count, maxmemory):
        return [Path(sys.executable).with_name("ansible-playbook"), ROOT / "playbooks/site.yml"]


class SitePing(Site):
    def command(self, count, maxmemory):
        return [Path(sys.executable).with_name("ansible"), "all", "-m", "ping", "-b"]


class CisternSentinel(Cistern):
    """A deployment of three under Sentinel: its unchanged run is held against one of three servers of their own."""

    def settings(self, maxmemory):
        return {**super().settings(maxmemory), "redis_mode": "sentinel"}


class Citus(Cistern):
    """A coordinator and two workers: their unchanged run is held against one of three servers of Redis."""

    can_change = False

    def prepare(self, count, maxmemory):
        hosts = self.hosts(count)
        first, *others = hosts
        groups = {"citus_coordinator": {"hosts": {first: {}}}, "citus_worker": {"hosts": {name: {} for name in others}}}
        variables = {
            "lab_network": "bench",
            "postgresql_version": "15",
            "postgresql_package_source": "distribution",
            "citus_password": PASSWORD,
            "citus_clients": [f"{SUBNET}.0/24"],
            "citus_ca_dir": str(STATE / "citus-ca"),
            "citus_apt_repository": {
                "uri": f"http://{hosts[first]}:8099/archive",
                "suite": "bookworm",
                "components": ["main"],
                "key": str(ROOT / "lab/.state/citus-archive-bench.asc"),
            },
        }
        inventory = INVENTORY / f"{self.slug}.yml"
        everyone = {name: {"ansible_host": address} for name, address in hosts.items()}
        citus = {"children": groups, "vars": variables}
        children = {"citus": citus, "archive": {"hosts": {first: {}}}}
        write_json(inventory, {"all": {"hosts": everyone, "children": children}})
        publish = [sys.executable, ROOT / "tests/citus_standin/publish.py", inventory]
        subprocess.run(publish, check=True, stdout=subprocess.DEVNULL)

    def playbook(self):
        return ROOT / "playbooks" / "citus.yml"


class Peer(Ansible):
    def __init__(self, folder, index):
        super().__init__(folder.name, index)
        self.folder = folder
        self.can_change = folder.name in PEER_SETTINGS

    def settings(self, maxmemory):
        return PEER_SETTINGS[self.name](maxmemory) if self.can_change else {}

    def playbook(self):
        path = STATE / f"{self.slug}.yml"
        write_json(path, [{"hosts": "all", "become": True, "gather_facts": True, "roles": [self.name]}])
        return path

    def environment(self):
        # with Ansible's own output, as its users have it: ours makes each worker cheaper
        return {"ANSIBLE_ROLES_PATH": str(self.folder.parent), "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}


def write_json(path, data):
    """JSON is YAML, and needs no library."""
    path.write_text(json.dumps(data, indent=2) + "\n")


def of_three(words):
    """Three servers of their own, and what is held against them: three under Sentinel, three nodes of Citus."""
    others = {"sentinel": CisternSentinel("Sentinel", 3), "citus": Citus("Citus", 4)}
    return [Cistern("Cistern", 2), *[other for word, other in others.items() if word in words]]


def of_many():
    """Inventories of 8 and of 32 hosts on the same machines, and a ping of them."""
    own = Many("many", 5)
    own.can_change = False
    return [own, Ping("ping", own)]


def of_site():
    """The lab, which has hosts of its own."""
    own, ping = Site("site", 6), SitePing("ping", 6)
    own.can_change = ping.can_change = False
    return [own, ping]


def all_contenders(peers):
    """Everyone who is timed, in the order of the table; a peer is a folder of `peers`."""
    folders = sorted(folder for folder in Path(peers).iterdir() if (folder / "tasks").is_dir()) if peers else []
    own = Cistern("Cistern", 2)
    first = [Shell("shell", 0), Pyinfra("pyinfra", 1), own, Ping("ping", own)]
    return first + [Peer(folder.resolve(), index) for index, folder in enumerate(folders, start=3)]
