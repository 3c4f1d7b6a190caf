"""A node of Citus as the doctor sees it: its unit, where it listens, when its certificates end. Reads only."""

import calendar
import os
import time

from ansible_collections.cistern.core.plugins.module_utils import doctor_unit


def observe(want, sockets):
    """Return what there is of a node."""
    return {
        "unit": doctor_unit.observe(want["unit"], want["log"]),
        "sockets": [each for each in sockets if each["port"] == want["port"]],
        "certificates": {path: _certificate(path) for path in want["certificates"]},
    }


def _certificate(path):
    """Return {exists, ends}; `ends` is in seconds since the epoch, None where the file is no certificate."""
    if not os.path.exists(path):
        return {"exists": False, "ends": None}
    says = doctor_unit.run("openssl", "x509", "-noout", "-enddate", "-in", path).strip().partition("=")[2]
    try:
        return {"exists": True, "ends": calendar.timegm(time.strptime(says, "%b %d %H:%M:%S %Y GMT"))}
    except ValueError:
        return {"exists": True, "ends": None}
