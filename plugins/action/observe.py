"""Render the files of all that runs on a machine, and ask it once whether they are there and in effect."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.citus import due as citus_due
from ansible_collections.cistern.core.plugins.plugin_utils.citus import module_args as citus
from ansible_collections.cistern.core.plugins.plugin_utils.common.rendering import rendered
from ansible_collections.cistern.core.plugins.plugin_utils.redis import module_args as redis
from ansible_collections.cistern.core.plugins.plugin_utils.redis import packages


def _units_of(role):
    return lambda action, task_vars, args: {**args, "files": rendered(action, task_vars, args["files"], role)}


def _as_it_is(_action, _task_vars, args):
    return args


PARTS = {
    "instance": redis.instance,
    "sentinel": redis.sentinel,
    "node": citus.node,
    "cluster": _as_it_is,
    "tables": _as_it_is,
    "cache": _units_of("cache"),
    "exporters": _units_of("monitoring"),
}


# By what a host has told, and what a role says beside it: whether a run has something to do there.
DUE = {
    "instance": packages.instance_is_due,
    "sentinel": packages.sentinel_is_due,
    "citus": citus_due.is_due,
    "cache": lambda observed, asked: asked["has_files"] or observed["cache"]["differs"],
    "monitoring": lambda observed, _asked: observed["exporters"]["differs"],
}


class ActionModule(ActionBase):
    """Takes the module's options; a part is as the action of its own module takes it, empty where the host has none.

    `due` are {name: what DUE is told beside the answer}; the verdicts are in `due` of the result.
    """

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = {name: value for name, value in self._task.args.items() if name not in (*PARTS, "due")}
        for name, render in PARTS.items():
            if self._task.args.get(name):
                args[name] = render(self, task_vars, self._task.args[name])
        result = self._execute_module(module_args=args, task_vars=task_vars)
        if "facts" in result:
            asked = self._task.args.get("due", {})
            result["due"] = {name: bool(DUE[name](result, each)) for name, each in asked.items()}
        return result
