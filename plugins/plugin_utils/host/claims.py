"""What a run claims of each machine, by what the inventory says: those of module_utils/host/claims. Pure."""

from ansible_collections.cistern.core.plugins.module_utils.host.claims.judge import literal
from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import name_key
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer, label_of

EMPTY: dict = {"ports": [], "folders": [], "units": [], "binds": [], "clusters": None, "names": [], "needs": []}
SENTINEL = "redis-sentinel.service"
# What to write for an option of a server's command that is no directive of redis_config.
OPTIONS = {
    "bind": "redis_bind",
    "port": "redis_port",
    "requirepass": "redis_password",
    "masterauth": "redis_password",
    "dir": "redis_data_dir",
    "logfile": "redis_log_file",
    "cluster-enabled": "redis_mode",
    "replicaof": "redis_mode",
    "slaveof": "redis_mode",
    "daemonize": "",
    "include": "its lines into redis_config",
    "": "{} in redis_config",
}
SENTINEL_OPTIONS = {
    **OPTIONS,
    "bind": "redis_sentinel_bind",
    "port": "redis_sentinel_port",
    "requirepass": "redis_sentinel_password",
    "logfile": "redis_sentinel_log_file",
    "": "{} into /etc/redis/sentinel.conf",
}


def is_name(address):
    """Whether an address is a name that has to be looked up; all know their own localhost."""
    text = str(address).lstrip("-")
    return literal(text) is None and text not in ("*", "::*") and name_key(text) != "localhost"


def of_redis(instances, sentinel_hosts, deployments, options):
    """Return {host: claims} of instances and Sentinels; a host of redis_sentinel may have the latter alone."""
    everyone = {each.name: each for each in [*sentinel_hosts, *instances]}
    sentinels = {each["host"] for deployment in deployments.values() for each in deployment["sentinels"]}
    ours: dict = {}
    for each in instances:
        ours.setdefault(each.machine, []).append(redis_unit(each, options))
    for name in sentinels:
        ours.setdefault(everyone[name].machine, []).append(SENTINEL)
    runs = {each.name for each in instances}
    found = {}
    for name, each in everyone.items():
        claims = {**{what: list(empty or []) for what, empty in EMPTY.items()}, "host": name, "clusters": None}
        claims["ours"] = sorted(set(ours.get(each.machine, [])))
        if name in runs:
            _instance(claims, each, options)
        if name in sentinels:
            _sentinel(claims, each, options)
        claims["names"] = sorted({*_names(each, everyone, deployments), *_bound_names(claims)})
        if name in runs | sentinels:
            found[name] = claims
    return found


def redis_unit(instance, options):
    name = instance.get("redis_instance", options)
    return f"redis-server{f'@{name}' if name else ''}.service"


def _instance(claims, each, options):
    claims["ports"].append(_port(each, "redis_port", each.get("redis_port", options), each.bind()))
    for layer, values in each.layers().items():
        if integer(values.get("tls-port"), 0):
            where = label_of(each, (layer, "tls-port"), f"tls-port in {layer}")
            claims["ports"].append(
                {
                    "label": where,
                    "variable": "tls-port",
                    "port": integer(values["tls-port"], 0),
                    "addresses": each.bind(),
                }
            )
        if values.get("bind-source-addr"):
            where = label_of(each, (layer, "bind-source-addr"), f"bind-source-addr in {layer}")
            claims["binds"].append(_bind(where, "bind-source-addr", [values["bind-source-addr"]], is_list=False))
    name = each.get("redis_instance", options)
    folder = each.values.get("redis_data_dir") or f"/var/lib/redis{f'/{name}' if name else ''}"
    claims["folders"].append(
        {"label": label_of(each, "redis_data_dir"), "variable": "redis_data_dir", "path": str(folder)}
    )
    claims["units"].append(
        {
            "label": label_of(each, "redis_instance"),
            "unit": redis_unit(each, options),
            "program": "/usr/bin/redis-server",
            "conf": f"/etc/redis/redis{f'-{name}' if name else ''}.conf",
            "user": "redis",
            "variables": OPTIONS,
        }
    )
    claims["binds"].append(_bind(label_of(each, "redis_bind"), "redis_bind", each.bind()))


def _sentinel(claims, each, options):
    bind = sentinel_bind(each)
    claims["ports"].append(_port(each, "redis_sentinel_port", each.get("redis_sentinel_port", options), bind))
    claims["units"].append(
        {
            "label": "redis_sentinel",
            "unit": SENTINEL,
            "program": "/usr/bin/redis-sentinel",
            "conf": "/etc/redis/sentinel.conf",
            "user": "redis",
            "variables": SENTINEL_OPTIONS,
        }
    )
    claims["binds"].append(_bind(label_of(each, "redis_sentinel_bind"), "redis_sentinel_bind", bind))


def sentinel_bind(each):
    bind = each.values.get("redis_sentinel_bind")
    return [str(address) for address in bind] if isinstance(bind, list) else ["127.0.0.1", str(each.address())]


def _port(host, variable, port, addresses):
    return {
        "label": label_of(host, variable),
        "variable": variable,
        "port": integer(port, 0),
        "addresses": list(addresses),
    }


def _bind(label, variable, addresses, is_list=True):
    # with a - before it, the server goes without where the machine lacks it
    needed = [str(each) for each in addresses if not str(each).startswith("-") and str(each) not in ("*", "::*")]
    return {"label": label, "variable": variable, "addresses": needed, "is_list": is_list}


def _names(each, everyone, deployments):
    """Return the names in the deployments that have an instance or a Sentinel on the machine."""
    for deployment in deployments.values():
        members = [*deployment["nodes"], *deployment["sentinels"]]
        if any(everyone[member["host"]].machine == each.machine for member in members):
            yield from (member["address"] for member in members if is_name(member["address"]))


def _bound_names(claims):
    addresses = [each for bind in claims["binds"] for each in bind["addresses"]]
    return [each for each in addresses if is_name(each)]


def of_citus(nodes, options):
    """Return {host: claims} of the nodes of a cluster that are to be there."""
    present = [node for node in nodes if node.get("citus_node_state", options) != "absent"]
    names = sorted({node.address() for node in present if is_name(node.address())})
    found = {}
    for node in present:
        here = [each for each in nodes if each.machine == node.machine]
        bind = citus_bind(node)
        bound = _bind(label_of(node, "citus_bind"), "citus_bind", bind)
        found[node.name] = {
            **EMPTY,
            "host": node.name,
            "ours": [f"postgresql@{_cluster(each, options).replace('/', '-')}.service" for each in here],
            "clusters": [_cluster(each, options) for each in here],
            "ports": [_port(node, "citus_port", node.get("citus_port", options), bind)],
            "folders": [
                {
                    "label": label_of(node, "citus_data_dir"),
                    "variable": "citus_data_dir",
                    "path": node.values.get("citus_data_dir") or f"/var/lib/postgresql/{_cluster(node, options)}",
                }
            ],
            "units": [
                {
                    "label": label_of(node, "citus_cluster"),
                    "unit": f"postgresql@{_cluster(node, options).replace('/', '-')}.service",
                    "program": "/usr/bin/pg_ctlcluster",
                }
            ],
            "binds": [bound],
            "names": sorted({*(names if len(present) > 1 else []), *_bound_names({"binds": [bound]})}),
        }
    return found


def citus_bind(node):
    bind = node.values.get("citus_bind")
    return [str(each) for each in bind] if isinstance(bind, list) else ["127.0.0.1", node.address()]


def _cluster(node, options):
    return f"{node.get('postgresql_version', options)}/{node.get('citus_cluster', options)}"


# The units of the packages, the variable that has the port of each, and its program.
EXPORTERS = {
    "node": ("prometheus-node-exporter", "monitoring_node_port"),
    "redis": ("prometheus-redis-exporter", "monitoring_redis_port"),
    "postgresql": ("prometheus-postgres-exporter", "monitoring_postgresql_port"),
}
PROMETHEUS = (("prometheus", "monitoring_prometheus_port"), ("prometheus-alertmanager", "monitoring_alertmanager_port"))


EXPORTERS_PASSWORD = {
    "path": "/etc/cistern/cistern-exporter.password",
    "made_by": "playbooks/redis.yml with this machine in the group monitoring",
}


def of_monitoring(hosts, options):
    """Return {host: claims} of what the machine of an inventory host runs."""
    return {
        host.name: _monitoring(host, [each for each in hosts if each.machine == host.machine], options)
        for host in hosts
    }


def _monitoring(host, members, options):
    has = {"node": True, "redis": any(each.instance or each.sentinel for each in members)}
    has["postgresql"] = any(each.node for each in members)
    bind = str(host.get("monitoring_bind", options))
    watches = any(each.watches for each in members)
    runs = [(*EXPORTERS[name], [host.address()]) for name in EXPORTERS if has[name]]
    runs += [(*each, [bind]) for each in PROMETHEUS] if watches else []
    binds = [_bind(label_of(host, "monitoring_address"), "monitoring_address", [host.address()], is_list=False)]
    binds += [_bind(label_of(host, "monitoring_bind"), "monitoring_bind", [bind], is_list=False)] if watches else []
    return {
        **EMPTY,
        "host": host.name,
        "ours": [f"{program}.service" for program, _variable, _addresses in runs],
        "ports": [_port(host, variable, host.get(variable, options), where) for _program, variable, where in runs],
        "units": [
            {"label": variable, "unit": f"{program}.service", "program": f"/usr/bin/{program}"}
            for program, variable, _addresses in runs
        ],
        "binds": binds,
        "needs": [EXPORTERS_PASSWORD] if has["redis"] else [],
    }
