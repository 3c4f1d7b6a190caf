"""Render files on the controller and hand all of them to one run of the module of the same name."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.common.evaluation import Variables
from ansible_collections.cistern.core.plugins.plugin_utils.common.rendering import rendered


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        variables = Variables(self._templar, task_vars)
        files = rendered(self, variables, variables.expression(self._task.args["files"]))
        return self._execute_module(module_args={"files": files}, task_vars=task_vars)
