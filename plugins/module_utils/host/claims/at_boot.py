"""Servers of Redis that do not run now and come with the next boot: their ports and folders. Reads only."""

import glob
import os
import re

from ansible_collections.cistern.core.plugins.module_utils.host.reading import text_of

SERVERS = re.compile(r"(redis|valkey|keydb)-(server|sentinel)$")
ENABLED = "/etc/systemd/system/*.wants/*.service"


def observe(ours, folders, pattern=ENABLED):
    """Return [{unit, program, conf, port, addresses, folder}] of enabled units that are not `ours`.

    The port of one whose file cannot be read is not known, and it is left out. `folder` is where its data lies, as it
    is spelled in `folders` if it is one of them, also by a link; a Sentinel has no data.
    """
    found = {os.path.basename(path): path for path in sorted(glob.glob(pattern))}
    units = [_unit(name, path) for name, path in found.items() if name not in ours]
    spelled = {os.path.realpath(folder): folder for folder in folders}
    for each in filter(None, units):
        # a relative one depends on where the unit starts it
        if os.path.isabs(each["folder"]):
            each["folder"] = spelled.get(os.path.realpath(each["folder"]), each["folder"])
    return [each for each in units if each]


def _unit(name, path):
    command = _last(re.findall(r"^ExecStart\s*=\s*[-@:+!|]*(\S.*)", text_of(path), re.MULTILINE))
    words = command.split()
    if not words or not SERVERS.search(words[0]):
        return None
    instance = name.partition("@")[2].rpartition(".")[0]
    conf = next((word for word in words[1:2] if not word.startswith("-")), "")
    # of a template; %i escapes what Redis' units do not use
    conf = conf.replace("%i", instance).replace("%I", instance)
    text = text_of(conf)
    if not text:
        return None
    settings = {key: value.strip("\"'") for key, value in re.findall(r"^\s*(\w+)[ \t]+(.*?)\s*$", text, re.MULTILINE)}
    settings.update(re.findall(r"--(port|dir|bind)\s+(\S+)", command))
    is_sentinel = words[0].endswith("sentinel")
    port = settings.get("port", "26379" if is_sentinel else "6379")
    if not port.isdigit():
        return None
    return {
        "unit": name,
        "program": words[0],
        "conf": conf,
        "port": int(port),
        "addresses": [address.lstrip("-") for address in settings.get("bind", "*").split()],
        "folder": "" if is_sentinel else settings.get("dir", ""),
    }


def _last(values):
    return values[-1] if values else ""
