"""What is wrong with the variables of one Redis instance: pure functions over what the inventory says.

Each error is a sentence: which variable, where it was written, what is wrong, what to write.
"""

import re

from ansible_collections.cistern.core.plugins.plugin_utils.common import validation as variables
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer, label_of
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis_directives
from ansible_collections.cistern.core.plugins.plugin_utils.redis import links as redis_links
from ansible_collections.cistern.core.plugins.plugin_utils.redis.instance import LAYERS

# Directives that the toolkit computes, with what to write instead.
COMPUTED = {
    "bind": "write redis_bind",
    "port": "write redis_port",
    "requirepass": "write redis_password",
    "masterauth": "write redis_password",
    "primaryauth": "write redis_password",
    "dir": "write redis_data_dir",
    "logfile": "write redis_log_file",
    "pidfile": "leave it out, the unit says where it lies",
    "daemonize": "leave it out, systemd runs the server",
    "supervised": "leave it out, systemd runs the server",
    "replicaof": "leave it out, the servers know who is primary",
    "slaveof": "leave it out, the servers know who is primary",
    "replica-announce-ip": "write redis_address",
    "slave-announce-ip": "write redis_address",
    "replica-announce-port": "write redis_announce_port",
    "slave-announce-port": "write redis_announce_port",
    "cluster-enabled": "write redis_mode",
    "cluster-config-file": "leave it out",
    "user": "leave it out and use ACL SETUSER and CONFIG REWRITE: users are the server's own, a run keeps them",
}
VERSION = r"\d+\.\d+(\.\d+)?"
# The packaged unit hides these folders from the server.
HIDDEN_FOLDERS = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")


def problems(instance, options):
    yield from variables.problems(instance, options, home="group_vars/<deployment>")
    for name in ("redis_password", "redis_sentinel_password"):
        yield from variables.password(instance, name)
    yield from _formats(instance, options)


def _formats(instance, options):
    for name, pattern, problem in (
        ("redis_instance", r"([a-z0-9][a-z0-9-]*)?", "small letters, digits and hyphens"),
        ("redis_deployment", r"[a-z0-9][a-z0-9_-]*", "small letters, digits, hyphens and underscores"),
        ("redis_version", rf"({VERSION})?", 'a version such as "7.0" or "7.0.15", in quotes'),
    ):
        value = instance.values.get(name)
        if isinstance(value, str) and not re.fullmatch(pattern, value):
            yield f"{label_of(instance, name)}: must be {problem}, not '{value}'"
    for name, low, high in (
        ("redis_port", 1, 65535),
        ("redis_oom_score_adjust", -1000, 1000),
        ("redis_memory_headroom", 0, 300),
    ):
        number = integer(instance.values.get(name), low)
        if not low <= number <= high:
            yield f"{label_of(instance, name)}: must be from {low} to {high}, not {number}"
    if instance.get("redis_package_source", options) == "repository":
        repository = instance.values.get("redis_apt_repository") or {}
        missing = [key for key in ("uri", "suite", "components", "key") if not repository.get(key)]
        if missing:
            where = label_of(instance, "redis_apt_repository")
            yield f"{where}: needs {', '.join(missing)} where redis_package_source is repository"
    if instance.values.get("redis_bind") == []:
        yield f"{label_of(instance, 'redis_bind')}: is empty; write at least one address"


def settings(instance, schema):
    """Yield what is wrong with the directives of the instance: each layer by itself, then all of them together."""
    version = _pinned(instance)
    if instance.facts:
        version = _server_version(instance.facts) or version
    # servers of packages.redis.io are built with more than the distributions' are
    vendor = instance.values.get("redis_package_source", "distribution") != "distribution"
    merged = instance.directives()
    for layer in LAYERS:
        values = instance.values.get(layer)
        for key, value in values.items() if isinstance(values, dict) else ():
            messages = (
                [f"is computed; {COMPUTED[key]}"]
                if key in COMPUTED
                else [
                    problem.message
                    for problem in redis_directives.problems({key: value}, schema, version, vendor, together=False)
                ]
            )
            if key == "rename-command" and not messages and value is not None:
                messages += filter(None, [redis_links.renamed(value, instance.mode())])
            if messages:
                merged.pop(key, None)
            for text in messages:
                yield f"{label_of(instance, (layer, key), f'{key} in {layer}')}: {text}"
    for problem in redis_directives.problems(merged, schema, version, vendor):
        written = next(
            (
                layer
                for layer in reversed(LAYERS)
                if isinstance(instance.values.get(layer), dict) and problem.key in instance.values[layer]
            ),
            None,
        )
        where = label_of(instance, (written, problem.key), f"{problem.key} in {written}") if written else problem.key
        yield f"{where}: {problem.message}"


def downgrade(instance):
    """A server cannot be sure to read what a newer one wrote."""
    pinned, installed = _pinned(instance), instance.facts and instance.facts["packages"].get("redis-server")
    if not pinned or not installed:
        return
    has = re.findall(r"^(?:\d+:)?([\d.]+)", installed["version"])[0]
    parts = [int(part) for part in pinned.split(".")]
    if [int(part) for part in has.split(".")][: len(parts)] > parts:
        yield (
            f"{label_of(instance, 'redis_version')}: {pinned} is older than the {has} that is installed, "
            "whose data it may not read; "
            f"write {has} or newer"
        )


def _pinned(instance):
    """Return the pinned version, None where there is none or it is not one."""
    version = instance.values.get("redis_version")
    return version if isinstance(version, str) and re.fullmatch(VERSION, version) else None


def _server_version(facts):
    """Return the version of the server that is installed or would be: 5:7.0.15-1~deb12u1 is 7.0.15."""
    text = (facts["packages"].get("redis-server") or {}).get("version") or facts.get("offered", "")
    found = re.match(r"(?:\d+:)?(\d+\.\d+\.\d+)", text)
    return found.group(1) if found else None


def folders(instance, options):
    for name in ("redis_data_dir", "redis_log_file"):
        path = instance.values.get(name)
        if not isinstance(path, str) or path == "":
            continue
        if not path.startswith("/"):
            yield f"{label_of(instance, name)}: must start with /, not '{path}'"
        for folder in HIDDEN_FOLDERS:
            if f"{path}/".startswith(f"{folder}/"):
                where = label_of(instance, name)
                yield f"{where}: the unit hides {folder} from the server; write a folder elsewhere, such as /srv/redis"
