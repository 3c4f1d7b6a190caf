"""A Redis server: connections to it, the values it runs with, changes while it runs."""

import functools
import itertools
import os
import pwd
import re
import subprocess
import time
import typing

from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import connectable
from ansible_collections.cistern.core.plugins.module_utils.redis.connection import Client, RedisError, pairs

# What a server answers to one who is logged in, and does not serve just now: it cannot write its data, its primary is
# away, a script runs.
LOGGED_IN = ("MISCONF", "MASTERDOWN", "BUSY", "LOADING", "Redis is loading")
BINARY, USER = "/usr/bin/redis-server", "redis"

# CONFIG GET says these too; they are topology, or the command line of the packaged unit.
_NOT_SETTINGS = {"replicaof", "slaveof", "daemonize", "supervised", "cluster-config-file"}


class Link:
    """The connection to the server of this machine, None where it does not run; a restart makes another one."""

    def __init__(self):
        self.client: typing.Any = None


class WrongPassword(Exception):
    """A server answers, and takes none of the passwords that it could have."""


def is_installed():
    """Whether the server is there.

    It is not where its package is only unpacked, by an installation that was interrupted or still runs: then its user
    is missing.
    """
    return os.path.exists(BINARY) and _exists(USER)


def installed_version():
    """Return the version of the server, or '' where it is not there."""
    return version_of(BINARY) if is_installed() else ""


@functools.cache
def version_of(binary):
    """Return what a server or a Sentinel says of itself; no module installs another one between two looks."""
    output = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v=(\S+)", output)
    return found[1] if found else ""


def _exists(user):
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def reach(host, port, passwords, seconds):
    """Return a client of a server elsewhere, a Sentinel included; each of its calls may take so long.

    Raises WrongPassword where it refuses every password, ConnectionError where it does not answer.
    """
    client = _try([(host, int(port))], list(dict.fromkeys(passwords)), connect_seconds=seconds, seconds=seconds)
    if client is None:
        raise ConnectionError(f"nothing answers on {host} port {port}")
    return client


def connect(addresses, ports, passwords, seconds=10):
    """Return a client of the server that answers at one of these places and takes one of these passwords.

    A server that has just been started is given some seconds: not every unit waits until it is ready.

    While a change is half done, the file, the inventory and the server may each say something else; all are tried.
    Raises WrongPassword where a server answers and refuses every password, ConnectionError where none answers.
    """
    endpoints = list(dict.fromkeys(itertools.product(map(connectable, addresses), map(int, ports))))
    until = time.monotonic() + seconds
    while True:
        client = _try(endpoints, list(dict.fromkeys(passwords)))
        if client:
            return client
        if time.monotonic() > until:
            raise ConnectionError(
                "nothing answers on " + " or ".join(f"{host} port {port}" for host, port in endpoints)
            )
        time.sleep(0.1)


def _try(endpoints, passwords, **options):
    refused = None
    for (host, port), password in itertools.product(endpoints, passwords):
        client = Client(host, port, password=password or None, **options)
        try:
            client.execute_command("PING")
            return client
        except RedisError as error:
            if serves(error):
                return client
            refused = error
        except OSError:
            continue
    if refused:
        raise WrongPassword(str(refused))
    return None


def serves(error):
    """Whether a server that answers so has taken the password: it loads its data, or does not serve just now."""
    return str(error).startswith(LOGGED_IN)


def open_to_everybody(addresses, port):
    """Return the addresses at which a server answers one who brings no password; NOAUTH is the only right answer."""
    found = []
    for address in dict.fromkeys(map(connectable, addresses)):
        client = Client(address, int(port), connect_seconds=2, seconds=2)
        try:
            client.execute_command("PING")
            found.append(address)
        except RedisError as error:
            if serves(error):
                found.append(address)
        except OSError:
            continue
        finally:
            client.close()
    return found


def running(client):
    """Return {directive: value} of a server that runs."""
    answer = pairs(client.execute_command("CONFIG", "GET", "*"))
    settings = {name: "" if text is None else str(text) for name, text in answer.items() if name not in _NOT_SETTINGS}
    # What CONFIG GET does not know: renamed commands go by their new names, or are gone; modules are loaded or not.
    settings["rename-command"] = " ".join(sorted(_commands(client)))
    settings["loadmodule"] = " ".join(sorted(str(module) for module in client.execute_command("MODULE", "LIST")))
    return settings


def _commands(client):
    """Return the names of commands; COMMAND alone tells so much of each that it takes longer than all else together."""
    try:
        return client.execute_command("COMMAND", "LIST")
    except RedisError:  # before 7.0
        return [command[0] for command in client.execute_command("COMMAND")]


def wait_loaded(client, seconds=3600):
    """Wait until the server has read its data."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not int(client.info("persistence").get("loading", 0)):
            return
        time.sleep(0.1)
    raise TimeoutError(f"the server still loads its data after {seconds} s")


def set_live(client, values, version):
    """CONFIG SET: all in one call from 7.0 on, which takes all or none; before, one call each."""
    if tuple(map(int, version.split(".")[:2])) >= (7, 0):
        client.execute_command("CONFIG", "SET", *[word for pair in values.items() for word in pair])
        return
    for name, text in values.items():
        client.execute_command("CONFIG", "SET", name, text)


def switch_append_only(client, to, seconds=3600):
    """Turn AOF on or off without losing a key, and wait until the data is safe in the new place.

    On: the server writes its keys into a new file in the background. A start with an empty AOF would lose all of them.
    Off: a snapshot first, since the next start reads that and nothing else.
    """
    if to == "no":
        save(client, seconds)
    client.execute_command("CONFIG", "SET", "appendonly", to)
    _wait_saved(client, "aof_rewrite_in_progress", "aof_rewrite_scheduled", "aof_last_bgrewrite_status", seconds)


def save(client, seconds=3600):
    """Write a snapshot in the background and wait for it. The server runs one child at a time."""
    _wait_saved(client, "aof_rewrite_in_progress", "aof_rewrite_scheduled", None, seconds)
    _wait_saved(client, "rdb_bgsave_in_progress", "rdb_bgsave_in_progress", None, seconds)
    client.execute_command("BGSAVE")
    _wait_saved(client, "rdb_bgsave_in_progress", "rdb_bgsave_in_progress", "rdb_last_bgsave_status", seconds)


def _wait_saved(client, busy, scheduled, status, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        state = client.info("persistence")
        if not int(state[busy]) and not int(state.get(scheduled, 0)):
            if status and state[status] != "ok":
                raise RuntimeError(f"{status} is {state[status]}: the server cannot write its data (see its log)")
            return
        time.sleep(0.05)
    raise TimeoutError(f"{busy} after {seconds} s")
