"""What is wrong with the inventory of Redis instances: each for itself, and all of them on their machines."""

import itertools

from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer
from ansible_collections.cistern.core.plugins.plugin_utils.redis import deployment_checks as redis_deployment_checks
from ansible_collections.cistern.core.plugins.plugin_utils.redis import deployments as redis_deployments
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis_directives
from ansible_collections.cistern.core.plugins.plugin_utils.redis import sharing as redis_sharing
from ansible_collections.cistern.core.plugins.plugin_utils.redis.instance import Instance
from ansible_collections.cistern.core.plugins.plugin_utils.redis.variables import downgrade, folders, problems, settings

__all__ = ["Instance", "check", "machines"]


def check(instances, options, schema, sentinel_hosts=(), deployments=None):
    """Return (errors, warnings), each a list of sentences; the same sentence of several hosts stands once.

    `sentinel_hosts` are the hosts of the group redis_sentinel; of those that are no instance, only the variables count.
    `deployments` are what they make up, unless that is what the inventory says.
    """
    errors: dict = {}
    warnings: dict = {}
    optional = {name: {**option, "required": False} for name, option in options.items()}
    for sentinel_host in sentinel_hosts:
        if sentinel_host.name not in {instance.name for instance in instances}:
            for text in problems(sentinel_host, optional):
                errors.setdefault(text, []).append(sentinel_host.name)
    for instance in instances:
        for text in [
            *problems(instance, options),
            *settings(instance, schema),
            *folders(instance, options),
            *downgrade(instance),
            *(instance.facts or {}).get("wrong", []),
        ]:
            errors.setdefault(text, []).append(instance.name)
    declared = deployments or redis_deployments.deployments(instances, sentinel_hosts, options)
    for text, names in _duplicates(instances, sentinel_hosts, redis_deployments.sentinels(declared), options):
        errors.setdefault(text, []).extend(names)
    for refuse, text, names in _memory(instances, options):
        (errors if refuse else warnings).setdefault(text, []).extend(names)
    for refuse, text, names in redis_deployment_checks.check(instances, sentinel_hosts, declared, options):
        (errors if refuse else warnings).setdefault(text, []).extend(names)
    return _with_hosts(errors, instances), _with_hosts(warnings, instances)


def machines(instances, playing):
    """Return {host: {is_owner, unnamed, tcp_backlog}}: which instance acts for its machine, and what all need together.

    `playing` are the hosts of this run: one of them acts, but all instances of the machine are counted.
    """
    declared = {}
    for group in _by_machine(instances).values():
        backlog = max(integer(instance.directives().get("tcp-backlog"), 511) for instance in group)
        unnamed = any("redis_deployment" in each.values and not each.values.get("redis_instance") for each in group)
        owner = next((instance.name for instance in group if instance.name in playing), None)
        for instance in group:
            declared[instance.name] = {"is_owner": instance.name == owner, "unnamed": unnamed, "tcp_backlog": backlog}
    return declared


def _with_hosts(found, instances):
    everyone = len(instances)
    return [
        text if len(set(names)) == everyone > 1 else f"{text} [{', '.join(dict.fromkeys(names))}]"
        for text, names in found.items()
    ]


def _by_machine(instances):
    groups: dict = {}
    for instance in instances:
        groups.setdefault(instance.machine, []).append(instance)
    return groups


def _duplicates(instances, sentinel_hosts, sentinels, options):
    """Two instances of a machine must differ in name, and in every path and port that is one instance's."""
    for (machine, _port), group in _by_machine(instances).items():
        for one, other in itertools.combinations(group, 2):
            name = one.get("redis_instance", options)
            if name == other.get("redis_instance", options):
                text = f"redis_instance: '{name}' names two instances on {machine}; give one of them another name"
                yield text, [one.name, other.name]
    everyone = {each.name: each for each in [*sentinel_hosts, *instances]}
    for group in _by_machine(everyone.values()).values():
        yield from redis_sharing.shared(group, sentinels, options)


def _memory(instances, options):
    """Yield (refuse, sentence, names) where a machine may not have the memory that its instances may take."""
    for group in _by_machine(instances).values():
        total = next((instance.facts["memory_mb"] for instance in group if instance.facts), None)
        limits = {instance.name: _limit(instance) for instance in group}
        if total is None:
            continue
        for name, limit in limits.items():
            if limit == 0:
                yield (
                    False,
                    f"maxmemory: 0 sets no limit, the server may take all memory of {group[0].machine[0]}; write one",
                    [name],
                )
            if limit >= total:
                yield (
                    True,
                    f"maxmemory: {limit} MiB is more than {group[0].machine[0]} has ({total} MiB); write less",
                    [name],
                )
        need = sum(
            limits[instance.name] * (100 + integer(instance.get("redis_memory_headroom", options), 30)) // 100
            for instance in group
        )
        if need > total and max(limits.values()) < total:
            refuse = any(instance.get("redis_memory_policy", options) == "refuse" for instance in group)
            yield (
                refuse,
                (
                    f"maxmemory: the instances of {group[0].machine[0]} may need {need} MiB with their headroom, "
                    f"and it has {total} MiB; "
                    "write less, or redis_memory_policy: warn"
                ),
                list(limits),
            )


def _limit(instance):
    """Return maxmemory in MiB; 0 also for one that is not a size, which the check of the settings tells."""
    try:
        return redis_directives.size_in_bytes(instance.directives().get("maxmemory") or 0) >> 20
    except ValueError:
        return 0
