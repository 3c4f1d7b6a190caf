"""Validate the inventory of a Citus cluster, on the controller, before a machine is touched."""

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.cistern.core.plugins.plugin_utils.citus import inventory as citus_inventory
from ansible_collections.cistern.core.plugins.plugin_utils.citus import node as citus_node
from ansible_collections.cistern.core.plugins.plugin_utils.citus import removal as citus_removal
from ansible_collections.cistern.core.plugins.plugin_utils.citus import schema as citus_schema
from ansible_collections.cistern.core.plugins.plugin_utils.common.check import InventoryCheck
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import label_of
from ansible_collections.cistern.core.plugins.plugin_utils.host import checks as host_checks
from ansible_collections.cistern.core.plugins.plugin_utils.host import claims as host_claims


class ActionModule(InventoryCheck):
    """Returns the nodes of the cluster, the coordinator first.

    `names` is the variable in which the verb of a removal is told what leaves; that is absent then.
    With `machines`, also against what the hosts reported (the register `observed`); while their
    version is being changed (`upgrading`), not against that.
    """

    def validate(self):
        groups = self.vars["groups"]
        coordinators = groups.get("citus_coordinator", [])
        names = [*coordinators, *[name for name in groups.get("citus", []) if name not in coordinators]]
        nodes = [self._node(name, coordinators) for name in names]
        options = citus_schema.options()
        errors, warnings = citus_inventory.check(nodes, options, citus_schema.settings())
        variable = self._task.args.get("names")
        target = self._templar.template(self.vars.get(variable, "")) if variable else ""
        if variable:
            errors = [*errors, *citus_removal.problems(nodes, options, target)]
        claims = {} if variable else host_claims.of_citus(nodes, options)
        if self._task.args.get("machines"):
            observed = host_checks.observed(claims, self.vars["hostvars"], self._register(), "node")
            more, risks = host_checks.of_citus(claims, observed, nodes)
            more += [text for node in nodes for text in self._wrong(node)]
            if not boolean(self._task.args.get("upgrading", False)):
                more += [text for node in nodes for text in self._version(node, options)]
            errors, warnings = [*errors, *more], [*warnings, *risks]
        return errors, warnings, lambda: self._cluster(nodes, options, target, claims)

    def _cluster(self, nodes, options, target, claims):
        gone = citus_removal.leaving(nodes, options, target)
        states = {name: {"state": "absent"} for name in gone}
        endpoints = [{**node.endpoint(options), **states.get(node.name, {})} for node in nodes]
        cluster = {key: nodes[0].get(f"citus_{key}", options) for key in ("database", "role")}
        cluster.update(nodes=endpoints, coordinator=endpoints[0], claims=claims)
        return cluster

    def _wrong(self, node):
        """Return what a host said that cannot work there."""
        wrong = self._facts(node).get("wrong", [])
        return [f"{text} [{node.name}]" for text in wrong]

    def _version(self, node, options):
        """Yield what a host says against the version of the inventory, which an upgrade alone changes."""
        facts = self._facts(node)
        other = node.other_version(facts["packages"], options) if facts else ""
        if other:
            version = node.get("citus_version", options)
            yield (
                f"{label_of(node, 'citus_version')}: is {version}, and {node.name} has {other}; "
                "playbooks/citus_upgrade.yml brings all nodes to another version, or write the one that is there"
            )

    def _facts(self, node):
        return host_checks.facts_of(self.vars["hostvars"], node.name, self._register(), "node")

    def _register(self):
        """Return the name under which hosts have reported what there is."""
        return self._task.args.get("observed", "__citus_observed")

    def _node(self, name, coordinators):
        return citus_node.Node(
            name=name,
            coordinates=name in coordinators,
            machine=self.machine(name),
            **self.read(name, "citus", citus_node.PREFIXES, citus_node.LAYERS),
        )
