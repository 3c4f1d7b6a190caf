"""Render the files of a Redis instance and hand them, with what the schema knows, to the module of the same name."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.common.evaluation import Variables
from ansible_collections.cistern.core.plugins.plugin_utils.redis import module_args


class ActionModule(ActionBase):
    """Takes the module's options, those of the instance in a mapping `instance`; its files have `template`."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        variables = Variables(self._templar, task_vars)
        args.update(module_args.instance(self, variables, variables.expression(args.pop("instance"))))
        return self._execute_module(module_args=args, task_vars=task_vars)
