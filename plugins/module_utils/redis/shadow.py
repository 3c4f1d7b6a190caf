"""What a redis.conf means: reported by a shadow of the installed server, which reads the file and serves nobody."""

import contextlib
import functools
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time

from ansible_collections.cistern.core.plugins.module_utils.host.errors import Unusable
from ansible_collections.cistern.core.plugins.module_utils.redis import acl_file as redis_acl_file
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.module_utils.redis import include as redis_include
from ansible_collections.cistern.core.plugins.module_utils.redis import users as redis_users

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
    "aclfile": "",
    "appendonly": "no",
    "cluster-enabled": "no",
    "syslog-enabled": "no",
    "maxclients": "10000",
}
# Lines that the shadow leaves out: they act, or they are the server's own.
_LEFT_OUT = {*redis_conf.SERVER_OWNED, "daemonize", "supervised", *_NOT_IN_SHADOW}


def meaning(text, users=()):
    """Return {directive: value} of a configuration as the installed server takes it, defaults included.

    `users` are {name: rules}; what the server makes of them stands under "user NAME". Raises Unusable where the server
    refuses.
    """
    return reported(text, users)[1]


def reported(text, users=()):
    """Return (version, settings): what the installed server is, and the meaning of a configuration.

    A shadow of the server reads the file, opens a socket in a folder of its own, and answers CONFIG GET: units, aliases
    and defaults are the server's business, not ours. It takes about 20 ms. Raises Unusable where the server refuses.
    """
    found: dict = {}
    text = redis_include.expanded(text, redis_server.USER)
    for name, args, line in redis_conf.directives(text):
        if args is None:
            raise Unusable(f"unbalanced quotes in: {redis_conf.masked(line).strip()}")
        found.setdefault(name, []).append(args)
    acl_file = found.get("aclfile", [[""]])[-1][0]
    acl = redis_acl_file.for_shadow(redis_acl_file.read(acl_file, redis_server.USER)) if acl_file else ""
    rules = tuple((name, tuple(words)) for name, words in dict(users).items())
    version, known = _reported(redis_conf.without(text, _LEFT_OUT), rules, (acl_file, acl))
    settings = dict(known)
    for name, default in _NOT_IN_SHADOW.items():
        settings[name] = _as_reported(name, " ".join(found[name][-1])) if name in found else default
    return version, settings


@functools.cache
def _reported(text, rules, acl):
    """What a shadow is and reports of all it can know; a second look, after a change, asks for most of it again."""
    folder = tempfile.mkdtemp(prefix="cistern-shadow-")
    try:
        return _query_shadow(folder, text, lambda client: _running(client, dict(rules)), acl=acl)
    finally:
        # what is left of it holds no secret, and is no reason to fail for
        shutil.rmtree(folder, ignore_errors=True)


def of_a_sentinel(users):
    """Return what a Sentinel of this machine makes of {name: rules}."""
    folder = tempfile.mkdtemp(prefix="cistern-shadow-")
    try:
        return _query_shadow(folder, "", lambda client: redis_users.meanings(client, users), ["--sentinel"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _running(client, users):
    meanings = {redis_users.KEY + name: text for name, text in redis_users.meanings(client, users).items()}
    return _version(client), {**redis_server.running(client), **meanings}


def _version(client):
    try:
        return client.info("server")["redis_version"]
    except redis_server.RedisError:  # a file on disk may have renamed the command; ours may not
        return redis_server.version_of(redis_server.BINARY)


def _as_reported(name, text):
    """Return a value of the file as CONFIG GET would report it."""
    if name == "dir":  # the server asks the kernel where it is, and that knows no links
        return os.path.realpath(text)
    if name == "unixsocketperm":
        return text.lstrip("0") or "0"
    return text.lower() if text.lower() in ("yes", "no") else text


def _query_shadow(folder, text, query, options=(), acl=("", "")):
    account = pwd.getpwnam(redis_server.USER)
    socket = os.path.join(folder, "socket")
    acl_file, acl = acl
    users = _unnamed(acl) if acl else None
    given = f"/proc/self/fd/{users}"
    # with users of a file, requirepass is nobody's password
    password = "" if acl else redis_conf.value(text, "requirepass")
    text += f"aclfile {given}\n" if acl else ""
    text += f'port 0\nunixsocket {socket}\nunixsocketperm 700\ndir {folder}\nlogfile ""\n'
    os.chown(folder, account.pw_uid, account.pw_gid)
    with _given(folder, text, account, options) as (source, words):
        shadow = subprocess.Popen(
            # a run that is killed takes it along
            ["setpriv", "--pdeathsig", "KILL", redis_server.BINARY, *words],
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            pass_fds=[] if users is None else [users],
            text=True,
            errors="replace",
        )
    try:
        for _try in range(2000):
            if os.path.exists(socket):
                client = redis_server.Client(socket=socket, password=password)
                try:
                    return query(client)
                except OSError:
                    pass
            if shadow.poll() is not None:
                output = shadow.stdout.read() if shadow.stdout else ""
                if acl:
                    redis_acl_file.refuse_complaint(output, given, acl_file)
                raise Unusable(_complaint(output))
            time.sleep(0.002)
        raise Unusable("it does not answer within 4 s")
    finally:
        shadow.kill()
        shadow.communicate()
        if users is not None:
            os.close(users)


def _unnamed(text):
    """Return a file without a name: digests of passwords lie on no disk, also where a run is killed."""
    descriptor = os.memfd_create("users")
    os.write(descriptor, text.encode("utf-8", "surrogateescape"))
    return descriptor


@contextlib.contextmanager
def _given(folder, text, account, options):
    """How the shadow gets its configuration, (stdin, arguments): from a file without a name, since it has passwords.

    A run that is killed then leaves none behind. Sentinel wants a file with a name; what it is asked has no secret.
    """
    if options:
        path = os.path.join(folder, "sentinel.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chown(path, account.pw_uid, account.pw_gid)
        yield subprocess.DEVNULL, [path, *options]
        return
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text + "appendonly no\n")
        file.seek(0)
        yield file, ["-"]


def _complaint(output):
    """Return what the server says of a file it refuses, secrets hidden."""
    lines = [line for line in output.splitlines() if line.strip() and not re.match(r"\d+:\S+ \d+ \w+ \d{4} ", line)]
    shown = [
        re.sub(r"^>>> '(.*)'$", lambda found: ">>> " + redis_conf.masked(found.group(1)).strip(), line)
        for line in lines
    ]
    return " ".join(line.strip() for line in (shown or output.splitlines()[-3:]))
