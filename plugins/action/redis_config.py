"""Render the files of a Redis instance and hand them, with what the schema knows, to the module of the same name."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.common.rendering import rendered
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema


class ActionModule(ActionBase):
    """Takes the module's options, those of the instance in a mapping `instance`; its files have `template`."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        args.update(args.pop("instance"))
        [conf] = rendered(self, task_vars, [args["conf"]])
        conf["secret_content"] = conf.pop("content")
        args.update(
            conf=conf,
            files=rendered(self, task_vars, args["files"]),
            immutable=redis_schema.immutable(),
            aliases=redis_schema.aliases(),
        )
        return self._execute_module(module_args=args, task_vars=task_vars)
