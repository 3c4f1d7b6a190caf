"""Where a server is reached, how that is written, and which spellings are the same place.

It imports nothing of the toolkit: programs on hosts have it beside them.
"""

import ipaddress
import typing

LOOPBACK = ("127.0.0.1", "::1", "localhost")
# What a server listens on when it listens everywhere: where a client of its own machine reaches it.
EVERYWHERE = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1", "::*": "::1"}


def name_key(name):
    """Return a host name as it is compared: large and small letters are the same, a dot at the end says nothing."""
    return str(name).lower().rstrip(".")


def connectable(address):
    """Return where to connect for an address to listen on: `-` marks one that may be missing, `*` is all of them."""
    address = str(address).lstrip("-")
    return EVERYWHERE.get(address, address)


class Endpoint(typing.NamedTuple):
    """An address or a name, a port, and whether it is TLS that is spoken there."""

    address: str
    port: int
    tls: bool = False

    def key(self):
        """Return it as one word by which it is compared; an address or a name in another spelling is the same place."""
        try:
            address = str(ipaddress.ip_address(self.address))
        except ValueError:
            address = name_key(self.address)
        return f"{address} {self.port}"

    def __str__(self):
        """As URLs have it: address:port, one of IPv6 in brackets."""
        address = str(self.address)
        return f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
