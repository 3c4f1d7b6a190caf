"""What is wrong with how a server lets clients in, and with its version: Redis and Sentinel alike. Pure."""

from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import cli, hosts_text, word
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings.services import NAMES

VARIABLES = {"redis": "redis_password", "sentinel": "redis_sentinel_password"}


def judge(case):
    """Yield findings."""
    for part in VARIABLES:
        for host, want, says in case.having(part):
            if says["unit"]["active"] == "active":
                yield from _lets_in(case, part, host, want, says)
                yield from _version(case, part, host, want, says)
    for host, want, says in case.having("redis"):
        if says.get("drift"):
            yield case.found(
                "redis-drift",
                host,
                "The running server differs from its redis.conf.",
                {"directives": hosts_text(says["drift"])},
                case.drift(host),
            )
        if says["answers"] and says.get("info", {}).get("loading"):
            mend = cli(want, "info persistence | grep ^loading")
            yield case.found("redis-loading", host, "The server still reads its data, and serves nobody.", {}, mend)
    yield from _versions(case)


def _lets_in(case, part, host, want, says):
    name, variable = NAMES[part], VARIABLES[part]
    login, connects = says["login"], any(each["connects"] for each in says["places"].values())
    mend = case.play("redis", limit=host)
    if login == "refused":
        by_file = says["file"].get("password")
        evidence = {
            "says": says.get("words"),
            want["conf"]: {True: "has the password of the inventory", False: "has another one too"}.get(by_file),
        }
        yield case.found(
            f"{part}-password-refused", host, f"{name} refuses {variable} of the inventory.", evidence, mend
        )
    elif login == "not needed":
        yield case.found(f"{part}-open", host, f"{name} asks nobody for a password.", {"says": says.get("words")}, mend)
    elif login == "protected":
        yield case.found(
            f"{part}-protected",
            host,
            f"{name} is in protected mode, and refuses everybody but its own machine.",
            {"says": says.get("words")},
            mend,
        )
    elif login == "busy":
        yield case.found(
            "redis-busy", host, "A script holds the server up.", {"says": says.get("words")}, cli(want, "script kill")
        )
    elif connects and not says["answers"]:
        yield case.found(
            f"{part}-hangs",
            host,
            f"{name} takes connections and does not answer.",
            {"why": says["why"]},
            f"journalctl --unit {word(want['unit'])} --lines 50",
        )
    elif not says["answers"] and says["unit"]["active"] == "active" and not says["places"]:
        return
    if part == "redis" and says.get("config", {}).get("protected-mode") == "no":
        mend = cli(want, "config set protected-mode yes")
        yield case.found("redis-protected-off", host, "protected-mode is off.", {}, mend)


def _running(part, says):
    return str(says.get("info", {}).get("redis_version", "") if part == "redis" else says.get("version", ""))


def _version(case, part, host, want, says):
    running = _running(part, says)
    if says["unit"]["replaced"] or (running and says["installed"] and running != says["installed"]):
        deployment = want.get("deployment", "")
        rolling = part == "redis" and want.get("mode") in ("replication", "sentinel")
        mend = case.play("redis_restart", f"-e {word(f'redis_restart={deployment}')}")
        yield case.found(
            f"{part}-restart-pending",
            host,
            f"{NAMES[part]} still runs the program from before an upgrade.",
            {"runs": running, "installed": says["installed"]},
            mend if rolling else f"systemctl restart {word(want['unit'])}",
        )


def _versions(case):
    """Versions that run side by side in a deployment, or in its Sentinels."""
    for name, deployment in case.want["deployments"].items():
        for part, ends in (("redis", deployment["nodes"]), ("sentinel", deployment["sentinels"])):
            runs = {each["host"]: _running(part, case.told(each["host"], part) or {}) for each in ends}
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
