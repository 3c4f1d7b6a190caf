"""Validate the inventory of all Redis hosts, on the controller, before a machine is touched."""

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.cistern.core.plugins.plugin_utils.common import health
from ansible_collections.cistern.core.plugins.plugin_utils.common.check import InventoryCheck
from ansible_collections.cistern.core.plugins.plugin_utils.host import checks as host_checks
from ansible_collections.cistern.core.plugins.plugin_utils.host import claims as host_claims
from ansible_collections.cistern.core.plugins.plugin_utils.redis import deployments as redis_deployments
from ansible_collections.cistern.core.plugins.plugin_utils.redis import instance as redis_instance
from ansible_collections.cistern.core.plugins.plugin_utils.redis import inventory as redis_inventory
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema
from ansible_collections.cistern.core.plugins.plugin_utils.redis.due import due


class ActionModule(InventoryCheck):
    """With `machines`, also against what the hosts reported (the register `observed`); `due` is which a run goes
    on with.

    With `health`, a run that goes on with nobody says here what is not whole, strictly or not: no play follows for it.

    `names` is the variable from which a verb takes its deployment. What redis_remove names is reported as leaving, and
    the rest is validated and reported as it is without it.
    """

    def run(self, tmp=None, task_vars=None):
        found = super().run(tmp, task_vars)
        strict, due = self._task.args.get("health"), found.get("due")
        if strict is None or not due or due["instances"] or due["sentinels"]:
            return found
        hostvars, playing = task_vars["hostvars"], task_vars["ansible_play_hosts_all"]
        stated = health.result(health.sentences({name: hostvars.raw_get(name) for name in playing}), boolean(strict))
        return {**found, **stated, "warnings": [*found["warnings"], *stated.get("warnings", [])]}

    def validate(self):
        playing = self.vars["ansible_play_hosts_all"]
        # with --limit too, the neighbours of an instance count: their ports, their memory
        groups = self.vars["groups"]
        instances = [self._instance(name) for name in groups.get("redis", playing)]
        known = {instance.name: instance for instance in instances}
        sentinel_hosts = [known.get(name) or self._instance(name) for name in groups.get("redis_sentinel", [])]
        options = redis_schema.options()
        variable = self._task.args.get("names")
        target = self._templar.template(self.vars.get(variable, "")) if variable else None
        leaves = variable == "redis_remove"
        staying, left = redis_deployments.split_removed(instances, sentinel_hosts, target if leaves else None, options)
        errors, warnings = redis_inventory.check(schema=redis_schema.load(), options=options, **staying)
        if variable:
            everything = redis_deployments.deployments(instances, sentinel_hosts, options)
            errors = [*errors, *redis_deployments.validate_target(variable, target, everything, hosts=leaves)]
        remaining = (staying["instances"], staying["sentinel_hosts"], staying["deployments"])
        reached = (*remaining[:2], redis_deployments.replicated(staying["deployments"]))
        claims = {} if variable else host_claims.of_redis(*reached, options)
        if self._task.args.get("machines"):
            observed = host_checks.observed(claims, self.vars["hostvars"], self._register())
            more, risks = host_checks.of_redis(claims, observed, *reached)
            errors, warnings = [*errors, *more], [*warnings, *risks]
        return (
            errors,
            warnings,
            lambda: {
                "machines": redis_inventory.machines(
                    {each.name: each for each in [*instances, *sentinel_hosts]}.values(), playing
                ),
                "deployments": staying["deployments"],
                "sentinels": redis_deployments.sentinels(staying["deployments"]),
                "leaving": left,
                "claims": claims,
                "instances": [each.name for each in staying["instances"]],
                "due": self._due(*remaining) if self._task.args.get("machines") else {},
            },
        )

    def _register(self):
        """Return the name under which hosts have reported what there is."""
        return self._task.args.get("observed", "__redis_observed")

    def _due(self, instances, sentinel_hosts, deployments):
        hostvars, playing = self.vars["hostvars"], self.vars["ansible_play_hosts_all"]
        here = [each.name for each in [*instances, *sentinel_hosts] if each.name in playing]
        observed = {name: hostvars.raw_get(name).get(self._register()) for name in here}
        return due([each for each in instances if each.name in here], deployments, observed)

    def _instance(self, name):
        raw = self.vars["hostvars"].raw_get(name)
        return redis_instance.Instance(
            name=name,
            machine=self.machine(name),
            **self.read(name, "redis", ("redis_",), redis_instance.LAYERS),
            **redis_schema.baselines(),
            facts=raw.get(self._register(), {}).get("facts") if self._task.args.get("machines") else None,
        )
