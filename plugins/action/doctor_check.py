"""Hold the variables of the doctor against what it knows, before a host is asked."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.common import hostvars as inventory_host
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import variables as doctor_variables


class ActionModule(ActionBase):
    """Looks at all hosts of the play; `thresholds` are those that there are."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        hosts = [
            doctor_variables.Host(
                name, **inventory_host.read(self, task_vars, name, "doctor", ("doctor_",), ("doctor_thresholds",))
            )
            for name in task_vars["ansible_play_hosts_all"]
        ]
        errors = doctor_variables.check(hosts, role_files.options("doctor"), self._task.args["thresholds"])
        if errors:
            count = f"{len(errors)} error{'s' if len(errors) > 1 else ''}"
            lines = [f"The inventory has {count}. No host was touched.", *[f"- {text}" for text in errors]]
            return {"failed": True, "msg": "\n".join(lines)}
        return {"changed": False}
