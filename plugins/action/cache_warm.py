"""Run the module of the same name until the families are filled, and print how far they are."""

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.cistern.core.plugins.module_utils.cache.warm import sources
from ansible_collections.cistern.core.plugins.module_utils.cache.warm.job import first_keys
from ansible_collections.cistern.core.plugins.plugin_utils.common.polling import Progress


class ActionModule(Progress):
    """Takes the module's options; `files` are those of families on the controller, which the host has already."""

    def run(self, tmp=None, task_vars=None):
        args = dict(self._task.args)
        if self._task.check_mode and not boolean(args.get("stop", False)):
            # nothing is sent to the host but the first keys
            args["samples"] = {name: _sample(args["families"][name], path) for name, path in args["files"].items()}
        self._task.args = args
        return super().run(tmp, task_vars)


def _sample(family, path):
    source = sources.File(path)
    return {"rows": source.count()[0], "keys": [key.decode() for key in first_keys(source, family)]}
