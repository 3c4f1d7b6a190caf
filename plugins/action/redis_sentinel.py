"""Render the files of a Sentinel and hand them, with the deployments it watches, to the module of the same name."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.common.rendering import rendered


class ActionModule(ActionBase):
    """Takes the module's options, those of the Sentinel in a mapping `sentinel`.

    Its files have `template` or `source`, its deployments are those of redis_check: what else is to know of one stands
    in the variables of its hosts, laid over `monitor_baseline`.
    """

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        args.update(args.pop("sentinel"))
        [conf] = rendered(self, task_vars, [args["conf"]])
        conf["secret_content"] = conf.pop("content")
        baseline = args.pop("monitor_baseline")
        args.update(
            conf=conf,
            files=rendered(self, task_vars, args["files"]),
            deployments=[self._deployment(each, baseline, task_vars) for each in args["deployments"]],
        )
        return self._execute_module(module_args=args, task_vars=task_vars)

    def _deployment(self, each, baseline, task_vars):
        says = task_vars["hostvars"][each["nodes"][0]["host"]]
        settings = {**baseline, **says.get("redis_sentinel_config", {})}
        return {
            **{key: each[key] for key in ("name", "mode", "quorum", "initial", "nodes", "sentinels")},
            "auth_pass": says["redis_password"],
            # null takes a setting away
            "settings": {name: str(value) for name, value in settings.items() if value is not None},
        }
