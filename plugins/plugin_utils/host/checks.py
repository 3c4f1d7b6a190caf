"""What all machines reported, compared with what a run claims of them: on the controller."""

from ansible_collections.cistern.core.plugins.module_utils.host.claims import judge
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import label_of
from ansible_collections.cistern.core.plugins.plugin_utils.host import claims as host_claims
from ansible_collections.cistern.core.plugins.plugin_utils.host import names as host_names


def observed(claims, hostvars, register, part=None):
    """Return {host: what there is}, of those hosts that were asked and answered."""
    found = {host: facts_of(hostvars, host, register, part).get("host") for host in claims}
    return {host: there for host, there in found.items() if there}


def facts_of(hostvars, host, register, part=None):
    """Return the facts that a host told of itself in a register, or in a part of it; {} where it told nothing."""
    result = hostvars.raw_get(host).get(register) or {}
    return ((result if part is None else result.get(part)) or {}).get("facts") or {}


def of_redis(claims, reported, instances, sentinel_hosts, deployments):
    """Return (errors, warnings), each a list of sentences."""
    targets = host_names.of_redis(
        instances, sentinel_hosts, deployments, host_claims.sentinel_bind, host_claims.is_name, label_of
    )
    machines = {each.name: each.machine for each in [*sentinel_hosts, *instances]}
    return _judged(claims, reported, targets, machines)


def of_citus(claims, reported, nodes):
    present = [node for node in nodes if node.name in claims]
    targets = host_names.of_citus(present, host_claims.citus_bind, host_claims.is_name, label_of)
    return _judged(claims, reported, targets, {node.name: node.machine for node in nodes})


def _judged(claims, reported, targets, machines):
    errors = [text for host in reported for text in judge.problems(claims[host], reported[host])]
    names = {
        host: {"machine": machines[host], "names": found["names"], "own": found["own"]}
        for host, found in reported.items()
    }
    found = host_names.problems(targets, names)
    errors += [text for refuse, text, _hosts in found if refuse]
    return list(dict.fromkeys(errors)), [text for refuse, text, _hosts in found if not refuse]
