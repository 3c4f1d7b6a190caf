"""The servers of a deployment as a switchover needs them: connections that stay open, because each moment counts."""

import time

from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology
from ansible_collections.cistern.core.plugins.module_utils.redis.connection import pairs
from ansible_collections.cistern.core.plugins.module_utils.redis.contract import Deployment, View
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.contract import Have, Step
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.plan import (
    LAG,
    PING,
    REPLICAS,
    NotYet,
    plan,
)

ERRORS = (redis_server.RedisError, redis_server.WrongPassword, OSError)


class Servers:
    """The instances and Sentinels of a deployment, each by its endpoint. All are reached over the network."""

    def __init__(self, deployment: Deployment, passwords, sentinel_password):
        self.deployment: Deployment = {**deployment, "me": None}
        self.hosts = redis_topology.names(deployment)
        self.sentinels = {redis_topology.endpoint_of(each): each["host"] for each in deployment["sentinels"]}
        self._passwords = passwords
        self._sentinel_password = sentinel_password
        self._clients: dict = {}

    def ready(self, target, seconds=20) -> tuple[Have, list[Step]]:
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

    def _client(self, endpoint, sentinel=False):
        if endpoint not in self._clients:
            passwords = [self._sentinel_password] if sentinel else self._passwords
            address, port = endpoint.rsplit(" ", 1)
            self._clients[endpoint] = redis_server.reach(address, port, passwords, redis_topology.TIMEOUT)
        return self._clients[endpoint]

    def _again(self, endpoint, sentinel, command):
        """Ask once more where the connection was lost: a server that changes its part closes those it has."""
        try:
            return command(self._client(endpoint, sentinel))
        except redis_server.RedisError:
            raise
        except ERRORS:
            self._clients.pop(endpoint, None)
            return command(self._client(endpoint, sentinel))

    def command(self, endpoint, *words):
        return self._again(endpoint, False, lambda client: client.execute_command(*words))

    def state(self, endpoint):
        return redis_topology.node_state(self._again(endpoint, False, lambda client: client.info()))

    def together(self, endpoint, *commands):
        """Run commands as one: all of them or, where we are killed, none. Raises what the first bad one says."""
        self._again(endpoint, False, lambda client: client.together(*commands))

    def setting(self, endpoint, name):
        answer = pairs(self.command(endpoint, "CONFIG", "GET", name))
        return int(answer[name])

    def sentinel(self, endpoint, *words):
        return self._again(endpoint, True, lambda client: client.execute_command("SENTINEL", *words))

    def reported_primary(self, endpoint):
        """Return the primary that this Sentinel names to clients: the new one as soon as it knows of its promotion."""
        address = self.sentinel(endpoint, "GET-MASTER-ADDR-BY-NAME", self.deployment["name"])
        return redis_topology.endpoint_key(*address) if address else None

    def master(self, endpoint):
        state = pairs(self.sentinel(endpoint, "MASTER", self.deployment["name"]))
        return {"flags": state["flags"], "failover_timeout": int(state["failover-timeout"]) / 1000}

    def replicas_known_to(self, endpoint):
        """Return {endpoint: {priority, age, flags}} of the replicas a Sentinel knows; its news are `age` ms old."""
        known = [pairs(each) for each in self.sentinel(endpoint, "REPLICAS", self.deployment["name"])]
        return {
            redis_topology.endpoint_key(each["ip"], each["port"]): {
                "priority": int(each["slave-priority"]),
                "age": int(each["info-refresh"]),
                "flags": each["flags"].split(","),
            }
            for each in known
        }

    # -- all of them

    def look(self) -> View:
        return redis_topology.view(self.deployment, self._passwords, self._sentinel_password)

    def observe(self, seconds=30) -> Have:
        """Return what there is, once nothing is about to change it, or after so many seconds."""
        seen, decision = redis_topology.settle(self.look, self.deployment, seconds)
        for endpoint, state in seen["nodes"].items():
            if state["answers"]:
                # INFO has the priority of a replica only
                state["priority"] = self.setting(endpoint, "replica-priority")
                state["settings"] = {name: self.setting(endpoint, name) for name in (REPLICAS, LAG, PING)}
        for endpoint, sentinel in seen["sentinels"].items():
            if sentinel["answers"] and sentinel["primary"]:
                sentinel.update(self._prospect(endpoint))
        return {**seen, "primary": decision.primary, "settled": decision.settled, "why": decision.why}

    def _prospect(self, endpoint):
        """Return what a Sentinel would make of a failover: an empty `quorum` is a good one."""
        try:
            self.sentinel(endpoint, "CKQUORUM", self.deployment["name"])
            quorum = ""
        except redis_server.RedisError as error:
            quorum = str(error)
        info = self._again(endpoint, True, lambda client: client.info("sentinel"))
        return {"quorum": quorum, "tilt": bool(int(info["sentinel_tilt"])), "knows": self.replicas_known_to(endpoint)}
