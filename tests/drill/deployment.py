"""The deployment that the drill breaks, as its servers and Sentinels describe it."""

import contextlib
import time

import faults
import instances
import redis
from load import Load


class Deployment:
    """The instances of a deployment with Sentinels on the same hosts, and the playbooks that act on them."""

    def __init__(self, inventory, name, playbook):
        self.name = name
        self.playbook = playbook
        self.nodes = {
            node.name: node for node in instances.read(inventory).values() if node.vars["redis_deployment"] == name
        }
        some = next(iter(self.nodes.values()))
        self.passwords = (some.vars["redis_password"], some.vars["redis_sentinel_password"])
        self.load = None

    def new_load(self):
        sentinels = [(node.address, node.vars["redis_sentinel_port"]) for node in self.nodes.values()]
        self.load = Load(sentinels, self.name, *self.passwords)
        return self.load

    def primary(self):
        found = instances.primaries(self.nodes)
        assert len(found) == 1, f"there are {len(found)} primaries: {found}"
        return found[0]

    def replicas(self):
        primary = self.primary()
        return [node for node in self.nodes.values() if node is not primary]

    def identities(self):
        """Return what changes with every start of a server, of those that answer."""
        found = {}
        for name, node in self.nodes.items():
            with contextlib.suppress(redis.RedisError):
                found[name] = node.direct().info("server")["run_id"]
        return found

    def restarted_since(self, before):
        return {name for name, now in self.identities().items() if now != before[name]}

    def verb(self, name, **more):
        return self.playbook.run({name: self.name, **more}, name=name)

    def flaws(self):
        """Return what keeps the deployment from being whole, as sentences; whole is none."""
        try:
            primary = self.primary()
            others = len(self.nodes) - 1
            found = []
            attached = primary.direct().info("replication")["connected_slaves"]
            if attached != others:
                found.append(f"{primary} has {attached} replicas")
            for node in self.replicas():
                link = node.direct().info("replication")["master_link_status"]
                if link != "up":
                    found.append(f"the link of {node} is {link}")
            for node in self.nodes.values():
                found += [f"the Sentinel on {node} {flaw}" for flaw in self._flaws_seen(node, primary, others)]
        except (AssertionError, redis.RedisError, KeyError) as error:
            found = [str(error) or repr(error)]
        return found

    def _flaws_seen(self, node, primary, others):
        sentinel = node.sentinel()
        seen = sentinel.sentinel_master(self.name)
        if (seen["ip"], seen["port"]) != (primary.vars["redis_address"], primary.vars["redis_port"]):
            yield f"takes {seen['ip']}:{seen['port']} for the primary"
        if seen["flags"] != "master":
            yield f"calls the primary {seen['flags']}"
        for what in ("slaves", "other-sentinels"):
            if seen[f"num-{what}"] != others:
                yield f"knows {seen[f'num-{what}']} {what}"
        for each in sentinel.sentinel_slaves(self.name):
            if each["flags"] != "slave":
                yield f"calls the replica {each['name']} {each['flags']}"
            # It asks every ten seconds. One that is cut off with an old answer may demote the new primary afterwards.
            if each["role-reported"] != "slave":
                yield f"has not asked the replica {each['name']} since it is one"

    def wait(self, what, reached, within=60):
        """Wait until `reached()` is true, and return what it returned."""
        until = time.monotonic() + within
        while not (found := reached()):
            assert time.monotonic() < until, f"not within {within} s: {what}"
            time.sleep(0.1)
        return found

    def wait_whole(self, within=120):
        try:
            self.wait("whole", lambda: not self.flaws(), within)
        except AssertionError:
            raise AssertionError(f"not whole after {within} s: {'; '.join(self.flaws())}") from None

    def other_primary(self, old):
        """Return the primary beside the old one, as soon as there is one."""

        def promoted():
            return next((node for node in self.nodes.values() if node is not old and node.role() == "master"), None)

        return self.wait("another primary", promoted)

    def end_faults(self):
        for node in self.nodes.values():
            faults.end(node)

    def settings(self):
        """Return what decides how much is lost and how long it takes, as the primary and its Sentinel have it."""
        node = self.primary()
        names = ("min-replicas-to-write", "min-replicas-max-lag", "appendonly", "save")
        of_server = {name: node.direct().config_get(name)[name] for name in names}
        seen = node.sentinel().sentinel_master(self.name)
        of_sentinel = {name: seen[name] for name in ("down-after-milliseconds", "failover-timeout", "quorum")}
        versions = sorted({each.direct().info("server")["redis_version"] for each in self.nodes.values()})
        return {"redis": ", ".join(versions), **of_sentinel, **of_server}
