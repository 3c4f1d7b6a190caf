"""Render the files of units on the controller and hand all of them to one run of the module of the same name."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.common.evaluation import Variables
from ansible_collections.cistern.core.plugins.plugin_utils.common.rendering import rendered


class ActionModule(ActionBase):
    """Takes the module's options, also in a mapping `service`.

    A file has `template` or `source`, and `secret` where no diff of it may be shown.
    """

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        variables = Variables(self._templar, task_vars)
        args = {**variables.expression(args.pop("service", {})), **args}
        args["files"] = rendered(self, variables, args["files"])
        return self._execute_module(module_args=args, task_vars=task_vars)
