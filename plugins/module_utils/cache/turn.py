"""Which instance of a deployment is walked: a replica that has its data, or a primary that has no replica.

Each instance decides for itself, by what it says of itself and by which other instances answer. That needs no password
of another one: who refuses a stranger is there.
"""

import socket
import typing

SECONDS = 2


class Turn(typing.NamedTuple):
    """`mine` says whether this instance is walked, `why` why or why not; `role` is primary or replica."""

    mine: bool
    role: str
    why: str


def turn(replication, me, nodes, is_up=None):
    """Decide for the instance `me` by its INFO replication; `nodes` are {host, address, port} of the deployment."""
    is_up = is_up or answers
    if replication["role"] == "master":
        online = [key for key, value in replication.items() if _is_replica(key) and value.get("state") == "online"]
        if online:
            return Turn(False, "primary", f"{me} is primary, and a replica is walked")
        alone = len(nodes) < 2
        why = f"{me} is the only server" if alone else f"{me} is primary, and no replica of it is online"
        return Turn(True, "primary", why)
    if replication.get("master_link_status") != "up" or int(replication.get("master_sync_in_progress", 0)):
        return Turn(False, "replica", f"{me} has no link to its primary, or still loads its data")
    primary = (str(replication["master_host"]), int(replication["master_port"]))
    for node in sorted(nodes, key=lambda each: each["host"]):
        if node["host"] == me:
            break
        if (node["address"], int(node["port"])) != primary and is_up(node["address"], node["port"]):
            return Turn(False, "replica", f"the replica {node['host']} is walked, which comes before {me}")
    return Turn(True, "replica", f"{me} is a replica")


def _is_replica(key):
    return key.startswith("slave") and key[5:].isdigit()


def answers(address, port):
    """Whether a server answers there with its data loaded."""
    try:
        with socket.create_connection((address, int(port)), timeout=SECONDS) as connection:
            connection.settimeout(SECONDS)
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith((b"+PONG", b"-NOAUTH"))
    except OSError:
        return False
