"""Hold what the inventory says of caches against what the role knows, before a machine is touched."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils import cache_policy, inventory_host, role_files


class ActionModule(ActionBase):
    """Returns {deployment: policy} as `policies`; those of all deployments, whatever hosts this run is limited to."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        hosts = [self._host(name, task_vars) for name in task_vars["groups"].get("redis", [])]
        derived = role_files.read("cache", "vars/main.yml")
        baseline = {name: derived[f"__{name}_baseline"] for name in cache_policy.LAYERS}
        hosts = [host for host in hosts if host.deployment]
        policies, errors = cache_policy.check(hosts, role_files.options("cache"), baseline)
        if errors:
            count = f"{len(errors)} error{'s' if len(errors) > 1 else ''}"
            lines = [f"The inventory has {count}. No host was touched.", *[f"- {text}" for text in errors]]
            return {"failed": True, "msg": "\n".join(lines)}
        return {"changed": False, "policies": policies}

    def _host(self, name, task_vars):
        deployment = task_vars["hostvars"][name].get("redis_deployment", "")
        read = inventory_host.read(self, task_vars, name, "cache", ("cache_",), cache_policy.LAYERS)
        return cache_policy.Host(name=name, deployment=deployment, **read)
