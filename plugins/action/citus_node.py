"""Run the module of the same name until the shards have moved, and print how far they are."""

from ansible_collections.cistern.core.plugins.plugin_utils.common.polling import Progress


class ActionModule(Progress):
    """Takes the module's options, those of the cluster in a mapping `cluster`."""

    def followed(self, args, task_vars):
        return super().followed({**args.pop("cluster", {}), **args}, task_vars)
