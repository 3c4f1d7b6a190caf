"""Render the files of all that runs on a machine, and observe it once: whether they are there and in effect."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.module_utils.host.files import differs_by_marks
from ansible_collections.cistern.core.plugins.plugin_utils.citus import due as citus_due
from ansible_collections.cistern.core.plugins.plugin_utils.citus import module_args as citus
from ansible_collections.cistern.core.plugins.plugin_utils.common.evaluation import Variables
from ansible_collections.cistern.core.plugins.plugin_utils.common.rendering import rendered
from ansible_collections.cistern.core.plugins.plugin_utils.redis import module_args as redis
from ansible_collections.cistern.core.plugins.plugin_utils.redis import packages


def _units_of(role):
    return lambda action, variables, args: {**args, "files": rendered(action, variables, args["files"], role)}


def _as_it_is(_action, _variables, args):
    return args


PARTS = {
    "instance": redis.instance,
    "sentinel": redis.sentinel,
    "node": citus.node,
    "cluster": _as_it_is,
    "tables": _as_it_is,
    "cache": _units_of("cache"),
    "exporters": _units_of("monitoring"),
}


# By what a host has reported, and what a role passes beside it: whether a run has something to do there.
DUE = {
    "packages": packages.are_due,
    "instance": packages.instance_is_due,
    "sentinel": packages.sentinel_is_due,
    "node": citus_due.is_due,
    "cache": lambda observed, args: args["has_files"] or observed["cache"]["differs"],
    "exporters": lambda observed, _args: observed["exporters"]["differs"],
}


class ActionModule(ActionBase):
    """Takes the module's options; a part is as the action of its own module takes it.

    A text is an expression without braces, as in `when`, so that what several of them refer to is evaluated once.
    `has` is {part: whether the machine has it}, and the others are not evaluated. `due` are {part: what DUE takes
    beside the answer}; the verdicts are in `due` of the result. `files` are compared by their marks.
    """

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        variables = Variables(self._templar, task_vars)
        given = dict(self._task.args)
        due = given.pop("due", {})
        files = variables.expression(given.pop("files", []))
        has = variables.expression(given.pop("has", {}))
        absent = {name for name, there in has.items() if not there}
        args = {name: variables.expression(each) for name, each in given.items() if name not in absent}
        for name in args.keys() & PARTS.keys():
            args[name] = PARTS[name](self, variables, args[name])
        args["files"] = [each["path"] for each in files]
        result = self._execute_module(module_args=args, task_vars=task_vars)
        if "facts" in result:
            result["facts"]["differing_files"] = self._differing(files, result, task_vars)
            due_args = {name: variables.expression(each) for name, each in due.items() if name not in absent}
            result["due"] = {name: bool(DUE[name](result, each)) for name, each in due_args.items()}
        return result

    def _differing(self, files, result, task_vars):
        """Return the paths of files that are not as wanted; what these say may depend on the answer, now known."""
        have = result["facts"]["files"]
        if any("template" in each and not each.get("absent") for each in files):
            variables = Variables(self._templar, {**task_vars, self._task.register: result})
            files = rendered(self, variables, variables.expression(self._task.args["files"]), "redis")
        return [each["path"] for each in files if differs_by_marks(each, have.get(each["path"]))]
