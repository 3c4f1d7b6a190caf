"""What is wrong with how a server lets clients in, and with its version: Redis and Sentinel alike. Pure."""

from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import cli, hosts_text, word
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings.services import NAMES

VARIABLES = {"redis": "redis_password", "sentinel": "redis_sentinel_password"}


def judge(case):
    """Yield findings."""
    for part in VARIABLES:
        for host, want, state in case.having(part):
            if state["unit"]["active"] == "active":
                yield from _lets_in(case, part, host, want, state)
                yield from _version(case, part, host, want, state)
    for host, want, state in case.having("redis"):
        if state.get("drift"):
            yield case.found(
                "redis-drift",
                host,
                "The running server differs from its redis.conf.",
                {"directives": hosts_text(state["drift"])},
                case.drift(host),
            )
        if state["answers"] and state.get("info", {}).get("loading"):
            fix = cli(want, "info persistence | grep ^loading")
            yield case.found("redis-loading", host, "The server still reads its data, and serves nobody.", {}, fix)
    yield from _versions(case)


def _lets_in(case, part, host, want, state):
    name, variable = NAMES[part], VARIABLES[part]
    login, connects = state["login"], any(each["connects"] for each in state["endpoints"].values())
    fix = case.play("redis", limit=host)
    if login == "refused":
        by_file = state["file"].get("password")
        evidence = {
            "says": state.get("words"),
            want["conf"]: {True: "has the password of the inventory", False: "has another one too"}.get(by_file),
        }
        yield case.found(
            f"{part}-password-refused", host, f"{name} refuses {variable} of the inventory.", evidence, fix
        )
    elif login == "not needed":
        yield case.found(f"{part}-open", host, f"{name} asks nobody for a password.", {"says": state.get("words")}, fix)
    elif login == "protected":
        yield case.found(
            f"{part}-protected",
            host,
            f"{name} is in protected mode, and refuses everybody but its own machine.",
            {"says": state.get("words")},
            fix,
        )
    elif login == "busy":
        yield case.found(
            "redis-busy", host, "A script holds the server up.", {"says": state.get("words")}, cli(want, "script kill")
        )
    elif connects and not state["answers"]:
        yield case.found(
            f"{part}-hangs",
            host,
            f"{name} takes connections and does not answer.",
            {"why": state["why"]},
            f"journalctl --unit {word(want['unit'])} --lines 50",
        )
    elif not state["answers"] and state["unit"]["active"] == "active" and not state["endpoints"]:
        return
    if part == "redis" and state.get("config", {}).get("protected-mode") == "no":
        fix = cli(want, "config set protected-mode yes")
        yield case.found("redis-protected-off", host, "protected-mode is off.", {}, fix)


def _running(part, state):
    return str(state.get("info", {}).get("redis_version", "") if part == "redis" else state.get("version", ""))


def _version(case, part, host, want, state):
    running = _running(part, state)
    if state["unit"]["replaced"] or (running and state["installed"] and running != state["installed"]):
        deployment = want.get("deployment", "")
        rolling = part == "redis" and modes.of(want.get("mode")).replicated
        fix = case.play("redis_restart", f"-e {word(f'redis_restart={deployment}')}")
        yield case.found(
            f"{part}-restart-pending",
            host,
            f"{NAMES[part]} still runs the program from before an upgrade.",
            {"runs": running, "installed": state["installed"]},
            fix if rolling else f"systemctl restart {word(want['unit'])}",
        )


def _versions(case):
    """Versions that run side by side in a deployment, or in its Sentinels."""
    for name, deployment in case.want["deployments"].items():
        for part, ends in (("redis", deployment["nodes"]), ("sentinel", deployment["sentinels"])):
            runs = {each["host"]: _running(part, case.reported(each["host"], part) or {}) for each in ends}
            runs = {host: version for host, version in runs.items() if version}
            if len(set(runs.values())) > 1:
                newest = max(runs.values(), key=_parts)
                old = [host for host, version in runs.items() if version != newest]
                yield case.found(
                    f"{part}-versions-differ",
                    old[0],
                    f"The {NAMES[part]} versions of {name} differ: {hosts_text(old)} behind the others.",
                    dict(runs),
                    case.play("redis"),
                )


def _parts(version):
    return [int(part) for part in version.split(".") if part.isdigit()]
