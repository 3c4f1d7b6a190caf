"""sentinel.conf as text: read as Sentinel reads it, changed without touching what Sentinel keeps in it."""

import hashlib
import re

from ansible_collections.cistern.core.plugins.module_utils.host import secrets
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf

# `sentinel NAME VALUE`; all other lines that start with `sentinel` are about one monitor.
OWN = (
    "myid",
    "current-epoch",
    "announce-ip",
    "announce-port",
    "announce-hostnames",
    "resolve-hostnames",
    "sentinel-user",
    "sentinel-pass",
    "deny-scripts-reconfig",
    "loglevel",
)
# What Sentinel finds out by itself.
FOUND = ("known-replica", "known-slave", "known-sentinel", "config-epoch", "leader-epoch", "rename-command")
HOOKS = ("notification-script", "client-reconfig-script")
# Sentinel 6.0 knows none of these, has no SENTINEL CONFIG SET and no ACL.
SINCE_6_2 = ("sentinel-pass", "announce-hostnames", "resolve-hostnames")
# What a Sentinel has where its file says nothing.
DEFAULTS = {
    "down-after-milliseconds": "30000",
    "failover-timeout": "180000",
    "parallel-syncs": "1",
    "master-reboot-down-after-period": "0",
    "auth-user": "",
    "auth-pass": "",
    "notification-script": "",
    "client-reconfig-script": "",
}
OWN_DEFAULTS = {
    "announce-ip": "",
    "announce-port": "0",
    "announce-hostnames": "no",
    "resolve-hostnames": "no",
    "sentinel-user": "",
    "sentinel-pass": "",
}


def live(version):
    """Whether this version changes its own settings and passwords while it runs."""
    return _since(version, [6, 2])


def calls_from_bind(version):
    """Whether a Sentinel of this version makes its own connections from the first address that it listens on."""
    return not _since(version, [7, 0])


def logs_passwords(version):
    """Whether a Sentinel of this version writes auth-pass into its log as it is set (redis/redis#9652)."""
    return not _since(version, [7, 0])


def _since(version, first_version):
    return not version or [int(part) for part in version.split(".")[:2]] >= first_version


def digest(password):
    """Return a password as the server keeps it."""
    return hashlib.sha256(password.encode(errors="surrogateescape")).hexdigest()


def unquoted(password):
    """Whether a password survives a rewrite: Sentinel writes its own passwords as they are, without quotes."""
    return bool(password) and not re.search(r"[\s\0\"']", password)


def _lines(text):
    """Yield (name, arguments, line); the name of a line about Sentinel is `sentinel OPTION`."""
    for name, args, line in redis_conf.directives(text):
        args = line.split()[1:] if args is None else args
        if name == "sentinel" and args:
            yield f"sentinel {args[0].lower()}", args[1:], line
        else:
            yield name, args, line


def read(text):
    """Return {settings, own, monitors, passwords} of a file; passwords are the digests that it accepts."""
    found: dict = {"settings": {}, "own": {}, "monitors": {}, "passwords": []}
    users = None
    for name, args, _line in _lines(text or ""):
        option = name[len("sentinel ") :] if name.startswith("sentinel ") else None
        if option is None:
            found["settings"][name] = args
            if name == "user" and args[:1] == ["default"]:
                users = _accepted(args[1:])
        elif option in OWN:
            found["own"][option] = " ".join(args)
        elif option == "monitor" and len(args) == 4:
            monitor = found["monitors"].setdefault(args[0], dict(DEFAULTS))
            monitor.update(address=args[1], port=args[2], quorum=args[3])
        elif option not in FOUND and len(args) > 1:
            found["monitors"].setdefault(args[0], dict(DEFAULTS))[option] = " ".join(args[1:])
    required = " ".join(found["settings"].get("requirepass", []))
    found["passwords"] = ([digest(required)] if required else []) if users is None else users
    return found


def _accepted(rules):
    return [rule[1:] if rule[0] == "#" else digest(rule[1:]) for rule in rules if rule[:1] in ("#", ">")]


def known_to(text, version):
    """Return the text as this version takes it: without the lines that it would refuse, addresses in its order."""
    refused = [] if live(version) else [f"sentinel {option}" for option in SINCE_6_2]
    drop = {line for name, _args, line in _lines(text) if name in refused}
    ordered = {}
    if calls_from_bind(version):
        announced = [args for name, args, _line in _lines(text) if name == "sentinel announce-ip"]
        ordered = {
            line: " ".join([name, *_callable(args, announced)]) for name, args, line in _lines(text) if name == "bind"
        }
    return "".join(ordered.get(line, line) + "\n" for line in redis_conf.lines_of(text) if line not in drop)


def same(name, args, found, version):
    """Whether a setting that was found is what it should be; the order of addresses is one only where it has a use."""
    if name == "bind" and found and not calls_from_bind(version):
        return sorted(found) == sorted(args)
    return found == args


def _callable(addresses, announced):
    """Return addresses to listen on, first the one at which others know it, last those from which it reaches nobody."""
    return sorted(addresses, key=lambda address: (_is_loopback(address), [address] not in announced))


def _is_loopback(address):
    return address.startswith("127.") or address in ("::1", "localhost")


def monitor_lines(monitor, hooks):
    """Return the lines of {name, address, port, quorum, set} for a Sentinel that has never run."""
    name = monitor["name"]
    lines = [f"sentinel monitor {name} {monitor['address']} {monitor['port']} {monitor['quorum']}"]
    lines += [f"sentinel {option} {name} {value}" for option, value in monitor["set"].items()]
    return lines + [f"sentinel {option} {name} {path}" for option, path in hooks.items() if path]


def log_file(content):
    """Return the path of the log; empty where it goes to the journal."""
    return "".join(read(content)["settings"].get("logfile", []))


def first(content, monitors, hooks):
    """Return the whole file of the first day."""
    lines = [line for monitor in monitors for line in monitor_lines(monitor, hooks)]
    return content + "".join(line + "\n" for line in lines)


def edited(text, content, names, hooks):
    """Return the file with our settings in place of its own, and everything that Sentinel keeps in it.

    `names` are the monitors whose hooks are ours. Sentinel must not run: it would write its memory over this.
    """
    ours = {name for name, _args, _line in _lines(content)} | {"requirepass"}
    kept, present = [], []
    for name, args, line in _lines(text):
        hook = name[len("sentinel ") :] in HOOKS and args[:1] and args[0] in names
        user = name == "user" and args[:1] == ["default"]
        if name not in ours and not hook and not user:
            kept.append(line)
        if name == "sentinel monitor":
            present.append(args[0])
    added = [
        f"sentinel {option} {name} {path}"
        for name in present
        if name in names
        for option, path in hooks.items()
        if path
    ]
    return content + "".join(line + "\n" for line in kept + added)


def masked(text):
    """Return the text with passwords hidden."""
    lines = []
    for line in redis_conf.lines_of(redis_conf.masked(text)):
        words = line.split()
        if len(words) > 2 and words[0].lower() == "sentinel" and words[1].lower() in secrets.SENTINEL:
            line = " ".join([*words[: 3 if words[1].lower() == "auth-pass" else 2], secrets.HIDDEN])
        lines.append(line)
    return "".join(line + "\n" for line in lines)
