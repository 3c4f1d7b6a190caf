"""What is in the .env of an application host, and what is wrong with what the inventory says of it."""

import re
from urllib.parse import quote

from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import LOOPBACK
from ansible_collections.cistern.core.plugins.module_utils.host.spelling import did_you_mean
from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.plugin_utils.app_env import dotenv as env
from ansible_collections.cistern.core.plugins.plugin_utils.app_env.database import database
from ansible_collections.cistern.core.plugins.plugin_utils.app_env.hostvars import (
    BROKEN,
    Wrong,
    cannot,
    endpoint,
    label_of,
    password,
    read,
)
from ansible_collections.cistern.core.plugins.plugin_utils.app_env.schema import defaults
from ansible_collections.cistern.core.plugins.plugin_utils.common.paths import normal
from ansible_collections.cistern.core.plugins.plugin_utils.common.spelling import misread

# Keys that are computed, with what to write instead.
_OF_DEPLOYMENT = ("REDIS_URL", "REDIS_REPLICAS", "REDIS_SENTINELS", "REDIS_SENTINEL_MASTER")
COMPUTED = {
    **dict.fromkeys(_OF_DEPLOYMENT, "write app_env_deployment"),
    "DATABASE_URL": "write citus_database, citus_role and citus_password of the cluster",
    "REDIS_PASSWORD": "write redis_password of the deployment",
    "REDIS_SENTINEL_PASSWORD": "write redis_sentinel_password of the deployment",
}
LOCATION = {
    "path": (r"(/[^/\0\n]+)+", "the absolute path of a file, such as {app_env_path}"),
    "owner": (r"[A-Za-z_][\w.-]*", "the name of a user of the host"),
    "group": (r"[A-Za-z_][\w.-]*", "the name of a group of the host"),
}


def errors(hosts, hostvars, deployments, baseline, cluster=None, policies=None):
    """Return the errors of all application hosts; the same sentence of several hosts stands once."""
    found: dict = {}
    for host in hosts:
        try:
            file(host, hostvars, deployments, baseline, cluster, policies)
        except Wrong as wrong:
            for text in wrong.args:
                found.setdefault(text, []).append(host)
    for (machine, path), names in _files(hosts, hostvars).items():
        if len(names) > 1:
            text = f"app_env_path: {path} of {machine[0]} would be written for two applications; give each its own"
            found.setdefault(text, []).extend(names)
    return [f"{text} [{', '.join(names)}]" for text, names in found.items()]


def _files(hosts, hostvars):
    """Return {(machine, path): the application hosts that have their file there}."""
    found: dict = {}
    for host in hosts:
        try:
            path = str(read(hostvars, host, "app_env_path", defaults()["app_env_path"]))
        except Wrong:
            continue
        # one that is no path is told as such
        if path.startswith("/"):
            found.setdefault((_machine(host, hostvars), normal(path)), []).append(host)
    return found


def file(host, hostvars, deployments, baseline, cluster=None, policies=None):
    """Return {path, owner, group, values, notes, ca} of the file of a host. Wrong has all its errors.

    `deployments` are those of Redis, none where there is no Redis; `cluster` is what citus_check tells, if there is a
    Citus; `policies` are those of cache_check. `ca` is where the CA of the database's nodes has to lie, empty where
    nobody looks for it.
    """
    own = {name: read(hostvars, host, name, default) for name, default in defaults().items()}
    wrong, done = list(_unknown(hostvars[host])), []
    for part in (
        lambda: _location(own),
        lambda: _computed(host, own, hostvars, deployments) if deployments else ({}, []),
        lambda: database(own, hostvars, cluster) if cluster else ({}, ""),
        lambda: _settings(own["app_env"], baseline, _ttls(own, deployments, policies or {})),
    ):
        try:
            done.append(part())
        except Wrong as error:
            wrong += error.args
    if wrong:
        raise Wrong(*wrong)
    location, (values, notes), (of_database, ca), settings = done
    return {**location, "values": {**values, **of_database, **settings}, "notes": notes, "ca": ca}


# -- what the application's host says


def _unknown(variables):
    known = defaults()
    for name in variables:
        if name.startswith("app_env") and name not in known:
            yield f"{label_of(name, name)}: there is no such variable{did_you_mean(name, known)}"


def _location(own):
    wrong = []
    for part, (form, rule) in LOCATION.items():
        value = own[f"app_env_{part}"]
        if not isinstance(value, str) or not re.fullmatch(form, value):
            wrong.append(f"{label_of(f'app_env_{part}', value)}: must be {rule.format(**defaults())}")
    if wrong:
        raise Wrong(*wrong)
    return {part: own[f"app_env_{part}"] for part in LOCATION}


def _ttls(own, deployments, policies):
    """Return the times to live of the deployment that the application uses, none where that is no cache."""
    name = own["app_env_deployment"] or (list(deployments)[0] if len(deployments) == 1 else None)
    return policies.get(name, {}).get("ttls", {})


def _settings(declared, baseline, ttls):
    """Return the application's own keys: what the inventory says, laid over the baseline; null takes one away."""
    computed = {**COMPUTED, **dict.fromkeys(ttls, "write cache_ttls of the deployment")}
    if not isinstance(declared, dict):
        raise Wrong(f"{label_of('app_env', declared)}: must be a mapping of keys and values")
    merged, wrong = dict(baseline), []
    for key in declared:
        try:
            merged[key] = declared[key]  # evaluated here
            problem = f"is computed; {computed[key]}" if key in computed else env.wrong_name(key)
            if not problem and merged[key] is not None:
                problem = next(misread(merged[key]), None) or env.wrong_value(merged[key])
        except BROKEN as error:
            problem = cannot(error)
        if problem:
            wrong.append(f"{label_of(f'{key} in app_env', merged.get(key), key)}: {problem}")
    if wrong:
        raise Wrong(*wrong)
    return {**{key: value for key, value in merged.items() if value is not None}, **ttls}


# -- what the inventory of Redis says


def _computed(host, own, hostvars, deployments):
    name = _deployment(own["app_env_deployment"], deployments)
    deployment = deployments[name]
    makers = {modes.SERVER: _standalone, modes.PRIMARY: _replication, modes.SENTINELS: _sentinel}
    maker = makers.get(modes.of_deployment(deployment).client)
    if not maker:
        raise Wrong(f"app_env_deployment: {name} is a {deployment['mode']}, which has no .env; write another one")
    return maker(name, deployment, host, own["app_env_primary"], hostvars)


def _deployment(name, deployments):
    known = ", ".join(deployments)
    if name in deployments or (not name and len(deployments) == 1):
        return name or known
    if not name:
        raise Wrong(f"app_env_deployment: is missing; write one of {known}")
    label, hint = label_of("app_env_deployment", name), did_you_mean(name, deployments) or "."
    raise Wrong(f"{label}: there is no deployment {name}{hint} The inventory has {known}")


def _standalone(name, deployment, host, chosen, hostvars):
    nodes = deployment["nodes"]
    if not chosen and len(nodes) > 1:
        hosts = ", ".join(node["host"] for node in nodes)
        raise Wrong(f"app_env_primary: is missing, and each server of {name} stands alone; write one of {hosts}")
    node = _chosen(name, nodes, chosen or nodes[0]["host"])
    return _of_one(_seen_from(host, node, hostvars), hostvars), []


def _replication(name, deployment, _host, chosen, hostvars):
    nodes = deployment["nodes"]
    node = _chosen(name, nodes, chosen or deployment["initial_primary"])
    others = [other for other in nodes if other != node]
    values = {**_of_one(node, hostvars), "REDIS_REPLICAS": ",".join(map(endpoint, others))}
    notes = [
        f"REDIS_URL names {node['host']}, the primary of the inventory. After a switchover, write this file again with",
        "app_env_primary. With redis_mode: sentinel the application finds the primary itself.",
    ]
    return values, notes


def _sentinel(name, deployment, _host, chosen, hostvars):
    if chosen:
        raise Wrong(f"{label_of('app_env_primary', chosen)}: the Sentinels of {name} know the primary; leave it out")
    nodes, sentinels = deployment["nodes"], deployment["sentinels"]
    endpoints = ",".join(map(endpoint, sentinels))
    secret = password(hostvars, nodes[0], "redis_password")
    of_its_host = password(hostvars, sentinels[0], "redis_password", secret)
    values = {
        "REDIS_URL": f"redis+sentinel://{endpoints}/{quote(name, safe='')}/0",
        "REDIS_PASSWORD": secret,
        "REDIS_SENTINELS": endpoints,
        "REDIS_SENTINEL_MASTER": name,
        "REDIS_SENTINEL_PASSWORD": password(hostvars, sentinels[0], "redis_sentinel_password", of_its_host),
    }
    return values, []


def _of_one(node, hostvars):
    return {"REDIS_URL": f"redis://{endpoint(node)}/0", "REDIS_PASSWORD": password(hostvars, node, "redis_password")}


def _chosen(name, nodes, host):
    hosts = [node["host"] for node in nodes]
    if host in hosts:
        return nodes[hosts.index(host)]
    label = label_of("app_env_primary", host)
    raise Wrong(f"{label}: {host} is not in the deployment {name}; write one of {', '.join(hosts)}")


def _seen_from(host, node, hostvars):
    """Return the server as the host reaches it: one that listens on its own machine alone serves only that."""
    bind = read(hostvars, node["host"], "redis_bind", ["127.0.0.1"])
    local = [str(address).lstrip("-") for address in bind]
    if not all(address in LOOPBACK or address.startswith("127.") for address in local):
        return node
    if _machine(host, hostvars) == _machine(node["host"], hostvars):
        return {**node, "address": local[0]}
    label = f"{label_of('redis_bind', bind)} of {node['host']}"
    raise Wrong(f"{label}: it listens on its own machine alone, which {host} is not; add {node['address']}")


def _machine(host, hostvars):
    return read(hostvars, host, "ansible_host", host), read(hostvars, host, "ansible_port", 22)
