"""Find the deployment that is meant, then run the module of the same name on the hosts of it."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.cache import deployments as cache_members


class ActionModule(ActionBase):
    """`policies` and `instances` are those of cache_check; `deployment` may be empty where one alone has families.

    Returns also `deployment` and `policy`, for the pages.
    """

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        policies, instances = args.pop("policies"), args.pop("instances")
        deployment, errors = cache_members.request("cache_report", args.pop("deployment"), policies)
        for name, least in (("rate", 1000), ("seconds", 1)):
            if isinstance(args[name], bool) or not isinstance(args[name], int) or args[name] < least:
                errors.append(f"cache_report_{name}: must be a whole number of at least {least}, not {args[name]!r}")
        if errors:
            return {"failed": True, "msg": "\n".join(["No server was asked.", *[f"- {text}" for text in errors]])}
        host = task_vars["inventory_hostname"]
        instance = instances.get(host, {})
        if instance.get("deployment") != deployment:
            return {"changed": False, "skipped": True}
        args.update(
            policy=policies[deployment],
            host=host,
            nodes=cache_members.nodes(deployment, instances),
            addresses=instance["addresses"],
            port=instance["port"],
        )
        return self._execute_module(module_args=args, task_vars=task_vars)
