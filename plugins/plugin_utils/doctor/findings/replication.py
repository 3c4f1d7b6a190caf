"""What is wrong between the instances of a deployment: primaries, links, lag. Pure."""

from ansible_collections.cistern.core.plugins.module_utils.redis.topology import endpoint_key
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import (
    bytes_text,
    cli,
    count_text,
    hosts_text,
    seconds_text,
    word,
)


def judge(case):
    """Yield findings."""
    for name, deployment in case.want["deployments"].items():
        if deployment["mode"] in ("replication", "sentinel"):
            yield from _deployment(case, name, deployment)


def infos(case, deployment):
    """Return {host: INFO} of the instances that told theirs."""
    told = {node["host"]: (case.told(node["host"], "redis") or {}).get("later", {}) for node in deployment["nodes"]}
    return {host: info for host, info in told.items() if "role" in info}


def primaries(case, deployment):
    return [host for host, info in infos(case, deployment).items() if info["role"] == "master"]


def _deployment(case, name, deployment):
    asked = [node["host"] for node in deployment["nodes"] if node["host"] in case.evidence]
    found, places = infos(case, deployment), {node["host"]: node["place"] for node in deployment["nodes"]}
    if not asked:
        return
    leads = primaries(case, deployment)
    parts = {host: "primary" if info["role"] == "master" else "replica" for host, info in found.items()}
    parts.update({host: "silent" for host in asked if host not in found})
    everyone = len(asked) == len(deployment["nodes"])
    if not leads and everyone:
        mend = case.play("redis")
        if deployment["mode"] == "sentinel" and deployment["sentinels"]:
            # the host of the finding may run none
            address, _sep, port = deployment["sentinels"][0]["place"].rpartition(" ")
            mend = cli({"addresses": [address], "port": int(port)}, f"sentinel master {word(name)}")
        yield case.found("replication-no-primary", asked[0], f"No instance of {name} is primary.", parts, mend)
    if len(leads) > 1:
        with_replicas = [host for host in leads if found[host].get("connected_slaves")]
        lone = [host for host in leads if host not in with_replicas] or leads[1:]
        of = places[next(host for host in leads if host != lone[0])]
        at = case.want["hosts"][lone[0]]["redis"]
        mend = case.play("redis") if deployment["mode"] == "sentinel" else cli(at, f"replicaof {of}")
        says = f"{name} has {len(leads)} primaries, {hosts_text(leads)}: each takes writes that the others lack."
        yield case.found("replication-two-primaries", lone[0], says, parts, mend)
    for host, info in found.items():
        want = case.want["hosts"][host]["redis"]
        if info["role"] == "master":
            yield from _primary(case, host, want, deployment, info)
        else:
            yield from _replica(case, host, want, deployment, info, found, leads)


def _primary(case, host, want, deployment, info):
    need = int(case.told(host, "redis").get("config", {}).get("min-replicas-to-write") or 0)
    good = info.get("min_slaves_good_slaves", 0)
    if need and good < need:
        evidence = {"min-replicas-to-write": count_text(need, "replica"), "good": count_text(good, "replica")}
        mend = cli(want, "info replication")
        says = "The primary refuses writes (NOREPLICAS): too few replicas follow it closely."
        yield case.found("replication-min-replicas", host, says, evidence, mend)
    known = {node["place"] for node in deployment["nodes"]}
    attached = [dict(part.split("=") for part in str(info[key]).split(",")) for key in info if _is_replica(key)]
    strangers = [
        endpoint_key(each["ip"], each["port"])
        for each in attached
        if endpoint_key(each["ip"], each["port"]) not in known
    ]
    if strangers:
        says = "A replica that the inventory lacks follows this primary."
        mend = cli(want, "info replication")
        yield case.found("replication-stranger", host, says, {"replicas": hosts_text(strangers)}, mend)


def _is_replica(key):
    return key.startswith("slave") and key[5:].isdigit()


def _replica(case, host, want, deployment, info, found, leads):
    hosts = {node["place"]: node["host"] for node in deployment["nodes"]}
    of = endpoint_key(info["master_host"], info["master_port"])
    log = f"tail --lines 30 {want['log']}"
    whom = hosts.get(of, of)
    if whom not in hosts.values() or (whom in found and whom not in leads):
        says = f"The replica follows {whom}, which is no primary of the deployment."
        yield case.found("replication-wrong-primary", host, says, {"follows": of}, case.play("redis", limit=host))
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
            evidence = {"behind": bytes_text(max(behind, 0)), "last word of its primary": f"{silent} s ago"}
            yield case.found("replication-lag", host, f"The replica is behind its primary {whom}.", evidence, log)
