"""The Redis instances of an inventory, as tests see them: what the inventory says, and real connections to the hosts.

What it says is worked out here from the inventory and the role's defaults, on purpose not by the role's own code.
"""

import functools
import os
import shlex
import subprocess
import tempfile
import time

import redis
import yaml
from inventory import ROOT, host_vars_of, ssh
from redis.backoff import NoBackoff
from redis.retry import Retry

ROLE = ROOT / "roles" / "redis"


def read(inventory, group="redis"):
    """Return the hosts of a group of an inventory, or of several laid over each other, by name."""
    return {
        name: Instance(name, host_vars)
        for name, host_vars in host_vars_of(inventory, group, "redis", ("redis_",)).items()
    }


class Instance:
    """One instance: `vars` are its variables; `host` runs commands as root; `redis()` is a client of its own."""

    def __init__(self, name, host_vars):
        self.name = name
        self.vars = host_vars
        suffix = host_vars["redis_instance"]
        self.unit = f"redis-server@{suffix}.service" if suffix else "redis-server.service"
        self.conf = f"/etc/redis/redis-{suffix}.conf" if suffix else "/etc/redis/redis.conf"
        self.address = host_vars.get("ansible_host", name)
        self._tunnel = None

    def __repr__(self):
        return self.name

    def directives(self):
        """Return the settings that the inventory wants, in its own spelling; taken-away ones are left out."""
        derived = yaml.safe_load((ROLE / "vars/main/baseline.yml").read_text(encoding="utf-8"))
        merged = {**derived["__redis_baseline"], **derived["__redis_mode_baseline"][self.vars["redis_mode"]]}
        for layer in ("redis_config", "redis_group_config", "redis_host_config"):
            merged.update(self.vars[layer])
        merged.update(
            {
                "port": self.vars["redis_port"],
                "bind": " ".join(self.vars["redis_bind"]),
                "requirepass": self.vars["redis_password"],
                "masterauth": self.vars["redis_password"],
                "dir": self.vars["redis_data_dir"],
                "logfile": self.vars["redis_log_file"],
            }
        )
        if self.vars["redis_mode"] != "standalone":
            merged["replica-announce-ip"] = self.vars["redis_address"].lower()
            merged["replica-announce-port"] = self.vars["redis_announce_port"] or self.vars["redis_port"]
        return {name: value for name, value in merged.items() if value is not None}

    @functools.cached_property
    def host(self):
        return ssh(self.vars, self.address)

    def run(self, command):
        """Run a shell command as root; it must succeed. Returns its output."""
        return self.host.check_output(command)

    def redis(self, password=None, **options):
        """Return a client through an SSH tunnel of its own, as the instance may listen on its machine alone.

        It is patient: a server that flushes, saves or rewrites its file on a busy machine answers late.
        """
        if self._tunnel is None:
            self._tunnel = Tunnel(self)
        return redis.Redis(
            unix_socket_path=self._tunnel.path(),
            password=self.vars["redis_password"] if password is None else password,
            decode_responses=True,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            **{"socket_timeout": 60, **options},
        )

    def direct(self, port="redis_port", password="redis_password", seconds=2):
        """Return a client of the address itself, as applications are; it gives up soon."""
        return redis.Redis(
            host=self.address,
            port=self.vars[port],
            password=self.vars[password],
            decode_responses=True,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
        )

    def sentinel(self, seconds=2):
        """Return a client of the Sentinel on the instance's machine."""
        return self.direct("redis_sentinel_port", "redis_sentinel_password", seconds)

    def role(self):
        """Return what the server calls itself, master or slave; empty when it does not answer."""
        try:
            return self.direct().execute_command("ROLE")[0]
        except redis.RedisError:
            return ""

    def pid(self):
        return int(self.run(f"systemctl show --property MainPID --value {self.unit}"))


class Tunnel:
    """A local socket that ends at the instance's first address."""

    def __init__(self, instance):
        self.instance = instance
        self.folder = tempfile.TemporaryDirectory(prefix="cistern-tunnel-")
        self.process = None

    def path(self):
        socket = f"{self.folder.name}/redis"
        if self.process and self.process.poll() is None:
            return socket
        host_vars = self.instance.vars
        if os.path.exists(socket):
            os.unlink(socket)
        command = [
            "ssh",
            "-N",
            "-o",
            "ControlPath=none",
            "-o",
            "ExitOnForwardFailure=yes",
            *shlex.split(host_vars.get("ansible_ssh_common_args", "")),
            "-L",
            f"{socket}:{host_vars['redis_bind'][0]}:{host_vars['redis_port']}",
            "-p",
            str(host_vars.get("ansible_port", 22)),
        ]
        if "ansible_ssh_private_key_file" in host_vars:
            command += ["-i", host_vars["ansible_ssh_private_key_file"]]
        self.process = subprocess.Popen(
            [*command, f"{host_vars.get('ansible_user', 'root')}@{self.instance.address}"],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        until = time.monotonic() + 20
        while not os.path.exists(socket):
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"no tunnel to {self.instance}: {self.process.stderr.read().decode()}")
            time.sleep(0.02)
        return socket

    def close(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
        self.folder.cleanup()


def primaries(instances):
    """Return the instances that call themselves the primary."""
    return [instance for instance in instances.values() if instance.role() == "master"]


def close(instances):
    """Close the tunnels."""
    for instance in instances.values():
        if instance._tunnel:
            instance._tunnel.close()
            instance._tunnel = None
