"""Work out from the inventory what the host has, and let the module of the same name look at it."""

import time

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import expected as doctor_want


class ActionModule(ActionBase):
    """Takes `deployments` and `sentinels` of redis_check and `cluster` of citus_check, each as far as there is one."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = {"deployments": {}, "sentinels": {}, "cluster": {}, **self._task.args}
        host = task_vars["inventory_hostname"]
        try:
            want = doctor_want.of_host(self, task_vars, host, args)
        except AnsibleError as error:
            return {"failed": True, "msg": f"a variable of {host} cannot be evaluated: {str(error).splitlines()[0]}"}
        sent = time.time()
        result = self._execute_module(module_args=want, task_vars=task_vars)
        if result.get("failed"):
            # a finding and no failure; of a failure that failed_when takes back, Ansible keeps no reason
            crashed = getattr(getattr(result.get("exception"), "event", None), "msg", "")
            return {"changed": False, "msg": str(result.get("msg") or crashed)}
        # what the host's clock says lies between the two
        return {**result, "sent": sent, "received": time.time()}
