"""What is wrong with the .env of an application, and with what its host reaches of Redis. Pure."""

from ansible_collections.cistern.core.plugins.module_utils.redis.topology import endpoint_key
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import hosts_text, knock, word
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings.replication import primaries


def judge(case):
    """Yield findings."""
    for host, want, state in case.having("app"):
        yield from _file(case, host, want, state)
        if state["exists"]:
            yield from _sentinels(case, host, state)
            yield from _servers(case, host, state)
            yield from _far(case, host, state)


def _file(case, host, want, state):
    fix = case.play("app_env", limit=host)
    if not state["exists"]:
        yield case.found("env-missing", host, f"{want['path']} cannot be read.", {"why": state.get("why")}, fix)
        return
    if state["wrong_lines"] or state.get("unreadable"):
        lines = hosts_text(str(number) for number in state["wrong_lines"])
        message = f"{want['path']} has what an application cannot read."
        yield case.found("env-unreadable", host, message, {"lines": lines}, fix)
    if state["missing"]:
        yield case.found(
            "env-incomplete", host, f"{want['path']} lacks keys.", {"keys": hosts_text(state["missing"])}, fix
        )
    if state["differs"]:
        evidence = {"keys": hosts_text(state["differs"]), **_shown(state)}
        yield case.found("env-differs", host, f"{want['path']} says something else than the inventory.", evidence, fix)
    if int(state["mode"], 8) & 0o007:
        evidence = {"mode": state["mode"]}
        text = f"Everybody on the host may read {want['path']}, which has passwords."
        yield case.found("env-open", host, text, evidence, f"chmod o= {word(want['path'])}")


def _shown(state):
    return {name: value for name, value in state["shown"].items() if name in state["differs"]}


def _sentinels(case, host, state):
    """The Sentinels of the file: what of them is down is a finding of their own host."""
    ends, fix = state["sentinels"], case.play("app_env", limit=host)
    if state.get("kind") != "sentinel":
        return
    refused = [end for end, each in ends.items() if each.get("login") == "refused"]
    silent = [end for end, each in ends.items() if not each["connects"]]
    known_primaries = {end: each["names"] for end, each in ends.items() if each.get("names")}
    if refused:
        evidence = {"refused by": hosts_text(refused), "says": ends[refused[0]].get("words")}
        text = "The Sentinels refuse REDIS_SENTINEL_PASSWORD of the .env."
        yield case.found("env-sentinel-password-refused", host, text, evidence, fix)
    elif ends and not known_primaries and len(silent) < len(ends):
        evidence = {"REDIS_SENTINEL_MASTER": state["shown"].get("REDIS_SENTINEL_MASTER", "")}
        yield case.found(
            "env-sentinel-master", host, "No Sentinel knows REDIS_SENTINEL_MASTER of the .env.", evidence, fix
        )
    unexplained = [end for end in silent if _answers_at_home(case, end) is not False]
    evidence = {end: ends[end].get("why") for end in silent}
    if silent and len(silent) == len(ends):
        text = "The application reaches no Sentinel, and so finds no primary."
        yield case.found("env-no-sentinel", host, text, evidence, f"nc -vz {silent[0].replace(':', ' ')}")
    elif unexplained:
        text = f"The application does not reach the Sentinel {hosts_text(unexplained)}."
        fix = knock(unexplained[0])
        yield case.found("env-sentinel-unreachable", host, text, evidence, fix)
    if len(set(known_primaries.values())) > 1:
        text = "The Sentinels of the .env name different primaries."
        yield case.found("env-sentinels-disagree", host, text, known_primaries, fix)


def _answers_at_home(case, end, part="sentinel"):
    """Whether the server at an endpoint answers on its own host; None where nobody can say."""
    address, _sep, port = end.replace(" ", ":").rpartition(":")
    endpoint = endpoint_key(address.strip("[]"), port)
    kind = "sentinels" if part == "sentinel" else "nodes"
    for deployment in case.want["deployments"].values():
        for each in deployment[kind]:
            if each["endpoint"] == endpoint:
                return case.serves(each["host"], part)
    return None


def _servers(case, host, state):
    fix = case.play("app_env", limit=host)
    if state.get("kind") == "none":
        text = "REDIS_URL of the .env names no server."
        yield case.found("env-no-server", host, text, {"REDIS_URL": state["url"]}, fix)
    for end, each in state["redis"].items():
        if not each["connects"]:
            if _answers_at_home(case, end, "redis") is not False:
                text = f"The application does not reach Redis at {end}."
                yield case.found("env-redis-unreachable", host, text, {"why": each["why"]}, knock(end))
        elif each["login"] == "refused":
            text = f"Redis at {end} refuses REDIS_PASSWORD of the .env."
            yield case.found("env-password-refused", host, text, {"says": each["words"]}, fix)
        elif each["login"] == "protected":
            text = f"Redis at {end} is in protected mode and refuses the application."
            yield case.found("env-redis-protected", host, text, {"says": each["words"]}, case.play("redis"))
        elif each["role"] == "slave":
            text = f"The .env sends writes to {end}, which is a replica."
            primary = _primary(case, end)
            fix = case.play("app_env", *([f"-e {word(f'app_env_primary={primary}')}"] if primary else []))
            yield case.found("env-not-primary", host, text, {"role": "replica", "primary": primary}, fix)
    for end, each in state["replicas"].items():
        if not each["connects"] and _answers_at_home(case, end, "redis") is not False:
            text = f"The application does not reach the replica {end}."
            fix = knock(end)
            yield case.found("env-replica-unreachable", host, text, {"why": each["why"]}, fix)


def _primary(case, end):
    """Return the host that is primary of the deployment with a server at an endpoint, '' where nobody knows."""
    for deployment in case.want["deployments"].values():
        if end in [node["endpoint"] for node in deployment["nodes"]]:
            return next(iter(primaries(case, deployment)), "")
    return ""


def _far(case, host, state):
    ends = {**state["sentinels"], **state["redis"], **state["replicas"]}
    slow = {end: each["ms"] for end, each in ends.items() if each.get("ms", 0) >= case.limits["connect_ms"]}
    if slow:
        evidence = {end: f"{ms} ms" for end, ms in slow.items()}
        text = "It takes the application long to connect: the network is slow."
        yield case.found(
            "env-connect-slow", host, text, evidence, f"ping -c 5 {next(iter(slow)).split()[0].split(':')[0]}"
        )
