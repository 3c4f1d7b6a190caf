"""What is wrong with the Sentinels of a deployment: what they see, know and could do. Pure."""

from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import cli, count_text, hosts_text, word
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings.replication import infos

LEAST = 3


def judge(case):
    """Yield findings."""
    for name, deployment in case.want["deployments"].items():
        ends = {each["host"]: each for each in deployment["sentinels"] if each["host"] in case.evidence}
        if deployment["mode"] == "sentinel" and ends:
            yield from _deployment(case, name, deployment, ends)
    for host, want, says in case.having("sentinel"):
        if says.get("tilt"):
            mend = cli(want, "info sentinel")
            yield case.found(
                "sentinel-tilt", host, "The Sentinel does not act: its clock or machine stood still.", {}, mend
            )


def _deployment(case, name, deployment, ends):
    told = {host: case.told(host, "sentinel") or {} for host in ends}
    knows = {host: says["monitors"][name] for host, says in told.items() if name in says.get("monitors", {})}
    hosts = {node["place"]: node["host"] for node in deployment["nodes"]}
    if len(deployment["sentinels"]) < LEAST:
        first, count = next(iter(ends)), len(deployment["sentinels"])
        text = f"{name} has {count_text(count, 'Sentinel')}: fewer than three cannot lose one."
        yield case.found("sentinel-too-few", first, text, {}, case.play("redis"))
    for host, says in told.items():
        if says.get("answers") and name not in says["monitors"]:
            mend = case.play("redis", "--tags redis_sentinel")
            yield case.found("sentinel-not-watching", host, f"The Sentinel does not watch {name}.", {}, mend)
    able = {host for host, says in knows.items() if says["ckquorum"]}
    if knows or len(ends) == len(deployment["sentinels"]):
        yield from _quorum(case, name, deployment, ends, knows, able)
    # one that is cut off from the others says more of itself than of them
    sound = {host: says for host, says in knows.items() if host in able or not able}
    yield from _primaries(case, name, deployment, ends, sound, hosts)
    for host, says in sound.items():
        yield from _others(case, host, says, deployment, hosts)
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
        says = f"The Sentinels of {name} cannot fail over: no majority of them reaches each other."
        mend = case.play("redis", "--tags redis_sentinel")
        yield case.found("sentinel-no-quorum", first, says, evidence, mend)
        return
    for host in [each for each in knows if each not in able]:
        mend = cli(_sentinel(case, host), f"sentinel sentinels {word(name)}")
        says = f"This Sentinel of {name} does not reach enough others; they have a quorum without it."
        yield case.found("sentinel-cut-off", host, says, {"says": knows[host]["ckquorum_says"]}, mend)


def _primaries(case, name, deployment, ends, sound, hosts):
    named = {host: hosts.get(says["primary"], says["primary"]) for host, says in sound.items()}
    running = [host for host, says in sound.items() if "failover_in_progress" in says["flags"]]
    if running:
        mend = cli(_sentinel(case, running[0]), f"sentinel master {word(name)}")
        yield case.found("sentinel-failover", running[0], f"A failover of {name} is in progress.", {}, mend)
        return
    if len(set(named.values())) > 1:
        first = next(iter(named))
        mend = cli(_sentinel(case, first), f"sentinel get-master-addr-by-name {word(name)}")
        says = f"The Sentinels of {name} name different primaries."
        yield case.found(
            "sentinel-disagree", first, says, {f"{host} names": lead for host, lead in named.items()}, mend
        )
        return
    info = infos(case, deployment)
    for host, lead in list(named.items())[:1]:
        mend = cli(_sentinel(case, host), f"sentinel master {word(name)}")
        flags = [flag for flag in ("o_down", "s_down") if any(flag in says["flags"] for says in sound.values())]
        if lead not in hosts.values():
            says = f"The Sentinels of {name} name the primary {lead}, which the inventory lacks."
            yield case.found("sentinel-stranger-primary", host, says, {"primary": lead}, mend)
        elif lead in info and info[lead]["role"] != "master":
            says = f"The Sentinels of {name} name {lead}, which says that it is a replica."
            yield case.found("sentinel-wrong-primary", host, says, {"primary": lead}, mend)
        elif flags and case.serves(lead, "redis") is not False:
            says = f"The Sentinels of {name} do not reach the primary {lead}."
            yield case.found("sentinel-primary-down", host, says, {"flags": hosts_text(flags)}, mend)


def _sentinel(case, host):
    return case.want["hosts"][host]["sentinel"]


def _others(case, host, says, deployment, hosts):
    """What a Sentinel knows of the replicas and the other Sentinels."""
    at = _sentinel(case, host)
    ends = {each["place"]: each["host"] for each in deployment["sentinels"]}
    stale = [f"replica {place}" for place in says["replicas"] if place not in hosts]
    stale += [f"Sentinel {place}" for place in says["sentinels"] if place not in ends]
    name = deployment["name"]
    if stale:
        mend = cli(at, f"sentinel reset {word(name)}")
        text = "The Sentinel knows what the inventory lacks, and counts it in."
        yield case.found("sentinel-stale", host, text, {"knows": stale}, mend)
    own = {place for place, of in ends.items() if of == host}
    missing = [of for place, of in ends.items() if place not in says["sentinels"] and place not in own]
    if missing:
        mend = cli(at, f"sentinel sentinels {word(name)}")
        text = f"The Sentinel has never heard of the one on {hosts_text(missing)}."
        yield case.found(
            "sentinel-unknown-peer", host, text, {"knows": count_text(len(says["sentinels"]), "other")}, mend
        )
    for kind, known, part in (("replica", says["replicas"], "redis"), ("sentinel", says["sentinels"], "sentinel")):
        names = hosts if part == "redis" else ends
        down = [names[at] for at, flags in known.items() if at in names and {"s_down", "o_down"} & set(flags)]
        # those that are known to be down, or say so themselves, are findings of their own
        down = [each for each in down if case.serves(each, part) is not False and not _ill(case, each, part)]
        if down:
            mend = cli(at, f"sentinel {kind}s {word(name)}")
            what = "replica" if part == "redis" else "Sentinel"
            text = f"The Sentinel does not reach the {what} on {hosts_text(down)}, which runs."
            yield case.found(f"sentinel-{kind}-down", host, text, {"flags": "s_down"}, mend)


def _ill(case, host, part):
    """Whether something that is a finding of its own keeps others from reaching a server."""
    says = case.told(host, part) or {}
    places = says.get("places", {}).values()
    return says.get("login") not in ("accepted", "") or not all(each["connects"] for each in places)


def _same_quorum(case, name, deployment, knows):
    quorums = {host: says["quorum"] for host, says in knows.items()}
    wrong = [host for host, quorum in quorums.items() if quorum != deployment["quorum"]]
    if wrong:
        evidence = {host: count_text(quorum, "Sentinel") for host, quorum in quorums.items()}
        evidence["inventory"] = count_text(deployment["quorum"], "Sentinel")
        mend = case.play("redis", "--tags redis_sentinel")
        says = f"The quorum of {name} is not that of the inventory on {hosts_text(wrong)}."
        yield case.found("sentinel-quorum-differs", wrong[0], says, evidence, mend)
