"""Validate the request of a switchover, then run the module of the same name."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.plugin_utils.redis import deployments as redis_deployments

KEYS = ("name", "mode", "initial", "nodes", "sentinels")


class ActionModule(ActionBase):
    """Takes the module's options; `deployment` is a name, to be found in `deployments`."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        deployments, name, to = args.pop("deployments"), args["deployment"], args["to"]
        for text in problems(deployments, name, to):
            return {"failed": True, "msg": f"{text}. No host was touched."}
        args["deployment"] = {key: deployments[name][key] for key in KEYS}
        return self._execute_module(module_args=args, task_vars=task_vars)


def problems(deployments, name, to):
    """Yield what is wrong with the request."""
    among = modes.REPLICATED
    wrong = list(redis_deployments.validate_target("redis_failover", name, deployments, modes=among))
    yield from wrong
    if wrong or not to:
        return
    hosts = [node["host"] for node in deployments[name]["nodes"]]
    if to not in hosts:
        yield f"redis_failover_to: {to} is no host of {name}; write one of {', '.join(hosts)}, or none for the best"
