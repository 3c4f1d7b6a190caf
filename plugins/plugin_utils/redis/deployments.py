"""The deployments of an inventory: what instances and Sentinels make them up, and what is wrong with the whole."""

from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import name_key
from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.module_utils.redis.topology import endpoint_key
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer


def deployments(instances, sentinel_hosts, options):
    """Return {name: {name, mode, quorum, initial, initial_primary, nodes, sentinels}}; a place is "address port".

    `sentinel_hosts` are the hosts of the group redis_sentinel. A deployment that none of them monitors has its
    Sentinels on its own machines, one on each.
    """
    declared = {}
    for name, members in by_deployment(instances).items():
        first = members[0]
        primary = first.values.get("redis_initial_primary") or first.name
        nodes = [
            {"host": each.name, **_reached(each, _port(each, "redis_announce_port", "redis_port", options))}
            for each in members
        ]
        declared[name] = {
            "name": name,
            "mode": first.get("redis_mode", options),
            "initial_primary": primary,
            "initial": next((node["endpoint"] for node in nodes if node["host"] == primary), None),
            "nodes": nodes,
            "sentinels": [],
            "quorum": 0,
        }
    monitored = [name for name in declared if modes.of_deployment(declared[name]).has_sentinels]
    for name in monitored:
        found = [each for each in sentinel_hosts if name in _monitored_by(each, instances, monitored)]
        for each in found or _own_sentinels(name, instances, options):
            declared[name]["sentinels"].append(
                {
                    "host": each.name,
                    **_reached(each, _port(each, "redis_sentinel_announce_port", "redis_sentinel_port", options)),
                }
            )
        majority = len(declared[name]["sentinels"]) // 2 + 1
        first = by_deployment(instances)[name][0]
        declared[name]["quorum"] = integer(first.values.get("redis_sentinel_quorum"), 0) or majority
    return declared


def replicated(declared):
    """Return those whose instances have to reach one another."""
    return {name: each for name, each in declared.items() if modes.of_deployment(each).replicated}


def sentinels(declared):
    """Return {host: {address, port, deployments}} of the hosts that run a Sentinel."""
    found: dict = {}
    for name, deployment in declared.items():
        for each in deployment["sentinels"]:
            entry = {"address": each["address"], "port": each["port"], "deployments": []}
            found.setdefault(each["host"], entry)["deployments"].append(name)
    return found


def split_removed(instances, sentinel_hosts, name, options):
    """Return what stays, {instances, watchers, deployments}, and what leaves, {instances, sentinels}, without `name`.

    `name` is an inventory host, a deployment, or None. A Sentinel leaves its machine where nobody needs it there.
    """
    before = deployments(instances, sentinel_hosts, options)
    gone = {name} | {node["host"] for node in before.get(name, {"nodes": []})["nodes"]}
    staying: dict = {
        "instances": [each for each in instances if each.name not in gone],
        "sentinel_hosts": [each for each in sentinel_hosts if each.name not in gone or name in before],
    }
    staying["deployments"] = deployments(staying["instances"], staying["sentinel_hosts"], options)
    for deployment in staying["deployments"].values():
        if deployment["initial_primary"] in gone:
            # its first day is over
            first = deployment["nodes"][0]
            deployment.update(initial_primary=first["host"], initial=first["endpoint"])
    machines = {each.name: each.machine for each in [*instances, *sentinel_hosts]}
    needed = {machines[host] for host in sentinels(staying["deployments"])}
    return staying, {
        "instances": {
            node["host"]: {**node, "deployment": deployment["name"]}
            for deployment in before.values()
            for node in deployment["nodes"]
            if node["host"] in gone
        },
        "sentinels": [host for host in sentinels(before) if machines[host] not in needed],
    }


def validate_target(variable, value, declared, hosts=False, modes=None):
    """Yield what is wrong with the name that a verb was given: of a deployment or, with `hosts`, of a host of one."""
    known = [name for name, deployment in declared.items() if modes is None or deployment["mode"] in modes]
    known += [node["host"] for name in known for node in declared[name]["nodes"]] if hosts else []
    if value not in known:
        what = "a deployment or a host of one" if hosts else "a deployment"
        problem = f"there is none called {value}" if value else "is missing"
        example = f"-e {variable}={next(iter(known), 'cache')}"
        yield f"{variable}: {problem}; write {what}, such as {example} ({', '.join(known)})"


def by_deployment(instances):
    """Return {name: its instances, in the order of the inventory}."""
    found: dict = {}
    for each in instances:
        if isinstance(each.values.get("redis_deployment"), str):
            found.setdefault(each.values["redis_deployment"], []).append(each)
    return found


def _port(instance, announced, port, options):
    return integer(instance.values.get(announced), 0) or instance.get(port, options)


def _reached(instance, port):
    # a Sentinel takes two spellings of a name for two replicas
    address = name_key(instance.address())
    return {"address": address, "port": integer(port, 0), "endpoint": endpoint_key(address, integer(port, 0))}


def _monitored_by(sentinel_host, instances, monitored):
    """Return the deployments a host of redis_sentinel watches: those named, those on its machine, or all."""
    declared = sentinel_host.values.get("redis_sentinel_deployments")
    here = [each.values.get("redis_deployment") for each in instances if each.machine == sentinel_host.machine]
    return declared or [name for name in monitored if name in here] or monitored


def _own_sentinels(name, instances, options):
    """Return one host for each machine of a deployment; a machine has one Sentinel for all deployments on it."""
    owners: dict = {}
    for each in instances:
        if modes.of(each.get("redis_mode", options)).has_sentinels:
            owners.setdefault(each.machine, each)
    mine = dict.fromkeys(each.machine for each in instances if each.values.get("redis_deployment") == name)
    return [owners[machine] for machine in mine if machine in owners]
