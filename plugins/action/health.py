"""State what is not whole at the end of a run, from what its hosts were asked anyway; contacts no host."""

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.common import health


class ActionModule(ActionBase):
    """Returns the sentences in `health`, and as warnings. With `strict`, one of them fails the run."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        hostvars = task_vars["hostvars"]
        found = health.sentences({name: hostvars.raw_get(name) for name in task_vars["ansible_play_hosts_all"]})
        return {"changed": False, **health.result(found, boolean(self._task.args.get("strict", False)))}
