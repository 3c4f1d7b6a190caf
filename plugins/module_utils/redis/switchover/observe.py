"""The servers of a deployment as a switchover needs them: connections that stay open, because each moment counts."""

import time

from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.plan import (
    LAG,
    PING,
    REPLICAS,
    NotYet,
    plan,
)

ERRORS = (redis_server.RedisError, redis_server.WrongPassword, OSError)


class Servers:
    """The instances and Sentinels of a deployment, each by its place. They are reached over the network, all alike."""

    def __init__(self, deployment, passwords, sentinel_password):
        self.deployment = {**deployment, "me": None}
        self.hosts = redis_topology.names(deployment)
        self.sentinels = {redis_topology.place_of(each): each["host"] for each in deployment["sentinels"]}
        self._passwords = passwords
        self._sentinel_password = sentinel_password
        self._clients = {}

    def ready(self, target, seconds=20):
        """Return what there is and the steps; waits so long for Sentinels that do not see the replicas yet."""
        until = time.monotonic() + seconds
        while True:
            have = self.observe()
            try:
                return have, plan({"deployment": self.deployment, "target": target}, have)
            except NotYet:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)

    # -- one server

    def _client(self, at, sentinel=False):
        if at not in self._clients:
            passwords = [self._sentinel_password] if sentinel else self._passwords
            address, port = at.rsplit(" ", 1)
            self._clients[at] = redis_server.reach(address, port, passwords, redis_topology.TIMEOUT)
        return self._clients[at]

    def _again(self, at, sentinel, ask):
        """Ask once more where the connection was lost: a server that changes its part closes those it has."""
        try:
            return ask(self._client(at, sentinel))
        except redis_server.ResponseError:
            raise
        except ERRORS:
            self._clients.pop(at, None)
            return ask(self._client(at, sentinel))

    def ask(self, at, *words):
        return self._again(at, False, lambda client: client.execute_command(*words))

    def says(self, at):
        return redis_topology.node_says(self._again(at, False, lambda client: client.info()))

    def together(self, at, *commands):
        """Run commands as one: all of them or, where we are killed, none. Raises what the first bad one says."""

        def ask(client):
            pipe = client.pipeline(transaction=True)
            for words in commands:
                pipe.execute_command(*words)
            return pipe.execute(raise_on_error=False)

        for answer in self._again(at, False, ask):
            if isinstance(answer, Exception):
                raise answer

    def setting(self, at, name):
        answer = redis_topology._pairs(self.ask(at, "CONFIG", "GET", name))
        return int(answer[name])

    def sentinel(self, at, *words):
        return self._again(at, True, lambda client: client.execute_command("SENTINEL", *words))

    def named_by(self, at):
        """Return who is primary as this Sentinel tells clients: the new one as soon as it knows of its promotion."""
        address = self.sentinel(at, "GET-MASTER-ADDR-BY-NAME", self.deployment["name"])
        return redis_topology.place(*address) if address else None

    def master(self, at):
        says = redis_topology._pairs(self.sentinel(at, "MASTER", self.deployment["name"]))
        return {"flags": says["flags"], "failover_timeout": int(says["failover-timeout"]) / 1000}

    def replicas_seen_by(self, at):
        """Return {place: {priority, age, flags}} of the replicas that a Sentinel knows; its news are so many ms old."""
        known = [redis_topology._pairs(each) for each in self.sentinel(at, "REPLICAS", self.deployment["name"])]
        return {
            redis_topology.place(each["ip"], each["port"]): {
                "priority": int(each["slave-priority"]),
                "age": int(each["info-refresh"]),
                "flags": each["flags"].split(",") if isinstance(each["flags"], str) else sorted(each["flags"]),
            }
            for each in known
        }

    # -- all of them

    def look(self):
        return redis_topology.view(self.deployment, self._passwords, self._sentinel_password)

    def observe(self, seconds=30):
        """Return what there is, once nothing is about to change it, or after so many seconds."""
        seen, decision = redis_topology.settle(self.look, self.deployment, seconds)
        for at, says in seen["nodes"].items():
            if says["answers"]:
                # INFO tells the priority of a replica only
                says["priority"] = self.setting(at, "replica-priority")
                says["settings"] = {name: self.setting(at, name) for name in (REPLICAS, LAG, PING)}
        for at, says in seen["sentinels"].items():
            if says["answers"] and says["primary"]:
                says.update(self._prospect(at))
        return {**seen, "primary": decision.primary, "settled": decision.settled, "why": decision.why}

    def _prospect(self, at):
        """Return what a Sentinel would make of a failover: an empty `quorum` is a good one."""
        try:
            self.sentinel(at, "CKQUORUM", self.deployment["name"])
            quorum = ""
        except redis_server.ResponseError as error:
            quorum = str(error)
        info = self._again(at, True, lambda client: client.info("sentinel"))
        return {"quorum": quorum, "tilt": bool(int(info["sentinel_tilt"])), "knows": self.replicas_seen_by(at)}
