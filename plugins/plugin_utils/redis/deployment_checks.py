"""What is wrong with a deployment as a whole: its instances beside each other, its Sentinels, its risks."""

import ipaddress
import re

from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import LOOPBACK
from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer, label_of
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis_directives
from ansible_collections.cistern.core.plugins.plugin_utils.redis import links as redis_links
from ansible_collections.cistern.core.plugins.plugin_utils.redis.deployments import by_deployment, replicated

# Variables of a deployment: each of its hosts has to say the same.
SHARED = ("redis_mode", "redis_password", "redis_initial_primary", "redis_sentinel_quorum", "redis_sentinel_config")
SENTINEL_SETTINGS = ("down-after-milliseconds", "failover-timeout", "parallel-syncs", "master-reboot-down-after-period")


def check(instances, sentinel_hosts, deployments, options):
    """Yield (refuse, sentence, names of hosts)."""
    for name, members in by_deployment(instances).items():
        deployment, hosts = deployments[name], [each.name for each in members]
        if not modes.of_deployment(deployment).replicated:
            continue
        for text in [
            *_differing(members),
            *_members(deployment, members, options),
            *redis_links.problems(members, deployment["mode"]),
        ]:
            yield True, f"deployment {name}: {text}", hosts
        for text in [*_risks(deployment, members), *redis_links.risks(members, deployment["mode"])]:
            yield False, f"deployment {name}: {text}", hosts
        if modes.of_deployment(deployment).has_sentinels:
            everyone = {each.name: each for each in [*instances, *sentinel_hosts]}
            for refuse, text in _sentinels(deployment, members, everyone):
                yield refuse, f"deployment {name}: {text}", hosts
    yield from _endpoints(deployments)
    for each in sentinel_hosts:
        for name in each.values.get("redis_sentinel_deployments") or []:
            if name not in deployments or not modes.of_deployment(deployments[name]).has_sentinels:
                where = label_of(each, "redis_sentinel_deployments")
                yield True, f"{where}: no deployment with redis_mode sentinel is called {name}", [each.name]


def _differing(members):
    for variable in SHARED:
        values = {str(each.values.get(variable)) for each in members}
        if len(values) > 1:
            yield f"{variable} differs between its hosts; write it once, into the group_vars of the deployment"


def _members(deployment, members, options):
    if deployment["initial"] is None:
        where = label_of(members[0], "redis_initial_primary")
        yield f"{where}: {deployment['initial_primary']} is none of its hosts; write the name of one of them"
    for each in members:
        if each.address() in LOOPBACK or str(each.address()).startswith("127."):
            yield f"{each.name} is at {each.address()}, which the others cannot reach; write its redis_address"
        elif all(address.lstrip("-") in LOOPBACK for address in each.bind()):
            yield f"{label_of(each, 'redis_bind')}: {each.name} listens on its own machine alone; add {each.address()}"
        elif "redis_bind" not in each.values and not _is_ip(each.address()):
            yield f"{each.name} is at the name {each.address()}; write redis_bind, the addresses to listen on"
    limits = {each.name: _limit(each) for each in members}
    biggest = max(limits, key=lambda host: limits[host] or float("inf"))
    for host, limit in limits.items():
        if limit and (limits[biggest] == 0 or limit < limits[biggest]):
            yield (
                f"maxmemory of {host} is {limit >> 20} MiB, and {biggest} may hold "
                f"{limits[biggest] >> 20 or 'without limit'}: as its replica, {host} could not; write the same for both"
            )
    wants = max(integer(each.directives().get("min-replicas-to-write"), 0) for each in members)
    if wants > len(members) - 1:
        yield f"min-replicas-to-write is {wants}, and it has {len(members) - 1} replicas: no write would ever be taken"


def _risks(deployment, members):
    if len(members) == 1:
        yield "has one instance, so nothing takes over when it fails; add a host to its group"
    if len(members) == 2 and integer(members[0].directives().get("min-replicas-to-write"), 0) == 1:
        yield (
            "has one replica, and min-replicas-to-write is 1: without that replica no write is taken; "
            "add a third host, or write min-replicas-to-write: 0 into redis_group_config"
        )
    settings = members[0].directives()
    if not settings.get("save") and settings.get("appendonly") not in (True, "yes"):
        yield (
            "keeps nothing on disk (no save, no appendonly): a primary that crashes and starts again within "
            "down-after-milliseconds comes back empty, and its replicas copy that; keep a save point"
        )


def _sentinels(deployment, members, everyone):
    """Yield (refuse, sentence) about the Sentinels of a deployment."""
    hosts = [everyone[each["host"]] for each in deployment["sentinels"]]
    count, quorum = len(hosts), deployment["quorum"]
    where = label_of(members[0], "redis_sentinel_quorum")
    if not 1 <= quorum <= count:
        yield (
            True,
            f"{where}: {quorum} is not possible with {count} Sentinels; write from 1 to {count}, or leave it out",
        )
    elif quorum == 1 < count:
        yield False, f"{where}: with 1, a single Sentinel that cannot reach the primary starts a failover"
    machines = {each.machine for each in hosts}
    if len(machines) < len(hosts):
        yield True, "two of its Sentinels are on one machine; name one host of each machine in the group redis_sentinel"
    elif len(machines) == 1:
        yield (
            True,
            (
                f"its Sentinel is on one machine alone ({hosts[0].machine[0]}), which nobody would notice to be gone; "
                "put hosts on three machines into the group redis_sentinel"
            ),
        )
    elif count == 2:
        yield False, "has 2 Sentinels: when one is lost, the other has no majority and nobody fails over; have 3"
    elif count % 2 == 0:
        yield (
            False,
            f"has {count} Sentinels, which stand the loss of no more than {count - 1} would; have an odd number",
        )
    if len({str(each.sentinel_password()) for each in hosts}) > 1:
        yield True, "redis_sentinel_password differs between its Sentinels; write it once, into group_vars/all"
    secrets = {"redis_password": members[0].values.get("redis_password")}
    secrets["redis_sentinel_password"] = hosts[0].sentinel_password() if hosts else None
    for variable, secret in secrets.items():
        if re.search(r"[\s\"']", str(secret)):
            yield (
                True,
                (
                    f"{label_of(members[0], variable)}: has a blank or a quote, and Sentinel writes its passwords "
                    "without quotes, so that it could not read its own file again; write one without"
                ),
            )
    for each in hosts:
        if "redis_sentinel_bind" not in each.values and not _is_ip(each.address()):
            yield (
                True,
                f"{each.name} is at the name {each.address()}; write redis_sentinel_bind, the addresses to listen on",
            )
    if any(each.sentinel_password() is None for each in hosts):
        yield True, "a Sentinel of it has no redis_sentinel_password; write it into group_vars/all"
    for key, value in (members[0].values.get("redis_sentinel_config") or {}).items():
        origin = label_of(members[0], "redis_sentinel_config")
        if key not in SENTINEL_SETTINGS:
            yield True, f"{origin}: {key} is not a setting of a monitor; write {', '.join(SENTINEL_SETTINGS)}"
        elif integer(value, 0) < 1 or isinstance(value, bool):
            yield True, f"{origin}: {key} must be a whole number from 1 on, not {value!r}"


def _endpoints(deployments):
    by_endpoint: dict = {}
    for deployment in replicated(deployments).values():
        for node in deployment["nodes"]:
            by_endpoint.setdefault(node["endpoint"], []).append(node["host"])
    for where, hosts in by_endpoint.items():
        if len(hosts) > 1:
            yield True, f"redis_address: {' and '.join(hosts)} are both at {where}; give each its own", hosts


def _is_ip(address):
    try:
        return bool(ipaddress.ip_address(address))
    except ValueError:
        return False


def _limit(instance):
    try:
        return redis_directives.size_in_bytes(instance.directives().get("maxmemory") or 0)
    except ValueError:
        return 0
