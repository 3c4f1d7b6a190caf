"""Validate the variables of the doctor, before a host is asked."""

from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from ansible_collections.cistern.core.plugins.plugin_utils.common.check import InventoryCheck
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import variables as doctor_variables


class ActionModule(InventoryCheck):
    """Looks at all hosts of the play; `thresholds` are those that there are."""

    def validate(self):
        hosts = [
            doctor_variables.Host(name, **self.read(name, "doctor", ("doctor_",), ("doctor_thresholds",)))
            for name in self.vars["ansible_play_hosts_all"]
        ]
        errors = doctor_variables.check(hosts, role_files.options("doctor"), self._task.args["thresholds"])
        return errors, [], None
