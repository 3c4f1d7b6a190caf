"""What somebody else's drop-in of a unit takes away from the inventory, as sentences. Pure."""

import shlex

from ansible_collections.cistern.core.plugins.module_utils.host import secrets

# What the package's command says too.
HARMLESS = {"--supervised": None, "--daemonize": "no"}


def problems(claims, found):
    """Yield the sentences; a claim has `conf`, `user` and `variables` where the unit runs a server of ours."""
    for claim in claims["units"]:
        overrides = found.get("overrides", {}).get(claim["unit"]) or {}
        commands = overrides.get("ExecStart") or []
        own = found["units"].get(claim["unit"])
        if commands and not (own and own["program"] != claim["program"]):
            text = _command(claim, commands)
            if text:
                yield f"{commands[-1]['path']} of {claims['host']} {text}"
        for each in overrides.get("User") or []:
            if claim.get("user") and each["value"] != claim["user"]:
                yield (
                    f"{each['path']} of {claims['host']} lets {claim['unit']} run as {each['value']}, and its files "
                    f"and its data belong to {claim['user']}; take User out there"
                )


def _command(claim, commands):
    """Return what is wrong with the commands of a unit, '' where nothing is."""
    unit, line = claim["unit"], commands[-1]["value"]
    if len(commands) > 1:
        return f"gives {unit} a second ExecStart, with which systemd does not start it; take it out there"
    if not claim.get("conf"):
        # the line is not shown: exporters are told passwords there
        return f"has its own ExecStart for {unit}, so that what a run writes does not count; take it out there"
    words = _split(line.lstrip("-@:+!|"))
    # one that calls the program, such as numactl, is the operator's own affair
    words = words[words.index(claim["program"]) :] if claim["program"] in words else words
    if words[:1] != [claim["program"]]:
        return f"lets {unit} run {words[0] if words else 'nothing'}, not {claim['program']}; take it out there"
    if words[1:2] != [claim["conf"]]:
        other = words[1] if words[1:] and not words[1].startswith("-") else "no file"
        return f"lets {unit} read {other}, not {claim['conf']}, which the inventory makes; take it out there"
    options = [
        (name, value)
        for name, value in _options(words[2:])
        if name not in HARMLESS or HARMLESS[name] not in (None, value)
    ]
    if not options:
        return ""
    names = dict.fromkeys(name.lstrip("-") for name, _value in options)
    write = ", ".join(
        filter(None, (claim["variables"].get(name, claim["variables"][""].format(name)) for name in names))
    )
    shown = " ".join(_shown(*each) for each in options)
    instead = f"write {write} and take" if write else "take"
    return f"starts {unit} with {shown}, which wins over the inventory; {instead} it out there"


def _shown(name, value):
    is_secret = name == "--user" or any(word in f"{name} {value}" for word in ("pass", "auth"))
    return f"{name} {secrets.HIDDEN if is_secret and value else value}".strip()


def _options(words):
    """Return [(--name, value)] of the words of a command."""
    found: list = []
    for word in words:
        if word.startswith("--") or not found:
            found.append((word, ""))
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]} {word}".strip())
    return found


def _split(line):
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()
