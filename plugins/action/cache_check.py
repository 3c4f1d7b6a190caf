"""Validate what the inventory declares of caches, before a machine is touched."""

import os

from ansible_collections.cistern.core.plugins.plugin_utils.cache import policy as cache_policy
from ansible_collections.cistern.core.plugins.plugin_utils.cache import warming as cache_warming
from ansible_collections.cistern.core.plugins.plugin_utils.citus import node as citus_node
from ansible_collections.cistern.core.plugins.plugin_utils.citus import schema as citus_schema
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from ansible_collections.cistern.core.plugins.plugin_utils.common.check import InventoryCheck
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer
from ansible_collections.cistern.core.plugins.plugin_utils.redis import instance as redis_instance
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema


class ActionModule(InventoryCheck):
    """Returns those of all deployments, whatever hosts this run is limited to.

    `policies` are {deployment: policy}, `instances` {host: {deployment, name, addresses, port, at}}: where each
    instance of them listens on its own machine, its first address first, and `at` {address, port} where the others
    reach it. `databases` are {host: where its queries go}.
    """

    def validate(self):
        names = self.vars["groups"].get("redis", [])
        derived = role_files.derived("cache")
        baseline = {name: derived[f"__{name}_baseline"] for name in cache_policy.LAYERS}
        hosts = [host for host in (self._host(name) for name in names) if host.deployment]
        cluster = self._cluster()
        policies, errors = cache_policy.check(hosts, role_files.options("cache"), baseline, cluster)
        errors = errors or [text for policy in policies.values() for text in _absent(policy)]
        return (
            errors,
            [],
            lambda: {
                "policies": policies,
                "instances": {host.name: self._instance(host) for host in hosts},
                "databases": {
                    host.name: cache_warming.database(host.values, cluster)
                    for host in hosts
                    if host.deployment in policies
                },
            },
        )

    def _cluster(self):
        """Return where the Citus of the inventory is reached: {host, port, name, ca}, {} where it has none."""
        names = self.vars["groups"].get("citus_coordinator", [])[:1]
        for name in names:
            read = self.read(name, "citus", citus_node.PREFIXES, citus_node.LAYERS)
            node = citus_node.Node(name, True, self.machine(name), **read)
            options = citus_schema.options()
            ca = node.values.get("citus_ca_dir") or f"{self.vars['hostvars'][name]['inventory_dir']}/pki/citus"
            database = {"host": str(node.address()), "port": integer(node.get("citus_port", options), 5432)}
            return {**database, "name": node.get("citus_database", options), "ca": f"{ca}/ca.crt"}
        return {}

    def _host(self, name):
        deployment = self.vars["hostvars"][name].get("redis_deployment", "")
        read = self.read(name, "cache", ("cache_",), cache_policy.LAYERS)
        return cache_policy.Host(name=name, deployment=deployment, **read)

    def _instance(self, host):
        read = self.read(host.name, "redis", ("redis_",), ())
        machine = self.machine(host.name)
        instance = redis_instance.Instance(name=host.name, machine=machine, baseline={}, **read)
        options = redis_schema.options()
        port = integer(instance.get("redis_port", options), 6379)
        announced = integer(instance.values.get("redis_announce_port"), 0)
        return {
            "deployment": host.deployment,
            "name": instance.get("redis_instance", options),
            "addresses": instance.bind(),
            "port": port,
            "at": {"address": str(instance.address()), "port": announced or port},
        }


def _absent(policy):
    """Yield what a family is warmed from and is not on the controller."""
    for name, family in policy["families"].items():
        path = (family["warm"] or {}).get("file")
        if path and not os.path.isfile(path):
            yield f"{name} in cache_families: warm file: there is no {path} on this machine"
