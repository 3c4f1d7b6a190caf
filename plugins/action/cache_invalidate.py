"""Work out what an operator's request drops from which deployment, then run the module of the same name there."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.cache import invalidation as cache_events


class ActionModule(ActionBase):
    """`policies` and `instances` are those of cache_check; the request stands in variables of the run.

    Contacts a host only when the whole request is right, and only hosts of the deployment that is meant.
    """

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        policies, instances = args.pop("policies"), args.pop("instances")
        arguments = {name for policy in policies.values() for event in policy["events"].values() for name in event}
        variables = {name: self._variable(name, task_vars) for name in {*cache_events.VARIABLES, *arguments}}
        request, errors = cache_events.request(variables, policies)
        if errors:
            return {"failed": True, "msg": "\n".join(["Nothing was dropped.", *[f"- {text}" for text in errors]])}
        instance = instances.get(task_vars["inventory_hostname"], {})
        if instance.get("deployment") != request["deployment"]:
            return {"changed": False, "skipped": True, "role": "", "dropped": {}}
        args.update(
            targets=request["targets"], flush=request["flush"], addresses=instance["addresses"], port=instance["port"]
        )
        return self._execute_module(module_args=args, task_vars=task_vars)

    def _variable(self, name, task_vars):
        return self._templar.template(task_vars[name]) if name in task_vars else None
