"""What the modules of Citus are told: the options that a role has, with files rendered."""

from ansible_collections.cistern.core.plugins.plugin_utils.common.rendering import rendered


def node(action, task_vars, args):
    """Return the options of a node; its files have `template` or `content`."""
    [conf] = rendered(action, task_vars, [args["conf"]], "citus")
    return {**args, "conf": conf, "files": rendered(action, task_vars, args["files"], "citus")}
