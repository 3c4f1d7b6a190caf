"""What the actions that validate an inventory share: they contact no host, and fail with all that is wrong at once."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils.common import hostvars


class InventoryCheck(ActionBase):
    """A check says in validate() what is wrong, what is a risk, and what it found."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        self.vars = task_vars
        errors, warnings, found = self.validate()
        return failed(errors) if errors else {"changed": False, "warnings": warnings, **(found() if found else {})}

    def validate(self):
        """Return (errors, warnings, found): sentences, and a function that returns the rest of the result."""
        raise NotImplementedError

    def read(self, name, role, prefixes, layers):
        """Return {values, origins, broken} of a host's variables."""
        return hostvars.read(self, self.vars, name, role, prefixes, layers)

    def machine(self, name):
        """Return what tells the machine of a host from another."""
        return hostvars.machine(self.vars, name)


def failed(errors):
    """Return the result of a check that found errors."""
    count = f"{len(errors)} error{'s' if len(errors) > 1 else ''}"
    lines = [f"The inventory has {count}. No host was touched.", *[f"- {text}" for text in errors]]
    return {"failed": True, "msg": "\n".join(lines)}
