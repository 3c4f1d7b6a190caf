"""The Sentinels of an inventory, as tests see them: what the inventory says of each, and real connections to it.

Worked out here from the inventory and the role's defaults, on purpose not by the role's own code.
"""

import instances
import redis

UNIT = "redis-sentinel.service"
CONF = "/etc/redis/sentinel.conf"
BASELINE = {"down-after-milliseconds": 5000, "failover-timeout": 60000, "parallel-syncs": 1}


def read(inventory):
    """Return the Sentinels by the name of their host."""
    everyone, running, watching = _hosts(inventory)
    deployments = {}
    for host in [everyone[name] for name in running]:
        if host.vars["redis_mode"] == "sentinel":
            deployments.setdefault(host.vars["redis_deployment"], []).append(host)
    found = {}
    for name, members in deployments.items():
        watchers = [everyone[host] for host in watching if name in _watches(everyone[host], deployments)]
        machines = {host.address: host for host in reversed(members)}
        sentinels = watchers or list(reversed(machines.values()))
        for host in sentinels:
            sentinel = found.setdefault(host.name, Sentinel(host))
            sentinel.watches[name] = Watched(name, members, sentinels)
    return found


def _watches(host, deployments):
    """Return what a host of the group redis_sentinel watches: deployments it names, those of its machine, or all."""
    here = [name for name, members in deployments.items() if host.address in [each.address for each in members]]
    return host.vars["redis_sentinel_deployments"] or here or list(deployments)


def _hosts(inventory):
    """Return all hosts by name, the names of the instances, and those of the group redis_sentinel."""
    running, watching = instances.read(inventory), instances.read(inventory, "redis_sentinel")
    return {**watching, **running}, list(running), list(watching)


class Watched:
    """A deployment as its Sentinels should know it; places are (address, port)."""

    def __init__(self, name, members, sentinels):
        host_vars = members[0].vars
        self.name = name
        self.vars = host_vars
        self.members = {place(each, "redis_announce_port", "redis_port"): each for each in members}
        self.sentinels = {place(each, "redis_sentinel_announce_port", "redis_sentinel_port") for each in sentinels}
        self.quorum = host_vars["redis_sentinel_quorum"] or len(sentinels) // 2 + 1
        self.settings = {**BASELINE, **host_vars["redis_sentinel_config"]}


def place(host, announced, port):
    """Return (address, port); a name in large letters is the same in small ones."""
    return host.vars["redis_address"].lower(), int(host.vars[announced] or host.vars[port])


class Sentinel:
    """One Sentinel: `watches` are its deployments by name; `redis()` is a client of its own."""

    def __init__(self, host):
        self.name = host.name
        self.host = host
        self.vars = host.vars
        self.place = place(host, "redis_sentinel_announce_port", "redis_sentinel_port")
        self.watches = {}
        self._doors = {}

    def __repr__(self):
        return self.name

    def run(self, command):
        """Run a shell command as root; it must succeed. Returns its output."""
        return self.host.run(command)

    def redis(self, password=None, port=None):
        """Return a client through an SSH tunnel, as the Sentinel may be out of reach from here."""
        port = port or self.vars["redis_sentinel_port"]
        if port not in self._doors:
            host_vars = {**self.vars, "redis_bind": self.vars["redis_sentinel_bind"], "redis_port": port}
            self._doors[port] = instances.Instance(self.name, host_vars)
        password = self.vars["redis_sentinel_password"] if password is None else password
        return self._doors[port].redis(password=password, socket_timeout=5)

    def pid(self):
        return int(self.run(f"systemctl show --property MainPID --value {UNIT}"))

    def master(self, name, **options):
        """Return what it says of a deployment's primary."""
        reply = pairs(self.redis(**options).execute_command("SENTINEL", "MASTER", name))
        return {**reply, "ip": reply["ip"].lower()}

    def others(self, command, name, **options):
        """Return the replicas or the Sentinels that it knows, by place."""
        found = map(pairs, self.redis(**options).execute_command("SENTINEL", command, name))
        return {(each["ip"].lower(), int(each["port"])): each for each in found}

    def has_quorum(self, name, **options):
        try:
            return str(self.redis(**options).execute_command("SENTINEL", "CKQUORUM", name)).startswith("OK")
        except (redis.RedisError, OSError):
            return False


def close(sentinels):
    """Close the tunnels."""
    for sentinel in sentinels.values():
        instances.close(sentinel._doors)
        for watched in sentinel.watches.values():
            instances.close({each.name: each for each in watched.members.values()})


def pairs(answer):
    return answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))
