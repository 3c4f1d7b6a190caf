"""What is wrong with the Sentinels of a deployment: what they see, know and could do. Pure."""

from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import cli, count_text, hosts_text, word
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings.replication import infos

LEAST = 3


def judge(case):
    """Yield findings."""
    for name, deployment in case.want["deployments"].items():
        ends = {each["host"]: each for each in deployment["sentinels"] if each["host"] in case.evidence}
        if modes.of_deployment(deployment).has_sentinels and ends:
            yield from _deployment(case, name, deployment, ends)
    for host, want, state in case.having("sentinel"):
        if state.get("tilt"):
            fix = cli(want, "info sentinel")
            yield case.found(
                "sentinel-tilt", host, "The Sentinel does not act: its clock or machine stood still.", {}, fix
            )


def _deployment(case, name, deployment, ends):
    reported = {host: case.reported(host, "sentinel") or {} for host in ends}
    knows = {host: state["monitors"][name] for host, state in reported.items() if name in state.get("monitors", {})}
    hosts = {node["endpoint"]: node["host"] for node in deployment["nodes"]}
    if len(deployment["sentinels"]) < LEAST:
        first, count = next(iter(ends)), len(deployment["sentinels"])
        text = f"{name} has {count_text(count, 'Sentinel')}: fewer than three cannot lose one."
        yield case.found("sentinel-too-few", first, text, {}, case.play("redis"))
    for host, state in reported.items():
        if state.get("answers") and name not in state["monitors"]:
            fix = case.play("redis", "--tags redis_sentinel")
            yield case.found("sentinel-not-watching", host, f"The Sentinel does not watch {name}.", {}, fix)
    able = {host for host, state in knows.items() if state["ckquorum"]}
    if knows or len(ends) == len(deployment["sentinels"]):
        yield from _quorum(case, name, deployment, ends, knows, able)
    # one that is cut off from the others says more of itself than of them
    sound = {host: state for host, state in knows.items() if host in able or not able}
    yield from _primaries(case, name, deployment, ends, sound, hosts)
    for host, state in sound.items():
        yield from _others(case, host, state, deployment, hosts)
    yield from _same_quorum(case, name, deployment, knows)


def _quorum(case, name, deployment, ends, knows, able):
    if not able:
        first = next(iter(knows), next(iter(ends)))
        answers = [host for host in ends if host in knows]
        evidence = {
            "answer": f"{len(answers)} of {len(ends)} Sentinels",
            "quorum": count_text(deployment["quorum"], "Sentinel"),
            "says": knows[first]["ckquorum_says"] if first in knows else "",
        }
        message = f"The Sentinels of {name} cannot fail over: no majority of them reaches each other."
        fix = case.play("redis", "--tags redis_sentinel")
        yield case.found("sentinel-no-quorum", first, message, evidence, fix)
        return
    for host in [each for each in knows if each not in able]:
        fix = cli(_sentinel(case, host), f"sentinel sentinels {word(name)}")
        message = f"This Sentinel of {name} does not reach enough others; they have a quorum without it."
        yield case.found("sentinel-cut-off", host, message, {"says": knows[host]["ckquorum_says"]}, fix)


def _primaries(case, name, deployment, ends, sound, hosts):
    reported_primaries = {host: hosts.get(state["primary"], state["primary"]) for host, state in sound.items()}
    running = [host for host, state in sound.items() if "failover_in_progress" in state["flags"]]
    if running:
        fix = cli(_sentinel(case, running[0]), f"sentinel master {word(name)}")
        yield case.found("sentinel-failover", running[0], f"A failover of {name} is in progress.", {}, fix)
        return
    if len(set(reported_primaries.values())) > 1:
        first = next(iter(reported_primaries))
        fix = cli(_sentinel(case, first), f"sentinel get-master-addr-by-name {word(name)}")
        message = f"The Sentinels of {name} name different primaries."
        yield case.found(
            "sentinel-disagree",
            first,
            message,
            {f"{host} names": primary for host, primary in reported_primaries.items()},
            fix,
        )
        return
    info = infos(case, deployment)
    for host, primary in list(reported_primaries.items())[:1]:
        fix = cli(_sentinel(case, host), f"sentinel master {word(name)}")
        flags = [flag for flag in ("o_down", "s_down") if any(flag in state["flags"] for state in sound.values())]
        if primary not in hosts.values():
            message = f"The Sentinels of {name} name the primary {primary}, which the inventory lacks."
            yield case.found("sentinel-stranger-primary", host, message, {"primary": primary}, fix)
        elif primary in info and info[primary]["role"] != "master":
            message = f"The Sentinels of {name} name {primary}, which says that it is a replica."
            yield case.found("sentinel-wrong-primary", host, message, {"primary": primary}, fix)
        elif flags and case.serves(primary, "redis") is not False:
            message = f"The Sentinels of {name} do not reach the primary {primary}."
            yield case.found("sentinel-primary-down", host, message, {"flags": hosts_text(flags)}, fix)


def _sentinel(case, host):
    return case.want["hosts"][host]["sentinel"]


def _others(case, host, state, deployment, hosts):
    """What a Sentinel knows of the replicas and the other Sentinels."""
    server = _sentinel(case, host)
    ends = {each["endpoint"]: each["host"] for each in deployment["sentinels"]}
    stale = [f"replica {endpoint}" for endpoint in state["replicas"] if endpoint not in hosts]
    stale += [f"Sentinel {endpoint}" for endpoint in state["sentinels"] if endpoint not in ends]
    name = deployment["name"]
    if stale:
        fix = cli(server, f"sentinel reset {word(name)}")
        text = "The Sentinel knows what the inventory lacks, and counts it in."
        yield case.found("sentinel-stale", host, text, {"knows": stale}, fix)
    own = {endpoint for endpoint, of in ends.items() if of == host}
    missing = [of for endpoint, of in ends.items() if endpoint not in state["sentinels"] and endpoint not in own]
    if missing:
        fix = cli(server, f"sentinel sentinels {word(name)}")
        text = f"The Sentinel has never heard of the one on {hosts_text(missing)}."
        yield case.found(
            "sentinel-unknown-peer", host, text, {"knows": count_text(len(state["sentinels"]), "other")}, fix
        )
    for kind, known, part in (("replica", state["replicas"], "redis"), ("sentinel", state["sentinels"], "sentinel")):
        names = hosts if part == "redis" else ends
        down = [
            names[server] for server, flags in known.items() if server in names and {"s_down", "o_down"} & set(flags)
        ]
        # those that are known to be down, or say so themselves, are findings of their own
        down = [each for each in down if case.serves(each, part) is not False and not _ill(case, each, part)]
        if down:
            fix = cli(server, f"sentinel {kind}s {word(name)}")
            what = "replica" if part == "redis" else "Sentinel"
            text = f"The Sentinel does not reach the {what} on {hosts_text(down)}, which runs."
            yield case.found(f"sentinel-{kind}-down", host, text, {"flags": "s_down"}, fix)


def _ill(case, host, part):
    """Whether something that is a finding of its own keeps others from reaching a server."""
    state = case.reported(host, part) or {}
    connections = state.get("endpoints", {}).values()
    return state.get("login") not in ("accepted", "") or not all(each["connects"] for each in connections)


def _same_quorum(case, name, deployment, knows):
    quorums = {host: state["quorum"] for host, state in knows.items()}
    wrong = [host for host, quorum in quorums.items() if quorum != deployment["quorum"]]
    if wrong:
        evidence = {host: count_text(quorum, "Sentinel") for host, quorum in quorums.items()}
        evidence["inventory"] = count_text(deployment["quorum"], "Sentinel")
        fix = case.play("redis", "--tags redis_sentinel")
        message = f"The quorum of {name} is not that of the inventory on {hosts_text(wrong)}."
        yield case.found("sentinel-quorum-differs", wrong[0], message, evidence, fix)
