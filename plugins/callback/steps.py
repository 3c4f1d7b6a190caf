"""The default output of ansible-playbook, and below each host the steps that were taken there."""

import gc
import os

from ansible.plugins.callback.default import CallbackModule as Default
from ansible.plugins.loader import test_loader

DOCUMENTATION = r"""
name: steps
type: stdout
short_description: The default output, and what modules tell
description:
  - As P(ansible.builtin.default#callback). Below a host stand its C(steps) and what is C(pending).
  - In check mode these are the steps that a run would take.
  - The lines of a C(report) are printed as they are.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""


# A worker lives for one task. To collect garbage takes a tenth of its time, and copies what it shares with the others.
os.register_at_fork(after_in_child=gc.disable)


class CallbackModule(Default):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "cistern.core.steps"

    def v2_playbook_on_play_start(self, play):
        # the first test that is looked for loads all of Ansible's, which each worker would do for itself
        test_loader.get("ansible.builtin.match")
        # what is loaded by now stays, and is not looked through for garbage any more
        gc.freeze()
        super().v2_playbook_on_play_start(play)

    def v2_runner_on_ok(self, result):
        super().v2_runner_on_ok(result)
        self._report(result)

    def v2_runner_item_on_ok(self, result):
        super().v2_runner_item_on_ok(result)
        self._report(result)

    def _report(self, result):
        reported = result.result
        for step in [
            *reported.get("steps", []),
            *reported.get("pending", []),
            *[f"note: {note}" for note in reported.get("notes", [])],
        ]:
            self._display.display(f"  {result.host.get_name()}: {step}")
        for line in reported.get("report", []):
            self._display.display(line)
