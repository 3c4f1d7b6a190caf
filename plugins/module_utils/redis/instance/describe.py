"""What is reported of a Redis instance: its steps as sentences, its differences as a diff; secrets hidden."""

from ansible_collections.cistern.core.plugins.module_utils.host import files, kernel, secrets
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.contract import Have, Step, Want

USERS = {
    "make password": "make the password of the user {name}",
    "user": "set the user {name} while running",
    "remove user": "remove the user {name}",
    "default password": "set the password of the user default while running",
    "save users": "make the server write {path}",
}


def describe(step: Step) -> str:
    """Return the step as one line for people, secrets hidden."""
    do = step["do"]
    if do == "set":
        pairs = [
            f"{name} {secrets.shown(name, step['have'][name])} -> {secrets.shown(name, value)}"
            for name, value in step["want"].items()
        ]
        return "set while running: " + ", ".join(pairs)
    if do in ("restart", "report"):
        verb = "restart" if do == "restart" else "waits for a restart of"
        return f"{verb} {step['unit']}: {', '.join(step['why'])}" + (
            ", its keys kept in a snapshot" if "carry" in step else ""
        )
    if do == "replicate":
        return f"replicate {step['of']} (was {step['have']})"
    if do == "switch over":
        return "switch over to a replica"
    if do in USERS:
        return USERS[do].format(**step)
    if do == "append only":
        return f"switch appendonly to {step['to']} while running, keeping every key"
    if do == "kernel":
        return f"set {step['name']}: {step['have']} -> {step['want']}"
    if do == "write" and step.get("replicaof"):
        return f"write {step['path']}, a replica of {step['replicaof']}"
    if do == "write" and "appendonly" in step:
        return f"write {step['path']}, appendonly still {step['appendonly']}"
    return " ".join([do, *[step[key] for key in ("path", "unit") if key in step]])


def notes(want: Want, have: Have) -> list[str]:
    """Return what differs and is not ours: in a container the kernel is the machine's, an ACL file its writer's."""
    if not have["container"]:
        return have["risks"]
    return have["risks"] + [
        f"{name} is {have['kernel'].get(name, 'not readable')} and should be {value}: "
        "set it on the machine that runs this container"
        for name, value in want["kernel"].items()
        if not kernel.enough(name, have["kernel"].get(name, "0"), value)
    ]


def diffs(steps: list[Step], want: Want, have: Have) -> list[dict]:
    """Return the entries of --diff: files, and the values of the running server."""
    wanted = {file["path"]: file for file in [want["conf"], *want["files"]]}
    found = [
        files.diff(wanted[path], have["files"][path], redis_conf.masked)
        for path in dict.fromkeys(step["path"] for step in steps if step["do"] in ("write", "remove"))
    ]
    for step in steps:
        if step["do"] == "set":
            shown = [
                redis_conf.masked("".join(f"{name} {text}\n" for name, text in step[side].items()))
                for side in ("have", "want")
            ]
            found.append(
                {
                    "before_header": "running server",
                    "after_header": "running server",
                    "before": shown[0],
                    "after": shown[1],
                }
            )
    return found
