"""What to do so that the PostgreSQL of a Citus node is what the inventory says: pure, so each decision is a case."""

from ansible_collections.cistern.core.plugins.module_utils.citus.server.contract import Have, Running, Step, Want
from ansible_collections.cistern.core.plugins.module_utils.citus.server.settings import spelled
from ansible_collections.cistern.core.plugins.module_utils.host import files
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused

# What stands in no file of settings, by pg_settings.source: where it comes from, and what to do there.
ELSEWHERE = {
    "command line": ("the command of the server", "take it out of pg_ctl.conf"),
    "database": ("the database postgres", "ALTER DATABASE postgres RESET {name}"),
    "user": ("the role postgres", "ALTER ROLE postgres RESET {name}"),
    "global": ("all roles", "ALTER ROLE ALL RESET {name}"),
}


def plan(want: Want, have: Have) -> list[Step]:
    """Return the steps, in order. Empty means that all is as it should be."""
    running = have["running"]
    if running and running["standby"]:
        raise Refused(
            f"the server of {want['cluster']} is a standby, which follows another server, and a node is a primary: "
            "promote it, or take the host out of the inventory"
        )
    steps: list[Step] = [] if have["exists"] else [{"do": "create cluster"}]
    if have["tls"]["why"]:
        # before the settings, which name it: the server looks for it as it reads them
        steps.append({"do": "certificate", "why": have["tls"]["why"]})
    steps += [
        {"do": "remove" if file.get("absent") else "write", "path": file["path"]}
        for file in [*want["files"], want["conf"]]
        if files.differs(file, have["files"].get(file["path"]))
    ]
    if running is None:
        return [*steps, {"do": "start"}]
    if steps:
        steps.append({"do": "reload"})
    why = restarts(want, have, running)
    if why:
        steps.append({"do": "restart" if want["restart"] else "report", "why": why})
    return steps


def restarts(want: Want, have: Have, running: Running) -> list[str]:
    """Return why a restart is due, each a part of a sentence."""
    settings, meant = running["settings"], have["meant"]
    why = []
    for name, known in sorted(settings.items()):
        if not known["pending_restart"] and meant.get(name, known["setting"]) == known["setting"]:
            continue
        if known.get("source") == "command line":
            # a start would say it again; the notes tell of it
            continue
        if name in want["settings"]:
            why.append(f"{name}: {known['shown']} -> {spelled(want['settings'][name])}")
        else:
            why.append(f"{name} is no longer {known['shown']}")
    # packages that were replaced under a running server, by whomever
    why += [f"{what}: {runs} -> {has}" for what, (runs, has) in have["versions"].items() if runs != has]
    return why


def describe(step: Step, want: Want) -> str:
    """Return a step as the sentence that the operator reads."""
    name = f"{want['version']}/{want['cluster']}"
    why = ", ".join(step["why"]) if isinstance(step.get("why"), list) else step.get("why")
    sentences = {
        "create cluster": f"create the database cluster {name} in {want['data_dir']}, with checksums",
        "write": f"write {step.get('path')}",
        "remove": f"remove {step.get('path')}",
        "certificate": f"take a certificate of the CA: {why}",
        "start": f"start {name}",
        "reload": f"reload {name}",
        "restart": f"restart {name}: {why}",
        "report": f"waits for a restart of {name}: {why}",
    }
    return sentences[step["do"]]


def notes(want: Want, have: Have) -> list[str]:
    """Return what differs and is not ours: settings of the inventory that another file says, too, and later."""
    found = []
    settings = have["running"]["settings"] if have["running"] else {}
    for name in sorted(set(want["settings"]) & set(settings)):
        known = settings[name]
        where, how = known.get("sourcefile"), "take it out there"
        if known.get("source") in ELSEWHERE:
            where, how = ELSEWHERE[known["source"]]
        elif where and where.endswith("postgresql.auto.conf"):
            how = "ALTER SYSTEM RESET {name}"
        if where not in (None, want["conf"]["path"]):
            found.append(f"{name} is {known['shown']} by {where}, not by the inventory: {how.format(name=name)}")
    return found
