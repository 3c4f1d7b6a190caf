"""A node of Citus as the doctor sees it: its unit, where it listens, when its certificates end. Reads only."""

import calendar
import os
import socket
import time

from ansible_collections.cistern.core.plugins.module_utils.doctor import service as doctor_unit
from ansible_collections.cistern.core.plugins.module_utils.host import logs


def observe(want, sockets):
    """Return what there is of a node; it is not connected to, since it would log that."""
    here = [each for each in sockets if each["port"] == want["port"]]
    bound = {each["address"] for each in here}
    return {
        "unit": doctor_unit.observe(want["unit"], want["log"]),
        "sockets": here,
        "endpoints": {
            f"{address} {want['port']}": {"connects": bool(bound & {"*", "0.0.0.0", "::", *_numeric(address)})}
            for address in want["addresses"]
        },
        "certificates": {path: _certificate(path) for path in want["certificates"]},
    }


def _numeric(address):
    try:
        return {found[4][0] for found in socket.getaddrinfo(address, None, proto=socket.IPPROTO_TCP)}
    except OSError:
        return {address}


def _certificate(path):
    """Return {exists, ends}; `ends` is in seconds since the epoch, None where the file is no certificate."""
    if not os.path.exists(path):
        return {"exists": False, "ends": None}
    output = logs.run("openssl", "x509", "-noout", "-enddate", "-in", path).strip().partition("=")[2]
    try:
        return {"exists": True, "ends": calendar.timegm(time.strptime(output, "%b %d %H:%M:%S %Y GMT"))}
    except ValueError:
        return {"exists": True, "ends": None}
