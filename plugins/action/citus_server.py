"""Render the files of a Citus node and hand them to the module of the same name."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.citus import module_args
from ansible_collections.cistern.core.plugins.plugin_utils.common.evaluation import Variables


class ActionModule(ActionBase):
    """Takes the module's options, those of the node in a mapping `node`; its files have `template` or `content`."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        variables = Variables(self._templar, task_vars)
        args.update(module_args.node(self, variables, variables.expression(args.pop("node"))))
        return self._execute_module(module_args=args, task_vars=task_vars)
