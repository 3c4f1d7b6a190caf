"""Who listens on TCP ports of this machine. Reads only."""

import ipaddress
import os
import pwd
import sys

from ansible_collections.cistern.core.plugins.module_utils.host.claims import processes

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LISTENS = "0A"


def observe(ports):
    """Return [{port, address, user, process, suspects}] of the sockets that listen on these ports.

    `process` is as in processes, None where it cannot be seen; `suspects` are then the units of the socket's user.
    """
    found = [each for table in TABLES for each in _listening(table, set(ports))]
    holders = processes.holders({each["inode"]: each["uid"] for each in found}) if found else {}
    return [
        {
            "port": each["port"],
            "address": each["address"],
            "user": _name(each["uid"]),
            "process": holders.get(each["inode"]),
            "suspects": [] if each["inode"] in holders else processes.units_of(each["uid"]),
        }
        for each in found
    ]


def _listening(table, ports):
    """Yield {port, address, uid, inode}."""
    if not os.path.exists(table):  # a kernel without IPv6
        return
    with open(table, encoding="ascii") as lines:
        next(lines, None)
        for line in lines:
            words = line.split()
            if words[3] != LISTENS:
                # the kernel tells of those that listen first, and there may be very many others
                return
            address, _sep, port = words[1].partition(":")
            if int(port, 16) in ports:
                yield {"port": int(port, 16), "address": spelled(address), "uid": int(words[7]), "inode": int(words[9])}


def spelled(text):
    """Return an address of the kernel's table: 0100007F is 127.0.0.1."""
    raw = bytes.fromhex(text)
    if sys.byteorder == "little":
        raw = b"".join(raw[index : index + 4][::-1] for index in range(0, len(raw), 4))
    address = ipaddress.ip_address(raw)
    return str(getattr(address, "ipv4_mapped", None) or address)


def _name(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
