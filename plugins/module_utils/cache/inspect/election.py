"""Which instance of a deployment is walked: a replica that has its data, or a primary that has no such replica.

Each instance decides for itself. With the deployment's password it asks the others how they are. A program that has no
password for them knows less: who refuses a stranger is there, and may be without a link. Then the primary, which knows
who is online, is walked unless the first by name is, so that there is always one.
"""

import socket
import typing

from ...host.endpoint import Endpoint
from .. import client as connection
from ..client import redis

SECONDS = 2


class Election(typing.NamedTuple):
    """`mine` says whether this instance is walked, `why` why or why not; `role` is primary or replica."""

    mine: bool
    role: str
    why: str


def elect(replication, me, nodes, in_sync=None, is_up=None):
    """Decide for the instance `me` by its INFO replication; `nodes` are {host, address, port} of the deployment.

    `in_sync` tells of a node whether it is a replica that has its data, None where there is no password to ask with.
    """
    others = sorted((node for node in nodes if node["host"] != me), key=lambda each: each["host"])
    if replication["role"] == "master":
        return _primary(replication, me, others, in_sync)
    if not loaded(replication):
        return Election(False, "replica", f"{me} has no link to its primary, or still loads its data")
    primary = endpoint_key(replication["master_host"], replication["master_port"])
    comes_before = in_sync or is_up or answers
    for node in others:
        if node["host"] < me and _endpoint(node) != primary and comes_before(node):
            return Election(False, "replica", f"the replica {node['host']} is walked, which comes before {me}")
    return Election(True, "replica", f"{me} is a replica")


def _primary(replication, me, others, in_sync):
    if not others:
        return Election(True, "primary", f"{me} is the only server")
    if in_sync:
        yields, why = any(map(in_sync, others)), "no replica of it is online"
    else:
        # the others yield to the first as long as it answers, whether it has a link or not
        first = others[0]
        yields, why = _endpoint(first) in _online(replication), f"{first['host']} is no replica of it that is online"
    if yields:
        return Election(False, "primary", f"{me} is primary, and a replica is walked")
    return Election(True, "primary", f"{me} is primary, and {why}")


def _online(replication):
    """Return the places of a primary's replicas that have their data: one that loads it has acknowledged nothing."""
    attached = [value for key, value in replication.items() if key.startswith("slave") and key[5:].isdigit()]
    return {
        endpoint_key(each["ip"], each["port"])
        for each in attached
        if each["state"] == "online" and int(each.get("offset", 0))
    }


def loaded(replication):
    """Whether a replica has a link to its primary, and its data."""
    return replication.get("master_link_status") == "up" and not int(replication.get("master_sync_in_progress", 0))


def endpoint_key(address, port):
    """Return where an instance is reached, as one word."""
    return Endpoint(address, port).key()


def _endpoint(node):
    return endpoint_key(node["address"], node["port"])


def sync_probe(password):
    """Return what asks a node, by the deployment's password, whether it is a replica that has its data."""

    def in_sync(node):
        # one that is gone is not waited for: redis-py may try several times
        if not answers(node):
            return False
        try:
            client = connection.connect([node["address"]], node["port"], password, seconds=SECONDS)
            state = client.info("replication")
        except (redis.RedisError, OSError):
            return False
        return state["role"] != "master" and loaded(state)

    return in_sync


def answers(node):
    """Whether a server answers there, be it that it refuses a stranger."""
    try:
        with socket.create_connection((node["address"], int(node["port"])), timeout=SECONDS) as link:
            link.settimeout(SECONDS)
            link.sendall(b"PING\r\n")
            return link.recv(64).startswith((b"+PONG", b"-NOAUTH"))
    except OSError:
        return False
