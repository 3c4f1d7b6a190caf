"""Hold the inventory of a Citus cluster against what the role knows, on the controller, before a machine is touched."""

from ansible.plugins.action import ActionBase
from ansible_collections.cistern.core.plugins.plugin_utils import (
    citus_inventory,
    citus_node,
    citus_schema,
    inventory_host,
)


class ActionModule(ActionBase):
    """Returns the nodes of the cluster, the coordinator first."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        groups = task_vars["groups"]
        coordinators = groups.get("citus_coordinator", [])
        names = [*coordinators, *[name for name in groups.get("citus", []) if name not in coordinators]]
        nodes = [self._node(name, coordinators, task_vars) for name in names]
        options = citus_schema.options()
        errors, warnings = citus_inventory.check(nodes, options, citus_schema.settings())
        if errors:
            count = f"{len(errors)} error{'s' if len(errors) > 1 else ''}"
            lines = [f"The inventory has {count}. No host was touched.", *[f"- {text}" for text in errors]]
            return {"failed": True, "msg": "\n".join(lines)}
        places = [node.place(options) for node in nodes]
        return {"changed": False, "nodes": places, "coordinator": places[0], "warnings": warnings}

    def _node(self, name, coordinators, task_vars):
        return citus_node.Node(
            name=name,
            coordinates=name in coordinators,
            machine=inventory_host.machine(task_vars["hostvars"].raw_get(name), name),
            **inventory_host.read(self, task_vars, name, "citus", citus_node.PREFIXES, citus_node.LAYERS),
        )
