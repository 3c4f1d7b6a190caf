"""Filters of the redis role."""

from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.plugin_utils.common.due import NOBODY
from ansible_collections.cistern.core.plugins.plugin_utils.common.hostvars import raw
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis_directives
from ansible_collections.cistern.core.plugins.plugin_utils.redis import packages
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema


def redis_lines(directives):
    """Return the lines of redis.conf for settings as the inventory spells them."""
    return redis_directives.to_lines(directives, redis_schema.load())


def redis_mode(name):
    """Return what a mode of a deployment is."""
    return modes.of(name)._asdict()


def redis_due(hostvars, kinds, otherwise=None):
    """Return the pattern of hosts that a run goes on with; `kinds` are instances or sentinels.

    Where it is Sentinels, the instances that they watch are in the play too; without a Sentinel nobody is.

    Before anything was observed, as for --list-hosts, it is `otherwise`: names of groups. Where site.yml has asked all
    machines and none goes on with Redis, it is nobody.
    """
    for name in hostvars:
        found = raw(hostvars, name).get("__redis_due", {}).get("due")
        if found is not None:
            return ",".join(dict.fromkeys(name for kind in kinds for name in found[kind] if found[kinds[0]])) or NOBODY
    together = any("__observed" in raw(hostvars, name) for name in hostvars)
    return NOBODY if together else ":".join(otherwise or []) or NOBODY


def redis_health_stated(hostvars):
    """Whether a run has stated with its verdict what is not whole."""
    verdicts = [verdict for name in hostvars if (verdict := raw(hostvars, name).get("__redis_due"))]
    # a host that has failed since has that of a run before in the same command
    return bool(verdicts) and all("health" in verdict for verdict in verdicts)


def redis_batches(hosts, hostvars):
    """Return {host: batch} for restarts: in a batch one of each deployment, replicas first, a primary last."""
    waiting: dict = {}
    for host in hosts:
        waiting.setdefault(hostvars[host]["redis_deployment"], []).append(host)
    batches = {}
    for members in waiting.values():
        ordered = sorted(members, key=lambda host: (_is_primary(hostvars[host]), host))
        batches.update({host: batch for batch, host in enumerate(ordered)})
    return batches


def _is_primary(variables):
    observed = (variables.get("__redis_observed") or {}).get("instance", {})
    results = [variables.get("__redis_configured") or {}, observed]
    return next((result["role"] for result in results if "role" in result), "primary") == "primary"


def redis_users(programs, rules):
    """Return the users of a server for the programs of its machine; `rules` is the key of what they may do there."""
    return [
        {"name": name, "rules": each[rules], "path": f"/etc/cistern/{name}.password"}
        for name, each in programs.items()
        if each["wanted"] and each.get(rules)
    ]


class FilterModule:
    def filters(self):
        return {
            **{
                each.__name__: each
                for each in (redis_due, redis_health_stated, redis_batches, redis_lines, redis_mode, redis_users)
            },
            "redis_wanted_packages": packages.wanted,
            "redis_wrongly_held": packages.wrongly_held,
        }
