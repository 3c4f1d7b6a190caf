"""What has to be done so that units of systemd run as their files say. Pure."""

import os

from ansible_collections.cistern.core.plugins.module_utils.host import files
from ansible_collections.cistern.core.plugins.module_utils.units.contract import Have, Step, Unit, Want

UNITS, USERS = "/etc/systemd/system/", "/etc/sysusers.d/"
# What was there before the first run, and is not the toolkit's.
KEPT = ".before-cistern"
SHOWN = 4


def plan(want: Want, have: Have) -> list[Step]:
    """Return the steps: each {do} with what it is about."""
    gone = [path for path in have["swept"] if path not in {file["path"] for file in want["files"]}]
    changed = [file for file in want["files"] if files.differs(file, have["files"][file["path"]])]
    aside = have["aside"]
    theirs = [path for path in [file["path"] for file in changed] + gone if path in aside]
    # all of it before the first file is written, the mark of a first run among them
    steps: list[Step] = [{"do": "keep", "path": path, "to": aside[path]} for path in theirs]
    steps += [{"do": "stop", "unit": os.path.basename(path)} for path in gone if _counts(have, os.path.basename(path))]
    steps += [{"do": "stop", "unit": unit["name"]} for unit in want["units"] if _is_to_stop(unit, have)]
    steps += [{"do": "write", "path": file["path"], "file": file} for file in changed]
    steps += [{"do": "remove", "path": path} for path in gone if path not in theirs]
    paths = [file["path"] for file in changed]
    if [user for user in want["users"] if user not in have["users"]] or any(path.startswith(USERS) for path in paths):
        steps.append({"do": "users"})
    paths += gone
    if any(path.startswith(UNITS) for path in paths) or any(unit["reload"] for unit in have["units"].values()):
        steps.append({"do": "reload"})
    # a folder changes with what is taken out of it
    paths += [os.path.dirname(path) for path in gone]
    for unit in want["units"]:
        if not unit["absent"]:
            steps += _runs(unit, have, paths)
    return steps


def _counts(have: Have, name):
    unit = have["units"].get(name)
    return unit is not None and (unit["active"] not in ("inactive", "failed") or unit["enabled"] == "enabled")


def _is_to_stop(unit: Unit, have: Have):
    return unit["absent"] and _counts(have, unit["name"])


def _runs(unit: Unit, have: Have, paths):
    """Yield what makes a unit start at boot, and run with what its files say now."""
    name, is_now, reloads = unit["name"], have["units"][unit["name"]], unit.get("reloads", [])
    steps: list[Step] = []
    # also where a run was killed between the file and the restart
    if is_now["active"] not in ("active", "activating"):
        steps = [{"do": "start", "unit": name}]
    elif _newer(unit["files"], have, is_now["since"]) or set(unit["files"]) & set(paths):
        steps = [{"do": "restart", "unit": name}]
    elif _newer(reloads, have, max(is_now["since"], is_now.get("reloaded", 0))) or set(reloads) & set(paths):
        steps = [{"do": "reload unit", "unit": name}]
    yield from steps
    if steps and unit.get("ready"):
        yield {"do": "wait", "unit": name, "for": unit["ready"]}
    # last: one that does not start is not tried at each boot
    if is_now["enabled"] != "enabled":
        yield {"do": "enable", "unit": name}


def _newer(paths, have: Have, since):
    return [path for path in paths if (found := have["files"].get(path)) and found["mtime"] > since]


def reported(steps: list[Step]) -> list[str]:
    """Return the steps as an operator reads them; files that are written into one folder are one line."""
    folders: dict = {}
    for step in steps:
        if step["do"] == "write" and not step["file"].get("absent"):
            folders.setdefault(os.path.dirname(step["path"]), []).append(step)
    lines = []
    for step in steps:
        same = folders.get(os.path.dirname(step.get("path", "")), [])
        if len(same) <= SHOWN or step not in same:
            lines.append(describe(step))
        elif step is same[0]:
            lines.append(f"write {len(same)} files of {os.path.dirname(step['path'])}")
    return lines


def describe(step: Step) -> str:
    """Return a step as an operator reads it."""
    words = {
        "stop": "stop {unit} and keep it from starting",
        "keep": "set {path} aside as {to}",
        "write": "write {path}",
        "remove": "remove {path}",
        "users": "make the users of the units",
        "reload": "let systemd read its units again",
        "enable": "let {unit} start at boot",
        "start": "start {unit}",
        "restart": "restart {unit}",
        "reload unit": "let {unit} read its files again",
        "wait": "wait until {unit} answers",
    }
    if step["do"] == "write" and step["file"].get("absent"):
        return f"remove {step['path']}"
    return words[step["do"]].format(**step)
