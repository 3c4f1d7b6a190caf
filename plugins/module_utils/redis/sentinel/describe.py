"""What is reported of a Sentinel: its steps as sentences, its differences as a diff; secrets hidden."""

from ansible_collections.cistern.core.plugins.module_utils.host import files, secrets
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.describe import USERS
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel import conf
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.contract import Have, Reason, Step, Want
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.plan import strangers


def because(why: list[Reason]) -> str:
    """Return reasons of a restart."""
    return ", ".join(
        f"{each['name']}: {secrets.shown(each['name'], each['have'])} -> {secrets.shown(each['name'], each['want'])}"
        if "want" in each
        else each["name"]
        for each in why
    )


def _monitored(monitor) -> str:
    return f"monitor {monitor['name']} at {monitor['address']} {monitor['port']}, quorum {monitor['quorum']}"


def describe(step: Step) -> str:
    """Return the step as one line for people, secrets hidden."""
    do = step["do"]
    if do in ("set", "set own"):
        of = f"{step['name']} " if do == "set" else ""
        pairs = [
            f"{of}{name} {secrets.shown(name, step['have'][name])} -> {secrets.shown(name, value)}"
            for name, value in step["want"].items()
        ]
        return "set while running: " + ", ".join(pairs)
    if do in USERS:
        return USERS[do].format(**step)
    if do == "monitor":
        return _monitored(step)
    if do == "forget":
        return f"make the Sentinel forget {', '.join(step['endpoints'])} of {step['name']}"
    if do == "unmonitor":
        return f"remove the monitor {step['name']}"
    if do == "restart":
        return f"restart {step['unit']}: {because(step['why'])}"
    if do == "edit":
        return f"edit {step['path']}: {because(step['why'])}"
    if do == "write" and "monitors" in step:
        return ": ".join([f"write {step['path']}", "; ".join(map(_monitored, step["monitors"]))]).removesuffix(": ")
    sentences = {
        "accept": "accept the new password of the Sentinel beside the old one",
        "accept only": "accept no other password of the Sentinel than the present one",
        "attributes": f"set owner and mode of {step.get('path')}",
        "flush": f"make the Sentinel write {step.get('path')}",
    }
    return sentences.get(do) or " ".join([do, *[step[key] for key in ("path", "unit") if key in step]])


def waiting(step: Step) -> str:
    """Return a restart that is left to a later phase as one line."""
    return f"waits for a restart of {step['unit']}: {because(step['why'])}"


def notes(want: Want, have: Have) -> list[str]:
    """Return what Sentinel knows and the inventory lacks, and what it cannot have; reported, not touched."""
    found = []
    version = have["running_version"] or have["version"]
    if not conf.live(version):
        found += [f"a Sentinel of Redis {version} has no users: no login for {user['name']}" for user in want["users"]]
    for each in want["deployments"]:
        for kind, endpoints in strangers(each, have).items():
            found += [
                f"the Sentinel knows a {kind.replace('sentinel', 'Sentinel')} {endpoint} of {each['name']}, "
                "which the inventory lacks"
                for endpoint in endpoints
            ]
    return found


def diffs(steps: list[Step], want: Want, have: Have) -> list[dict]:
    """Return the entries of --diff: files, and the values of the running Sentinel."""
    wanted = {file["path"]: file for file in want["files"]}
    names = [each["name"] for each in want["deployments"]]
    found = []
    for step in steps:
        if step["do"] in ("write", "remove") and step["path"] in wanted:
            found.append(files.diff(wanted[step["path"]], have["files"][step["path"]]))
        elif step["do"] in ("write", "edit", "restart"):
            found += _of_the_file(step, want, have, names)
        elif step["do"] in ("set", "set own"):
            about = f"sentinel {step['name']}" if step["do"] == "set" else "sentinel"
            sides = [
                "".join(f"{name} {secrets.shown(name, value)}\n" for name, value in step[side].items())
                for side in ("have", "want")
            ]
            found.append({"before_header": about, "after_header": about, "before": sides[0], "after": sides[1]})
    return found


def _of_the_file(step: Step, want: Want, have: Have, names):
    content = conf.known_to(want["conf"]["content"], have["version"])
    if "monitors" in step:
        text = conf.first(content, step["monitors"], want["hooks"])
    else:
        text = conf.edited(have["text"] or "", content, names, want["hooks"])
    if text == have["text"]:
        return []
    return [files.diff({**want["conf"], "content": text}, have["files"][want["conf"]["path"]], conf.masked)]
