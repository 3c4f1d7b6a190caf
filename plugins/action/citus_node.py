"""Run the module of the same name until the shards have moved, and print how far they are."""

from ansible_collections.cistern.core.plugins.plugin_utils.progress import Progress


class ActionModule(Progress):
    """Takes the module's options."""
