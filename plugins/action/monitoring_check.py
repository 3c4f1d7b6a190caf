"""Validate what the inventory declares of monitoring, before a machine is touched."""

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.plugin_utils.cache import policy as cache_policy
from ansible_collections.cistern.core.plugins.plugin_utils.citus import node as citus_node
from ansible_collections.cistern.core.plugins.plugin_utils.citus import schema as citus_schema
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from ansible_collections.cistern.core.plugins.plugin_utils.common.check import InventoryCheck
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer
from ansible_collections.cistern.core.plugins.plugin_utils.host import claims as host_claims
from ansible_collections.cistern.core.plugins.plugin_utils.monitoring import host as monitoring_host
from ansible_collections.cistern.core.plugins.plugin_utils.monitoring import inventory as monitoring_inventory
from ansible_collections.cistern.core.plugins.plugin_utils.redis import deployments as redis_deployments
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis_directives
from ansible_collections.cistern.core.plugins.plugin_utils.redis import instance as redis_instance
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema


class ActionModule(InventoryCheck):
    """Returns what each machine runs, the targets, and what is to be known of deployments, instances, key families."""

    def validate(self):
        groups = self.vars["groups"]
        instances = {name: self._instance(name) for name in groups.get("redis", [])}
        instances = {name: each for name, each in instances.items() if each.values.get("redis_deployment")}
        sentinel_hosts = [instances.get(name) or self._instance(name) for name in groups.get("redis_sentinel", [])]
        deployments = redis_deployments.deployments(list(instances.values()), sentinel_hosts, redis_schema.options())
        known = {**{each.name: each for each in sentinel_hosts}, **instances}
        sentinels = {name: self._sentinel(known[name]) for name in redis_deployments.sentinels(deployments)}
        names = [name for group in ("redis", "redis_sentinel", "citus", "monitoring") for name in groups.get(group, [])]
        hosts = [self._host(name, instances, sentinels) for name in dict.fromkeys(names)]
        options = role_files.options("monitoring")
        thresholds = role_files.derived("monitoring")["__monitoring_thresholds_baseline"]
        errors = monitoring_inventory.check(hosts, options, thresholds)
        warnings = monitoring_inventory.notes(hosts, self.vars["ansible_play_hosts_all"])
        return (
            errors,
            warnings,
            lambda: {
                "machines": monitoring_inventory.runs(hosts, options, self.vars["ansible_play_hosts_all"]),
                "claims": host_claims.of_monitoring(hosts, options),
                "targets": monitoring_inventory.targets(hosts, options),
                "prometheus_addresses": sorted({host.address() for host in hosts if host.watches}),
                "deployments": [self._deployment(name, each, instances) for name, each in deployments.items()],
                "instances": [{"host": host.name, **host.instance} for host in hosts if host.instance],
                "families": self._families(groups.get("redis", [])),
            },
        )

    def _instance(self, name):
        return redis_instance.Instance(
            name=name,
            machine=self.machine(name),
            **self.read(name, "redis", ("redis_",), redis_instance.LAYERS),
            **redis_schema.baselines(),
        )

    def _sentinel(self, instance):
        bind = instance.values.get("redis_sentinel_bind")
        address = monitoring_host.reachable(bind if isinstance(bind, list) else [])
        return f"redis://{address}:{instance.get('redis_sentinel_port', redis_schema.options())}"

    def _host(self, name, instances, sentinels):
        instance, host_vars = instances.get(name), self.vars["hostvars"][name]
        machine = self.machine(name)
        return monitoring_host.Host(
            name=name,
            machine=machine,
            **self.read(name, "monitoring", ("monitoring_",), monitoring_host.LAYERS),
            fallback=host_vars.get("redis_address") or host_vars.get("citus_address") or machine[0],
            watches=name in self.vars["groups"].get("monitoring", []),
            instance=self._of_redis(instance) if instance else None,
            sentinel=sentinels.get(name) if self._scrapes_sentinel(name) else None,
            node=self._node(name) if name in self.vars["groups"].get("citus", []) else None,
        )

    def _of_redis(self, instance):
        settings = instance.directives()
        port = instance.get("redis_port", redis_schema.options())
        return {
            "deployment": instance.values["redis_deployment"],
            "uri": f"redis://{monitoring_host.reachable(instance.bind())}:{port}",
            "max_clients": integer(settings.get("maxclients"), 10000),
            "snapshots": int(settings.get("save") not in (None, "", [])),
        }

    def _scrapes_sentinel(self, name):
        read = self.read(name, "monitoring", ("monitoring_sentinels",), ())
        return boolean(read["values"].get("monitoring_sentinels", True), strict=False)

    def _node(self, name):
        read = self.read(name, "citus", citus_node.PREFIXES, citus_node.LAYERS)
        coordinates = name in self.vars["groups"].get("citus_coordinator", [])
        machine = self.machine(name)
        node = citus_node.Node(name=name, coordinates=coordinates, machine=machine, **read)
        if node.get("citus_node_state", citus_schema.options()) == "absent":
            return None
        database = node.get("citus_database", citus_schema.options())
        return {**node.endpoint(citus_schema.options()), "database": database}

    def _deployment(self, name, deployment, instances):
        members = [instances[node["host"]] for node in deployment["nodes"]]
        hosts = [each["host"] for each in deployment["sentinels"]]
        mode = modes.of_deployment(deployment)
        scraped = mode.has_sentinels and all(map(self._scrapes_sentinel, hosts))
        schema = redis_schema.load()
        settings = {redis_directives.canonical(key, schema): value for key, value in members[0].directives().items()}
        return {
            "name": name,
            "replicas": len(members) - 1 if mode.replicated else 0,
            "min_replicas": integer(settings.get("min-replicas-to-write"), 0),
            "max_lag": integer(settings.get("min-replicas-max-lag"), 10),
            "sentinels": len(deployment["sentinels"]) if scraped else 0,
        }

    def _families(self, names):
        """Return {deployment, family, ttl} of each key family; what is wrong with them is told by cache_check."""
        derived = role_files.derived("cache")
        baseline = {layer: derived[f"__{layer}_baseline"] for layer in cache_policy.LAYERS}
        hosts = [
            cache_policy.Host(
                name=name,
                deployment=self.vars["hostvars"][name].get("redis_deployment", ""),
                **self.read(name, "cache", ("cache_",), cache_policy.LAYERS),
            )
            for name in names
        ]
        policies, _errors = cache_policy.check(
            [host for host in hosts if host.deployment], role_files.options("cache"), baseline
        )
        return [
            {"deployment": deployment, "family": family, "ttl": each["ttl"]}
            for deployment, policy in policies.items()
            for family, each in policy["families"].items()
        ]
