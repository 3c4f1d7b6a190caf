"""What a run claims of a machine, and what there is already: ports, folders, units, addresses, names. Reads only.

Claims are
  host      how the machine is called in a sentence
  ours      units that a run makes, on this machine: what they have is theirs
  ports     [{say, variable, port, addresses}]: to be listened on, at these addresses
  folders   [{say, variable, path}]: of a server's data, one at most
  units     [{say, unit, program, conf, user, variables}]: what the package's unit of that name runs; of a server
            of ours with its file, its user, and what to write for options of its command
  binds     [{say, variable, addresses, is_list}]: addresses to listen on
  clusters  PostgreSQL clusters that are ours, as version/name; None where no PostgreSQL is wanted
  names     names that a server there has to know
  needs     [{path, made_by}]: files that another playbook has to have made
`say` is the variable with the place where it was written, `variable` its name, for what is to be written instead.
"""

import os
import re

from ansible_collections.cistern.core.plugins.module_utils.host import addresses, names
from ansible_collections.cistern.core.plugins.module_utils.host.claims import (
    at_boot,
    ports,
    postgresql,
    processes,
    unit_overrides,
)
from ansible_collections.cistern.core.plugins.module_utils.host.reading import text_of

SERVERS = ("redis", "valkey", "keydb", "postgres")


def observe(claims):
    """Return {listeners, servers, at_boot, units, overrides, unusable, own, lacks, clusters, names}, or {}."""
    if not claims:
        return {}
    found = {
        "listeners": ports.observe([int(each["port"]) for each in claims["ports"]]),
        "servers": processes.in_folders([each["path"] for each in claims["folders"]], SERVERS),
        "at_boot": at_boot.observe(claims["ours"], [each["path"] for each in claims["folders"]]),
        "units": {each["unit"]: unit_file(each["unit"]) for each in claims["units"]},
        "overrides": {each["unit"]: unit_overrides.observe(each["unit"]) for each in claims["units"]},
        "unusable": addresses.unusable([each for bind in claims["binds"] for each in bind["addresses"]]),
        "own": addresses.own(),
        "lacks": [each["path"] for each in claims.get("needs", []) if not os.path.exists(each["path"])],
        "clusters": postgresql.observe() if claims["clusters"] is not None else [],
    }
    # last: a thread may be left over that waits for a resolver
    found["names"] = names.resolve(claims["names"])
    found["unusable"] += [name for bind in claims["binds"] for name in bind["addresses"] if _is_elsewhere(name, found)]
    return found


def _is_elsewhere(name, found):
    """Whether a name stands for addresses of which the machine has none."""
    answer = found["names"].get(name, {"why": names.SLOW})
    return answer["why"] != names.SLOW and answer["addresses"] == addresses.unusable(answer["addresses"])


def unit_file(name, folders=unit_overrides.FOLDERS):
    """Return {path, program} of a unit file that takes the place of the package's, None where there is none."""
    template = re.sub(r"@[^.]*\.", "@.", name)
    for path in [f"{folder}/{each}" for each in dict.fromkeys((name, template)) for folder in folders]:
        if os.path.isfile(path) and not os.path.realpath(path).startswith(unit_overrides.PACKAGED):
            started = re.findall(r"^ExecStart\s*=\s*[-@:+!|]*(\S+)", text_of(path), re.MULTILINE)
            return {"path": path, "program": started[-1] if started else ""}
    return None
