"""Hold what the inventory says of caches against what the role knows, before a machine is touched."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils import (
    cache_policy,
    inventory_host,
    redis_instance,
    redis_schema,
    role_files,
)
from ansible_collections.cistern.core.plugins.plugin_utils.variables import integer


class ActionModule(ActionBase):
    """Returns those of all deployments, whatever hosts this run is limited to.

    `policies` are {deployment: policy}, `instances` {host: {deployment, name, addresses, port}}: where each instance of
    them listens on its own machine, its first address first.
    """

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        names = task_vars["groups"].get("redis", [])
        derived = role_files.read("cache", "vars/main.yml")
        baseline = {name: derived[f"__{name}_baseline"] for name in cache_policy.LAYERS}
        hosts = [host for host in (self._host(name, task_vars) for name in names) if host.deployment]
        policies, errors = cache_policy.check(hosts, role_files.options("cache"), baseline)
        if errors:
            count = f"{len(errors)} error{'s' if len(errors) > 1 else ''}"
            lines = [f"The inventory has {count}. No host was touched.", *[f"- {text}" for text in errors]]
            return {"failed": True, "msg": "\n".join(lines)}
        instances = {host.name: self._place(host, task_vars) for host in hosts if host.deployment in policies}
        return {"changed": False, "policies": policies, "instances": instances}

    def _host(self, name, task_vars):
        deployment = task_vars["hostvars"][name].get("redis_deployment", "")
        read = inventory_host.read(self, task_vars, name, "cache", ("cache_",), cache_policy.LAYERS)
        return cache_policy.Host(name=name, deployment=deployment, **read)

    def _place(self, host, task_vars):
        read = inventory_host.read(self, task_vars, host.name, "redis", ("redis_",), ())
        machine = inventory_host.machine(task_vars, host.name)
        instance = redis_instance.Instance(name=host.name, machine=machine, baseline={}, **read)
        options = redis_schema.options()
        return {
            "deployment": host.deployment,
            "name": instance.get("redis_instance", options),
            "addresses": instance.bind(),
            "port": integer(instance.get("redis_port", options), 6379),
        }
