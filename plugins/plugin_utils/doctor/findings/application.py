"""What is wrong with the .env of an application, and with what its host reaches of Redis. Pure."""

from ansible_collections.cistern.core.plugins.module_utils.redis.topology import endpoint_key
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import hosts_text, knock, word
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings.replication import primaries


def judge(case):
    """Yield findings."""
    for host, want, says in case.having("app"):
        yield from _file(case, host, want, says)
        if says["exists"]:
            yield from _sentinels(case, host, says)
            yield from _servers(case, host, says)
            yield from _far(case, host, says)


def _file(case, host, want, says):
    mend = case.play("app_env", limit=host)
    if not says["exists"]:
        yield case.found("env-missing", host, f"{want['path']} cannot be read.", {"why": says.get("why")}, mend)
        return
    if says["wrong_lines"] or says.get("unreadable"):
        lines = hosts_text(str(number) for number in says["wrong_lines"])
        says_what = f"{want['path']} has what an application cannot read."
        yield case.found("env-unreadable", host, says_what, {"lines": lines}, mend)
    if says["missing"]:
        yield case.found(
            "env-incomplete", host, f"{want['path']} lacks keys.", {"keys": hosts_text(says["missing"])}, mend
        )
    if says["differs"]:
        evidence = {"keys": hosts_text(says["differs"]), **_shown(says)}
        yield case.found("env-differs", host, f"{want['path']} says something else than the inventory.", evidence, mend)
    if int(says["mode"], 8) & 0o007:
        evidence = {"mode": says["mode"]}
        text = f"Everybody on the host may read {want['path']}, which has passwords."
        yield case.found("env-open", host, text, evidence, f"chmod o= {word(want['path'])}")


def _shown(says):
    return {name: value for name, value in says["shown"].items() if name in says["differs"]}


def _sentinels(case, host, says):
    """The Sentinels of the file: what of them is down is a finding of their own host."""
    ends, mend = says["sentinels"], case.play("app_env", limit=host)
    if says.get("kind") != "sentinel":
        return
    refused = [end for end, each in ends.items() if each.get("login") == "refused"]
    silent = [end for end, each in ends.items() if not each["connects"]]
    named = {end: each["names"] for end, each in ends.items() if each.get("names")}
    if refused:
        evidence = {"refused by": hosts_text(refused), "says": ends[refused[0]].get("words")}
        text = "The Sentinels refuse REDIS_SENTINEL_PASSWORD of the .env."
        yield case.found("env-sentinel-password-refused", host, text, evidence, mend)
    elif ends and not named and len(silent) < len(ends):
        evidence = {"REDIS_SENTINEL_MASTER": says["shown"].get("REDIS_SENTINEL_MASTER", "")}
        yield case.found(
            "env-sentinel-master", host, "No Sentinel knows REDIS_SENTINEL_MASTER of the .env.", evidence, mend
        )
    unexplained = [end for end in silent if _answers_at_home(case, end) is not False]
    evidence = {end: ends[end].get("why") for end in silent}
    if silent and len(silent) == len(ends):
        text = "The application reaches no Sentinel, and so finds no primary."
        yield case.found("env-no-sentinel", host, text, evidence, f"nc -vz {silent[0].replace(':', ' ')}")
    elif unexplained:
        text = f"The application does not reach the Sentinel {hosts_text(unexplained)}."
        mend = knock(unexplained[0])
        yield case.found("env-sentinel-unreachable", host, text, evidence, mend)
    if len(set(named.values())) > 1:
        text = "The Sentinels of the .env name different primaries."
        yield case.found("env-sentinels-disagree", host, text, named, mend)


def _answers_at_home(case, end, part="sentinel"):
    """Whether the server at a place answers on its own host; None where nobody can say."""
    address, _sep, port = end.replace(" ", ":").rpartition(":")
    at = endpoint_key(address.strip("[]"), port)
    kind = "sentinels" if part == "sentinel" else "nodes"
    for deployment in case.want["deployments"].values():
        for each in deployment[kind]:
            if each["place"] == at:
                return case.serves(each["host"], part)
    return None


def _servers(case, host, says):
    mend = case.play("app_env", limit=host)
    if says.get("kind") == "none":
        text = "REDIS_URL of the .env names no server."
        yield case.found("env-no-server", host, text, {"REDIS_URL": says["url"]}, mend)
    for end, each in says["redis"].items():
        if not each["connects"]:
            if _answers_at_home(case, end, "redis") is not False:
                text = f"The application does not reach Redis at {end}."
                yield case.found("env-redis-unreachable", host, text, {"why": each["why"]}, knock(end))
        elif each["login"] == "refused":
            text = f"Redis at {end} refuses REDIS_PASSWORD of the .env."
            yield case.found("env-password-refused", host, text, {"says": each["words"]}, mend)
        elif each["login"] == "protected":
            text = f"Redis at {end} is in protected mode and refuses the application."
            yield case.found("env-redis-protected", host, text, {"says": each["words"]}, case.play("redis"))
        elif each["role"] == "slave":
            text = f"The .env sends writes to {end}, which is a replica."
            lead = _primary(case, end)
            mend = case.play("app_env", *([f"-e {word(f'app_env_primary={lead}')}"] if lead else []))
            yield case.found("env-not-primary", host, text, {"role": "replica", "primary": lead}, mend)
    for end, each in says["replicas"].items():
        if not each["connects"] and _answers_at_home(case, end, "redis") is not False:
            text = f"The application does not reach the replica {end}."
            mend = knock(end)
            yield case.found("env-replica-unreachable", host, text, {"why": each["why"]}, mend)


def _primary(case, end):
    """Return the host that is primary of the deployment with a server at a place, '' where nobody knows."""
    for deployment in case.want["deployments"].values():
        if end in [node["place"] for node in deployment["nodes"]]:
            return next(iter(primaries(case, deployment)), "")
    return ""


def _far(case, host, says):
    ends = {**says["sentinels"], **says["redis"], **says["replicas"]}
    slow = {end: each["ms"] for end, each in ends.items() if each.get("ms", 0) >= case.limits["connect_ms"]}
    if slow:
        evidence = {end: f"{ms} ms" for end, ms in slow.items()}
        text = "It takes the application long to connect: the network is slow."
        yield case.found(
            "env-connect-slow", host, text, evidence, f"ping -c 5 {next(iter(slow)).split()[0].split(':')[0]}"
        )
