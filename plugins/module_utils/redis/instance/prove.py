"""The connections that a deployment lives on, opened anew: those that stand say nothing of the next one.

A connection is {as, address, port, user, password, words}: who opens it, where, and what is sent over it.
"""

import time

from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import connectable
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology
from ansible_collections.cistern.core.plugins.module_utils.redis import users as redis_users
from ansible_collections.cistern.core.plugins.module_utils.redis.instance import health as redis_health

# A server that has just been started, or a network that stalls, is asked again for so long.
PATIENCE = 15
# Sentinels find each other by messages every 2 s, and hold one for lost that was silent for some seconds.
QUORATE = 60
ERRORS = (redis_server.RedisError, OSError)


def of_instance(want, have, hosts):
    """Return the connections that this instance and the programs of its machine need, to instances of these hosts."""
    deployment, running = want["deployment"], have["running"]
    # before Redis 7.0 it changes at a restart, which may be for later
    port = running.get("port", want["port"])
    connections = [
        _connection(f"the program {user['name']}", address, port, user["name"], redis_users.password(user["path"]))
        for user in want["users"]
        for address in map(connectable, want["addresses"][:1])
    ]
    # each of them may be the primary of tomorrow
    login = running.get("masteruser") or running.get("primaryuser") or ""
    for node in _others(deployment, "nodes", hosts):
        connection = _connection("a replica", node["address"], node["port"], login, want["password"])
        connections.append({**connection, "words": [["PING"], ["REPLCONF", "listening-port", str(want["port"])]]})
    return connections


def of_sentinel(want, have):
    """Return the connections that this Sentinel needs: to each instance that it watches, and to the other Sentinels."""
    connections = []
    own = have["own"].get("sentinel-user", "")
    for each in want["deployments"]:
        login = have["monitors"].get(each["name"], {}).get("auth-user", "")
        deployment = {**each, "me": want["me"]}
        for node in _others(deployment, "nodes", want["playing"]):
            connections.append(_connection("a Sentinel", node["address"], node["port"], login, each["auth_pass"]))
        for other in _others(deployment, "sentinels", want["playing"]):
            connections.append(_connection("a Sentinel", other["address"], other["port"], own, want["password"]))
    return connections


def _others(deployment, kind, hosts):
    """Return the members but this one, of these hosts: others may be down."""
    return [
        each
        for each in (deployment or {}).get(kind, [])
        if each["host"] in hosts and redis_topology.endpoint_of(each) != deployment["me"]
    ]


def _connection(who, address, port, user, password):
    return {"as": who, "address": address, "port": port, "user": user, "password": password, "words": [["PING"]]}


def prove(connections, patience=PATIENCE):
    """Open every connection; raise Refused with all that are refused."""
    until = time.monotonic() + patience
    closed = _closed(connections)
    while closed and time.monotonic() < until:
        time.sleep(0.5)
        closed = _closed([connection for connection, _why in closed])
    if closed:
        sentences = "; ".join(_sentence(*each) for each in closed)
        raise Refused(f"The change is made, and a connection that the deployment lives on is refused: {sentences}")


def closed_now(want, have):
    """Return the connections that instances would refuse though they answer, as sentences: the next link is lost."""
    if have["running"] is None:
        return []
    seen = have["seen"]["nodes"] if have["seen"] else {}
    hosts = [node["host"] for node in (want["deployment"] or {"nodes": []})["nodes"] if _answers(seen, node)]
    return [f"a new connection is refused {_sentence(*each)}" for each in _closed(of_instance(want, have, hosts))]


def _answers(seen, node):
    return seen.get(redis_topology.endpoint_of(node), {}).get("answers")


def _sentence(connection, why):
    return f"as {connection['as']} to {connection['address']} port {connection['port']}: {why}"


def sentinel(want, observe):
    """Open every connection of a Sentinel and wait until all is well for it.

    Returns ({deployment: [what is not]}, [what a run must not leave so]): where all Sentinels and instances of a
    deployment took part in the run, there is nothing else to wait for. Raises Refused.
    """
    prove(of_sentinel(want, observe()))
    complete = [each["name"] for each in want["deployments"] if _takes_part(each, want["playing"])]
    began = time.monotonic()
    while True:
        health = redis_health.of_sentinel(want, observe())
        lacks = [f"{name}: {text}" for name in complete for text in health.get(name, [])]
        # what takes no part, or has failed in this run, may be down
        if not health or time.monotonic() > began + (QUORATE if lacks else PATIENCE):
            return health, lacks
        time.sleep(0.5)


def _takes_part(deployment, playing):
    return {member["host"] for kind in ("nodes", "sentinels") for member in deployment[kind]} <= set(playing)


def _closed(connections):
    return [
        (connection, why)
        for connection, why in ((connection, _refusal(connection)) for connection in connections)
        if why
    ]


def _refusal(connection):
    """Return what refuses the connection, '' where it is open."""
    client = redis_server.Client(
        connection["address"],
        int(connection["port"]),
        username=connection["user"] or None,
        password=connection["password"] or None,
        connect_seconds=redis_topology.TIMEOUT,
        seconds=redis_topology.TIMEOUT,
    )
    try:
        for words in connection["words"]:
            client.execute_command(*words)
    except ERRORS as error:
        return "" if redis_server.serves(error) else str(error) or type(error).__name__
    finally:
        client.close()
    return ""
