"""A Redis server on this machine: the one that serves, and a shadow of it that tells what a file means."""

import itertools
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time

from ansible_collections.cistern.core.plugins.module_utils import redis_conf

try:
    import redis
except ImportError:  # a fresh host in check mode: there is no server to ask yet
    redis = None

RedisError = redis.RedisError if redis else RuntimeError

BINARY = "/usr/bin/redis-server"

# What the shadow must not take from the file, with the value that the server has where the file says nothing.
# They are compared as the file spells them.
_NOT_IN_SHADOW = {
    "port": "6379",
    "tls-port": "0",
    "unixsocket": "",
    "unixsocketperm": "0",
    "dir": "",
    "logfile": "",
    "pidfile": "",
    "appendonly": "no",
    "cluster-enabled": "no",
    "syslog-enabled": "no",
    "maxclients": "10000",
}
# Lines that the shadow leaves out: they act, or they are the server's own.
_LEFT_OUT = {*redis_conf.SERVER_OWNED, "daemonize", "supervised", *_NOT_IN_SHADOW}
# CONFIG GET says these too; they are topology, or the command line of the packaged unit.
_NOT_SETTINGS = {"replicaof", "slaveof", "daemonize", "supervised", "cluster-config-file"}


class Unusable(Exception):
    """A configuration that the server refuses, in its own words."""


class WrongPassword(Exception):
    """A server answers, and takes none of the passwords that it could have."""


def installed_version():
    """Return the version of the binary, or '' where there is none."""
    if not os.path.exists(BINARY):
        return ""
    says = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"v=(\S+)", says).group(1)


def meaning(text):
    """Return {directive: value} of a configuration as the installed server takes it, defaults included.

    A shadow of the server reads the file, opens a socket in a folder of its own, and answers CONFIG GET: units, aliases
    and defaults are the server's business, not ours. It takes about 20 ms. Raises Unusable where the server refuses.
    """
    found = {}
    for name, args, line in redis_conf.directives(text):
        if args is None:
            raise Unusable(f"unbalanced quotes in: {redis_conf.masked(line).strip()}")
        found.setdefault(name, []).append(args)
    folder = tempfile.mkdtemp(prefix="cistern-shadow-")
    try:
        settings = _ask_shadow(folder, redis_conf.without(text, _LEFT_OUT))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, default in _NOT_IN_SHADOW.items():
        settings[name] = _as_told(name, " ".join(found[name][-1])) if name in found else default
    return settings


def _as_told(name, text):
    """Return a value of the file as CONFIG GET would tell it."""
    if name == "dir":  # the server asks the kernel where it is, and that knows no links
        return os.path.realpath(text)
    if name == "unixsocketperm":
        return text.lstrip("0") or "0"
    return text.lower() if text.lower() in ("yes", "no") else text


def _ask_shadow(folder, text):
    account = pwd.getpwnam("redis")
    path, socket = os.path.join(folder, "redis.conf"), os.path.join(folder, "socket")
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text + f'port 0\nunixsocket {socket}\nunixsocketperm 700\ndir {folder}\nlogfile ""\nappendonly no\n')
    for name in (folder, path):
        os.chown(name, account.pw_uid, account.pw_gid)
    shadow = subprocess.Popen(
        [BINARY, path],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        text=True,
        errors="replace",
    )
    try:
        for _try in range(2000):
            if os.path.exists(socket):
                client = _client(unix_socket_path=socket, password=redis_conf.value(text, "requirepass"))
                try:
                    return _settings(client)
                except redis.ConnectionError:
                    pass
            if shadow.poll() is not None:
                raise Unusable(_complaint(shadow.stdout.read()))
            time.sleep(0.002)
        raise Unusable("it does not answer within 4 s")
    finally:
        shadow.kill()
        shadow.communicate()


def _complaint(output):
    """Return what the server says of a file it refuses, secrets hidden."""
    lines = [line for line in output.splitlines() if line.strip() and not re.match(r"\d+:\S+ \d+ \w+ \d{4} ", line)]
    shown = [
        re.sub(r"^>>> '(.*)'$", lambda found: ">>> " + redis_conf.masked(found.group(1)).strip(), line)
        for line in lines
    ]
    return " ".join(line.strip() for line in (shown or output.splitlines()[-3:]))


def _client(**where):
    return redis.Redis(decode_responses=True, encoding_errors="surrogateescape", socket_connect_timeout=5, **where)


def connect(addresses, ports, passwords, seconds=10):
    """Return a client of the server that answers at one of these places and takes one of these passwords.

    A server that has just been started is given some seconds: not every unit waits until it is ready.

    While a change is half done, the file, the inventory and the server may each say something else; all are tried.
    Raises WrongPassword where a server answers and refuses every password, ConnectionError where none answers.
    """
    places = list(dict.fromkeys(itertools.product(map(_reachable, addresses), map(int, ports))))
    until = time.monotonic() + seconds
    while True:
        client = _try(places, list(dict.fromkeys(passwords)))
        if client:
            return client
        if time.monotonic() > until:
            raise ConnectionError("nothing answers on " + " or ".join(f"{host} port {port}" for host, port in places))
        time.sleep(0.1)


def _try(places, passwords):
    refused = None
    for (host, port), password in itertools.product(places, passwords):
        client = _client(host=host, port=port, password=password or None)
        try:
            client.execute_command("PING")
            return client
        except redis.exceptions.BusyLoadingError:
            return client
        except (redis.exceptions.AuthenticationError, redis.exceptions.ResponseError) as error:
            # an older redis-py reports a missing or needless password as a plain error
            refused = error
        except redis.exceptions.ConnectionError:
            continue
    if refused:
        raise WrongPassword(str(refused))
    return None


def _reachable(address):
    """Return an address to connect to for one to listen on: `-` marks one that may be missing, `*` is all of them."""
    address = address.lstrip("-")
    return {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1", "::*": "::1"}.get(address, address)


def _settings(client):
    answer = client.execute_command("CONFIG", "GET", "*")
    if not isinstance(answer, dict):
        answer = dict(zip(answer[::2], answer[1::2]))
    settings = {name: "" if text is None else str(text) for name, text in answer.items() if name not in _NOT_SETTINGS}
    # What CONFIG GET does not know: renamed commands go by their new names, or are gone; modules are loaded or not.
    commands = client.execute_command("COMMAND")
    names = commands if isinstance(commands, dict) else [command[0] for command in commands]
    settings["rename-command"] = " ".join(sorted(names))
    settings["loadmodule"] = " ".join(sorted(str(module) for module in client.execute_command("MODULE", "LIST")))
    return settings


def running(client):
    """Return {directive: value} of a server that runs."""
    return _settings(client)


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
