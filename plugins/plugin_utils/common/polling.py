"""Run a module again and again while what it started goes on, and print how far that is.

Each run is short, so a lost connection to the host costs nothing; the work goes on in the server or on the host. A run
whose work goes on returns it under `moving`: C(message), and C(follow), the options by which the next run finds it.
"""

import time

from ansible.plugins.action import ActionBase


class Progress(ActionBase):
    """An action that runs the module of the same name until it says no more that its work goes on."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return self.followed(dict(self._task.args), task_vars)

    def followed(self, args, task_vars):
        """Run the module with these options to the end of its work; what it may take is its option `seconds`."""
        began, last_message = time.monotonic(), None
        limit, total = int(args.get("seconds", 3600)), {"steps": [], "changed": False}
        while True:
            args["seconds"] = max(0, int(limit - (time.monotonic() - began)))
            result = self._execute_module(module_args=args, task_vars=task_vars)
            total = joined(total, result)
            moving = result.get("moving")
            if not moving or result.get("failed"):
                return total
            args.update(moving.get("follow", {}))
            if moving["message"] != last_message:
                last_message = moving["message"]
                self._display.display(f"  {task_vars['inventory_hostname']}: {last_message}")


def joined(total, result):
    """Return what a run says, and before it what the runs before it did."""
    steps = [*total["steps"], *[step for step in result.get("steps", []) if step not in total["steps"]]]
    diff = total.get("diff") or result.get("diff")
    last = {key: value for key, value in result.items() if key != "moving"}
    changed = total["changed"] or bool(result.get("changed"))
    return {**last, "steps": steps, "changed": changed, **({"diff": diff} if diff else {})}
