"""State at the end of a run what is not whole, from what its hosts were asked anyway; contacts no host."""

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils import redis_health


class ActionModule(ActionBase):
    """With `sentinels` of the Sentinels, else of the instances. With `strict`, what is not whole fails the run.

    What was proven after a change counts, else what was seen before: nothing has changed since.
    """

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        hosts = {name: task_vars["hostvars"].raw_get(name) for name in task_vars["ansible_play_hosts_all"]}
        if boolean(self._task.args.get("sentinels", False)):
            health = redis_health.of_sentinels(_reported(hosts, "__redis_sentinel_proven", "__redis_sentinel_asked"))
        else:
            found = _reported(hosts, "__redis_proven", "__redis_asked")
            health = redis_health.of_instances(
                {name: (hosts[name].get("redis_deployment"), each) for name, each in found.items()}
            )
        if health and boolean(self._task.args.get("strict", False)):
            lines = ["Not everything is whole, and redis_strict is set.", *[f"- {text}" for text in health]]
            return {"failed": True, "changed": False, "health": health, "msg": "\n".join(lines)}
        return {"changed": False, "health": health, "warnings": health}


def _reported(hosts, *registers):
    """Return {host: health} of what a host was asked last."""
    return {
        name: found[0]
        for name, values in hosts.items()
        if (found := [values[each]["health"] for each in registers if "health" in values.get(each, {})])
    }
