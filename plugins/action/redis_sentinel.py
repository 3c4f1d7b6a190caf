"""Render the files of a Sentinel and hand them, with the deployments it watches, to the module of the same name."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.common.evaluation import Variables
from ansible_collections.cistern.core.plugins.plugin_utils.redis import module_args


class ActionModule(ActionBase):
    """Takes the module's options, those of the Sentinel in a mapping `sentinel`."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        variables = Variables(self._templar, task_vars)
        args.update(module_args.sentinel(self, variables, variables.expression(args.pop("sentinel"))))
        return self._execute_module(module_args=args, task_vars=task_vars)
