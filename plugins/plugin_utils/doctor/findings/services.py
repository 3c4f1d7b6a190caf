"""What is wrong with a server as a service: of Redis, Sentinel and PostgreSQL alike. Pure."""

from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import count_text, hosts_text, word

NAMES = {"redis": "Redis", "sentinel": "Sentinel", "citus": "PostgreSQL"}
PLAYS = {"redis": "redis", "sentinel": "redis", "citus": "citus"}


def judge(case):
    """Yield findings."""
    for part in NAMES:
        for host, want, state in case.having(part):
            yield from _unit(case, part, host, want, state)
            if state["unit"]["active"] == "active":
                yield from _listens(case, part, host, want, state)
            if "file" in state:
                yield from _file(case, part, host, want, state)


def _unit(case, part, host, want, state):
    unit = state["unit"]
    log = unit.get("log") or unit.get("journal")
    evidence = {
        "unit": want["unit"],
        "state": f"{unit['active']} ({unit.get('sub', '')})",
        "result": unit.get("result") if unit.get("result") != "success" else "",
        "last lines": log,
    }
    fix = case.play(PLAYS[part], limit=host)
    running = unit["active"] in ("active", "reloading")
    name = NAMES[part]
    if unit["load"] == "not-found":
        yield case.found(f"{part}-missing", host, f"{name} is not installed.", {"unit": want["unit"]}, fix)
    elif unit["active"] == "failed" or unit.get("sub") == "auto-restart":
        yield case.found(
            f"{part}-failed",
            host,
            f"{want['unit']} has failed and does not run.",
            evidence,
            fix if part != "citus" else f"systemctl restart {word(want['unit'])}",
        )
    elif not running:
        state_text = {"activating": "is starting", "deactivating": "is stopping"}.get(unit["active"], "is stopped")
        fix = f"systemctl start {word(want['unit'])}"
        yield case.found(f"{part}-stopped", host, f"{want['unit']} {state_text}.", evidence, fix)
    elif unit.get("restarts"):
        evidence = {"restarts": count_text(unit["restarts"], "time"), "last lines": log}
        fix = f"journalctl --unit {word(want['unit'])} --lines 100; systemctl reset-failed {word(want['unit'])}"
        yield case.found(f"{part}-restarted", host, f"{want['unit']} was started again by systemd.", evidence, fix)
    # an indirect or generated unit is started by another one
    if unit["load"] == "loaded" and unit["enabled"] == "disabled":
        evidence = {"unit": want["unit"], "at boot": unit["enabled"]}
        yield case.found(
            f"{part}-not-enabled",
            host,
            f"{want['unit']} does not start at boot.",
            evidence,
            f"systemctl enable {word(want['unit'])}",
        )


def _listens(case, part, host, want, state):
    """Tell of the addresses where clients connect and nobody answers, or somebody else does."""
    at_port = [each for each in state["sockets"] if each["port"] == want["port"]]
    own = [each for each in at_port if each["pid"] in (0, state["unit"]["pid"]) or part == "citus"]
    strangers = [each for each in at_port if each not in own]
    if strangers and not own:
        who = strangers[0]
        yield case.found(
            f"{part}-port-taken",
            host,
            f"Port {want['port']} belongs to another program.",
            {"program": f"{who['program']} (process {who['pid']})"},
            f"ss --listening --tcp --numeric --processes 'sport = :{want['port']}'",
        )
        return
    bound = {each["address"] for each in own}
    # a server that hangs still has its sockets
    missing = [
        address
        for address in want["addresses"]
        if not bound & {"*", "0.0.0.0", "::", address} and not _connects(state, address, want["port"])
    ]
    if missing:
        elsewhere = [f"{each['address']} port {each['port']}" for each in state["sockets"]]
        yield case.found(
            f"{part}-not-listening",
            host,
            f"{NAMES[part]} runs and does not listen on {hosts_text(missing)} port {want['port']}, where clients go.",
            {"listens on": hosts_text(dict.fromkeys(elsewhere)) or "nothing"},
            case.play(PLAYS[part], limit=host),
        )


def _connects(state, address, port):
    return state["endpoints"].get(f"{address} {port}", {}).get("connects")


def _file(case, part, host, want, state):
    file = state["file"]
    fix = case.play(PLAYS[part], limit=host)
    if not file["exists"] and state["unit"]["load"] != "not-found":
        yield case.found(f"{part}-conf-broken", host, f"{want['conf']} cannot be read.", {"why": file.get("why")}, fix)
    if file.get("problem"):
        yield case.found(
            f"{part}-conf-broken",
            host,
            f"{NAMES[part]} would not start with its {want['conf']}.",
            {"why": file["problem"]},
            fix,
        )
    if file["exists"] and int(file["mode"], 8) & 0o007:
        yield case.found(
            f"{part}-conf-open",
            host,
            f"Everybody on the host may read {want['conf']}, which has passwords.",
            {"mode": file["mode"]},
            f"chmod o= {word(want['conf'])}",
        )
