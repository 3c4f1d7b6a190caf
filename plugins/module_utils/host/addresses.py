"""Addresses of this machine, and whether a server could listen on one. Reads only."""

import errno
import os
import re
import socket

TRIE, IPV6 = "/proc/net/fib_trie", "/proc/net/if_inet6"
# Places that nobody has, to be asked from which address one would go there; nothing is sent.
FAR = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
LACKS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def unusable(addresses):
    """Return those of the addresses that no server could listen on; a name is passed over."""
    return [address for address in dict.fromkeys(addresses) if not _can_listen(address)]


def _can_listen(address):
    try:
        family, kind, _protocol, _name, where = socket.getaddrinfo(
            address, 0, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )[0]
    except socket.gaierror:
        return True
    try:
        with socket.socket(family, kind) as probe:
            probe.bind(where)
    except OSError as error:
        return error.errno not in LACKS
    return True


def own():
    """Return the addresses of the machine without the loopback's; first the one that it is most likely reached at."""
    found = [address for family, far in FAR for address in _towards(family, far)]
    if os.path.exists(TRIE):
        with open(TRIE, encoding="ascii") as file:
            found += re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", file.read())
    if os.path.exists(IPV6):
        with open(IPV6, encoding="ascii") as file:
            # the fourth word is the scope, 00 a global one
            rows = [line.split() for line in file]
        found += [socket.inet_ntop(socket.AF_INET6, bytes.fromhex(row[0])) for row in rows if row[3] == "00"]
    return list(dict.fromkeys(address for address in found if not address.startswith("127.") and address != "::1"))


def _towards(family, far):
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))
            return [probe.getsockname()[0]]
    except OSError:  # there is no way there
        return []
