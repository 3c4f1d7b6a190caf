"""What the modules of Citus are told: the options that a role has, with files rendered."""

from ansible_collections.cistern.core.plugins.plugin_utils.common.rendering import rendered


def node(action, variables, args):
    """Return the options of a node; its files have `template` or `content`."""
    [conf] = rendered(action, variables, [args["conf"]], "citus")
    return {**args, "conf": conf, "files": rendered(action, variables, args["files"], "citus")}
