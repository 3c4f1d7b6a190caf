"""Servers of Redis that do not run now and come with the next boot: their ports and folders. Reads only."""

import glob
import os
import re

from ansible_collections.cistern.core.plugins.module_utils.host.reading import text_of

SERVERS = re.compile(r"(redis|valkey|keydb)-(server|sentinel)$")
ENABLED = "/etc/systemd/system/*.wants/*.service"


def observe(ours, pattern=ENABLED):
    """Return [{unit, program, conf, port, addresses, folder}] of enabled units that are not `ours`.

    The port of one whose file cannot be read is not known, and it is left out.
    """
    found = {os.path.basename(path): path for path in sorted(glob.glob(pattern))}
    told = [_unit(name, path) for name, path in found.items() if name not in ours]
    return [each for each in told if each]


def _unit(name, path):
    command = _last(re.findall(r"^ExecStart\s*=\s*[-@:+!|]*(\S.*)", text_of(path), re.MULTILINE))
    words = command.split()
    if not words or not SERVERS.search(words[0]):
        return None
    instance = name.partition("@")[2].rpartition(".")[0]
    conf = next((word for word in words[1:2] if not word.startswith("-")), "")
    # of a template; %i escapes what Redis' units do not use
    conf = re.sub("%[iI]", instance, conf)
    text = text_of(conf)
    if not text:
        return None
    says = {key: value.strip("\"'") for key, value in re.findall(r"^\s*(\w+)[ \t]+(.*?)\s*$", text, re.MULTILINE)}
    says.update(re.findall(r"--(port|dir|bind)\s+(\S+)", command))
    return {
        "unit": name,
        "program": words[0],
        "conf": conf,
        "port": int(says.get("port", "26379" if words[0].endswith("sentinel") else "6379")),
        "addresses": [address.lstrip("-") for address in says.get("bind", "*").split()],
        "folder": says.get("dir", ""),
    }


def _last(values):
    return values[-1] if values else ""
