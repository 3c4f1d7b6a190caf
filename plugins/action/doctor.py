"""Hold the evidence of all hosts together, tell what is wrong, and write it for programs. On the controller alone."""

import json
import os
import shlex
import time

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.module_utils.host import atomic
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import expected as doctor_want
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import judge as doctor_judgement
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import report as doctor_report


class ActionModule(ActionBase):
    """Takes `deployments`, `sentinels`, `cluster`, `thresholds`, and `json`, the path of a file or empty.

    The evidence is the register __doctor_probed of each host of the play.
    """

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = self._task.args
        hosts = task_vars["ansible_play_hosts_all"]
        want = {
            "inventory": _inventory(task_vars),
            "deployments": args["deployments"],
            "sentinels": args["sentinels"],
            "cluster": args["cluster"],
            "limits": args["thresholds"],
            "hosts": {host: self._want(host, task_vars) for host in hosts},
        }
        evidence = {host: _evidence(task_vars["hostvars"].raw_get(host).get("__doctor_probed", {})) for host in hosts}
        findings = doctor_judgement.judge(want, evidence)
        if args["json"]:
            when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            document = doctor_report.document(findings, evidence, when)
            atomic.write(os.path.expanduser(args["json"]), json.dumps(document, indent=2) + "\n")
        return {
            "changed": False,
            "counts": doctor_report.counts(findings),
            "summary": doctor_report.summary(findings, evidence),
            "report": doctor_report.lines(findings, evidence),
        }

    def _want(self, host, task_vars):
        """Return what the host should have, without its secrets."""
        machine = {"machine": doctor_want.machine(task_vars, host)}
        try:
            parts = doctor_want.of_host(self, task_vars, host, self._task.args)
        except AnsibleError:
            # the probe has told of it
            return machine
        own = self._task.args["deployments"].items()
        of = next(((name, each) for name, each in own if host in [node["host"] for node in each["nodes"]]), None)
        for part in parts.values():
            if isinstance(part, dict):
                part.pop("password", None)
                part.pop("secrets", None)
        if of and "redis" in parts:
            parts["redis"].update(deployment=of[0], mode=of[1]["mode"])
        return {**parts, **machine}


def _evidence(result):
    """Return what a host told; its clock as the bounds of how far it is ahead of the controller's, in seconds."""
    if "evidence" not in result:
        state = "unreachable" if result.get("unreachable") else "failed"
        message = str(result.get("msg") or "it was not asked").strip().removeprefix("Task failed: ")
        return {"state": state, "why": message.splitlines()[0][:300]}
    evidence = dict(result["evidence"])
    clock = evidence["machine"]["clock"]
    evidence["clock"] = {"least": clock["ended"] - result["received"], "most": clock["begun"] - result["sent"]}
    return evidence


def _inventory(task_vars):
    """Return the options that name the inventory of this run."""
    sources = task_vars.get("ansible_inventory_sources") or []
    short = [min(source, os.path.relpath(source), key=len) for source in sources]
    return " ".join(f"-i {shlex.quote(source)}" for source in short)
