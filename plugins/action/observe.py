"""Render the files of all that runs on a machine, and ask it once whether they are there and in effect."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.redis import module_args

PARTS = {"instance": module_args.instance, "sentinel": module_args.sentinel}


class ActionModule(ActionBase):
    """Takes the module's options; a part is as the action of its own module takes it, empty where the host has none."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = {name: value for name, value in self._task.args.items() if name not in PARTS}
        for name, render in PARTS.items():
            if self._task.args.get(name):
                args[name] = render(self, task_vars, self._task.args[name])
        return self._execute_module(module_args=args, task_vars=task_vars)
