"""What is wrong between the instances of a deployment: primaries, links, lag. Pure."""

from ansible_collections.cistern.core.plugins.module_utils.host.formatting import size
from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.module_utils.redis.topology import endpoint_key
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import (
    cli,
    count_text,
    hosts_text,
    seconds_text,
    word,
)


def judge(case):
    """Yield findings."""
    for name, deployment in case.want["deployments"].items():
        if modes.of_deployment(deployment).replicated:
            yield from _deployment(case, name, deployment)


def infos(case, deployment):
    """Return {host: INFO} of the instances that reported theirs."""
    reported = {
        node["host"]: (case.reported(node["host"], "redis") or {}).get("later", {}) for node in deployment["nodes"]
    }
    return {host: info for host, info in reported.items() if "role" in info}


def primaries(case, deployment):
    return [host for host, info in infos(case, deployment).items() if info["role"] == "master"]


def _deployment(case, name, deployment):
    observed = [node["host"] for node in deployment["nodes"] if node["host"] in case.evidence]
    found, endpoints = infos(case, deployment), {node["host"]: node["endpoint"] for node in deployment["nodes"]}
    if not observed:
        return
    masters = primaries(case, deployment)
    parts = {host: "primary" if info["role"] == "master" else "replica" for host, info in found.items()}
    parts.update({host: "silent" for host in observed if host not in found})
    everyone = len(observed) == len(deployment["nodes"])
    if not masters and everyone:
        fix = case.play("redis")
        if modes.of_deployment(deployment).has_sentinels and deployment["sentinels"]:
            # the host of the finding may run none
            address, _sep, port = deployment["sentinels"][0]["endpoint"].rpartition(" ")
            fix = cli({"addresses": [address], "port": int(port)}, f"sentinel master {word(name)}")
        yield case.found("replication-no-primary", observed[0], f"No instance of {name} is primary.", parts, fix)
    if len(masters) > 1:
        with_replicas = [host for host in masters if found[host].get("connected_slaves")]
        lone = [host for host in masters if host not in with_replicas] or masters[1:]
        of = endpoints[next(host for host in masters if host != lone[0])]
        server = case.want["hosts"][lone[0]]["redis"]
        fix = case.play("redis") if modes.of_deployment(deployment).has_sentinels else cli(server, f"replicaof {of}")
        message = f"{name} has {len(masters)} primaries, {hosts_text(masters)}: each takes writes that the others lack."
        yield case.found("replication-two-primaries", lone[0], message, parts, fix)
    for host, info in found.items():
        want = case.want["hosts"][host]["redis"]
        if info["role"] == "master":
            yield from _primary(case, host, want, deployment, info)
        else:
            yield from _replica(case, host, want, deployment, info, found, masters)


def _primary(case, host, want, deployment, info):
    need = int(case.reported(host, "redis").get("config", {}).get("min-replicas-to-write") or 0)
    good = info.get("min_slaves_good_slaves", 0)
    if need and good < need:
        evidence = {"min-replicas-to-write": count_text(need, "replica"), "good": count_text(good, "replica")}
        fix = cli(want, "info replication")
        message = "The primary refuses writes (NOREPLICAS): too few replicas follow it closely."
        yield case.found("replication-min-replicas", host, message, evidence, fix)
    known = {node["endpoint"] for node in deployment["nodes"]}
    attached = [dict(part.split("=") for part in str(info[key]).split(",")) for key in info if _is_replica(key)]
    strangers = [
        endpoint_key(each["ip"], each["port"])
        for each in attached
        if endpoint_key(each["ip"], each["port"]) not in known
    ]
    if strangers:
        message = "A replica that the inventory lacks follows this primary."
        fix = cli(want, "info replication")
        yield case.found("replication-stranger", host, message, {"replicas": hosts_text(strangers)}, fix)


def _is_replica(key):
    return key.startswith("slave") and key[5:].isdigit()


def _replica(case, host, want, deployment, info, found, masters):
    hosts = {node["endpoint"]: node["host"] for node in deployment["nodes"]}
    of = endpoint_key(info["master_host"], info["master_port"])
    log = f"tail --lines 30 {want['log']}"
    whom = hosts.get(of, of)
    if whom not in hosts.values() or (whom in found and whom not in masters):
        message = f"The replica follows {whom}, which is no primary of the deployment."
        yield case.found("replication-wrong-primary", host, message, {"follows": of}, case.play("redis", limit=host))
    elif info.get("master_sync_in_progress"):
        yield case.found("replication-syncing", host, f"The replica copies all data of {whom}.", {}, log)
    elif info.get("master_link_status") != "up":
        # the primary is the finding where it does not run
        if case.serves(whom, "redis") is False:
            return
        down = info.get("master_link_down_since_seconds", -1)
        evidence = {"primary": of, "down for": seconds_text(down) if isinstance(down, int) and down >= 0 else ""}
        yield case.found(
            "replication-link-down", host, f"The replica has no link to its primary {whom}.", evidence, log
        )
    else:
        behind = found.get(whom, {}).get("master_repl_offset", 0) - info.get("slave_repl_offset", 0)
        silent = info.get("master_last_io_seconds_ago", 0)
        late = behind > case.limits["replica_behind_mb"] * (1 << 20)
        if late or silent > case.limits["replica_silent_seconds"]:
            evidence = {"behind": size(max(behind, 0)), "last word of its primary": f"{silent} s ago"}
            yield case.found("replication-lag", host, f"The replica is behind its primary {whom}.", evidence, log)
