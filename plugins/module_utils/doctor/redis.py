"""An instance as the doctor sees it: its unit, its file, and what the server says of itself, twice. Reads only."""

import functools
import re
import time

from ansible_collections.cistern.core.plugins.module_utils.doctor import machine as doctor_machine
from ansible_collections.cistern.core.plugins.module_utils.doctor import resp as doctor_resp
from ansible_collections.cistern.core.plugins.module_utils.doctor import service as doctor_unit
from ansible_collections.cistern.core.plugins.module_utils.host import logs, secrets
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Unusable
from ansible_collections.cistern.core.plugins.module_utils.redis import acl_file as redis_acl_file
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.module_utils.redis import include as redis_include
from ansible_collections.cistern.core.plugins.module_utils.redis import shadow as redis_shadow

SAMPLE_SECONDS = 1
HOUR = 3600
# What is judged, in the words of INFO and of CONFIG GET.
INFO = re.compile(
    r"(redis_version|process_id|uptime_in_seconds|used_cpu_(sys|user)|loading|role|used_memory|used_memory_rss"
    r"|maxmemory|maxmemory_policy|mem_fragmentation_(ratio|bytes)|evicted_keys|expired_keys|keyspace_(hits|misses)"
    r"|connected_clients|blocked_clients|maxclients|rejected_connections|total_commands_processed"
    r"|total_net_output_bytes|latest_fork_usec|rdb_(last_bgsave_status|changes_since_last_save|last_save_time)"
    r"|aof_(enabled|last_write_status|last_bgrewrite_status)|master_(host|port|link_status|sync_in_progress"
    r"|link_down_since_seconds|last_io_seconds_ago|repl_offset)|slave_repl_offset|connected_slaves"
    r"|min_slaves_good_slaves|(slave|db)\d+|cmdstat_(del|unlink))"
)
CONFIG = (
    "bind",
    "port",
    "protected-mode",
    "maxmemory",
    "maxmemory-policy",
    "maxclients",
    "save",
    "appendonly",
    "dir",
    "stop-writes-on-bgsave-error",
    "min-replicas-to-write",
    "min-replicas-max-lag",
    "slowlog-log-slower-than",
    "latency-monitor-threshold",
    "tcp-backlog",
)
# Of these the running server and its file must tell the same; topology and secrets are judged elsewhere.
_NOT_DRIFT = {
    "replicaof",
    "slaveof",
    *secrets.REDIS,
    "logfile",
    "dir",
    "loadmodule",
    "daemonize",
    "supervised",
    "cluster-config-file",
    "pidfile",
    "maxclients",
}


def observe(want, sockets):
    """Return what there is of an instance; no secret is in it."""
    unit = doctor_unit.observe(want["unit"], want["log"])
    file = doctor_unit.conf(want["conf"])
    text = file.pop("text")
    meaning = _meaning(text, file)
    file["password"] = redis_conf.value(text, "requirepass", "") == want["password"]
    found = {
        "unit": unit,
        "file": file,
        "sockets": [each for each in sockets if each["port"] == want["port"] or each["pid"] == unit["pid"] > 0],
        "endpoints": {},
        "installed": redis_server.installed_version(),
        "may_write": doctor_machine.may_write(want["folder"], redis_server.USER),
        "swapped": doctor_machine.swapped(unit["pid"]),
        "login": "",
        "answers": False,
        "why": "",
    }
    passwords = list(dict.fromkeys([want["password"], redis_conf.value(text, "requirepass", "")]))
    read = functools.partial(_read_state, meaning=meaning)
    for address in want["addresses"]:
        endpoint = f"{address} {want['port']}"
        found["endpoints"][endpoint] = doctor_resp.observe(found, address, want["port"], passwords, read)
    other = redis_conf.value(text, "port", str(want["port"]))
    if not found["answers"] and found["login"] != "refused" and unit["active"] == "active":
        # it may listen somewhere else than it should
        for address, port in dict.fromkeys([("127.0.0.1", want["port"]), ("127.0.0.1", other)]):
            doctor_resp.observe(found, address, port, passwords, read)
    return found


def _meaning(text, file):
    """Return what the server takes its file for; why it would not start with it goes to `problem`."""
    file["problem"] = ""
    if not text or not redis_server.is_installed():
        return {}
    try:
        return redis_shadow.meaning(text)
    except (Unusable, redis_include.Unreadable, redis_acl_file.Unusable, OSError, RuntimeError) as error:
        file["problem"] = " ".join(logs.last(str(error)))
    return {}


def _read_state(connection: doctor_resp.Connection, meaning):
    """Return what a server says of itself; of its counters, what they are SAMPLE_SECONDS later too."""
    pings = []
    for _number in range(5):
        begun = time.monotonic()
        connection.query("PING")
        pings.append((time.monotonic() - begun) * 1000)
    first, begun = _info(connection), time.monotonic()
    settings = doctor_resp.pairs(connection.query("CONFIG", "GET", "*"))
    found = {
        "info": first,
        "config": {name: settings[name] for name in CONFIG if name in settings},
        "ping_ms": round(min(pings), 3),
        "slow": _slow(connection),
        "latency": _latency(connection),
        "drift": sorted(
            name
            for name, value in meaning.items()
            if name in settings and name not in _NOT_DRIFT and str(value) != settings[name]
        ),
    }
    time.sleep(max(0, SAMPLE_SECONDS - (time.monotonic() - begun)))
    connection.extend()
    found.update(later=_info(connection), seconds=round(time.monotonic() - begun, 2))
    return found


def _info(connection: doctor_resp.Connection):
    read = doctor_resp.info(connection.call("INFO", "all"))
    return {name: number(text) for name, text in read.items() if INFO.fullmatch(name)}


def number(text):
    """Return a number where the text is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _slow(connection: doctor_resp.Connection):
    """Return the slow commands of the last hour, without their arguments."""
    [now, _micro] = connection.query("TIME") or [0, 0]
    entries = connection.query("SLOWLOG", "GET", "25") or []
    return [
        {"ms": entry[2] / 1000, "seconds_ago": int(now) - entry[1], "command": str(entry[3][0])[:40]}
        for entry in entries
        if int(now) - entry[1] < HOUR
    ]


def _latency(connection: doctor_resp.Connection):
    """Return the events of the latency monitor of the last hour."""
    [now, _micro] = connection.query("TIME") or [0, 0]
    events = connection.query("LATENCY", "LATEST") or []
    return {
        event[0]: {"max_ms": event[3], "latest_ms": event[2], "seconds_ago": int(now) - event[1]}
        for event in events
        if int(now) - event[1] < HOUR
    }
