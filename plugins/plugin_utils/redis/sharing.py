"""What two instances of one machine must not share: each path and each port belongs to one of them. Pure.

Paths are compared as the file system sees them: without `..` and doubled slashes, and through links once the machine
was asked. A key or a certificate may be read by several, so only what a server writes or listens on is here.
"""

import itertools
import posixpath
import typing

from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import EVERYWHERE
from ansible_collections.cistern.core.plugins.plugin_utils.common.paths import normal
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer, label_of
from ansible_collections.cistern.core.plugins.plugin_utils.redis.instance import LAYERS

SENTINEL_LOG = "/var/log/redis/redis-sentinel.log"


class Claim(typing.NamedTuple):
    """A path or a port of an instance or a Sentinel; `where` is the variable and where it was written, if it was."""

    host: str
    where: str
    written: bool
    value: typing.Union[str, int]
    addresses: frozenset = frozenset()


def shared(members, sentinels, options):
    """Yield (sentence, hosts) for what two hosts of a machine share; `sentinels` are hosts that have a Sentinel."""
    names = {each.name: each.get("redis_instance", options) for each in members}
    instances = [each for each in members if "redis_deployment" in each.values]
    claims = [claim for each in instances for claim in [*_paths(each), *_ports(each, options)]]
    # a machine has one Sentinel, for all deployments on it
    claims += [claim for each in members if each.name in sentinels for claim in _of_sentinel(each, options)][:2]
    reported = set()
    for one, other in itertools.combinations(claims, 2):
        own = one.host == other.host and one.where == other.where
        if own or type(one.value) is not type(other.value) or one.value != other.value:
            continue
        if isinstance(one.value, int) and not _overlap(one.addresses, other.addresses):
            continue
        # one name is one set of files, which is told of the name; a folder of data, of all that lies in it
        within = [one.value, posixpath.dirname(one.value)] if isinstance(one.value, str) else [one.value]
        if any((one.host, other.host, value) in reported for value in within) or (
            one.host != other.host and isinstance(one.value, str) and names[one.host] == names[other.host]
        ):
            continue
        reported.add((one.host, other.host, one.value))
        first, second = (other, one) if one.written and not other.written else (one, other)
        what = "port" if isinstance(one.value, int) else "path"
        taken = f"is taken by {first.where.split(' (')[0]} of {first.host} already"
        machine = members[0].machine[0]
        text = f"{second.where}: {what} {second.value} {taken}, on the same machine ({machine}); give each its own"
        yield text, list(dict.fromkeys([one.host, other.host]))


def _overlap(one, other):
    return bool(one & other or one & set(EVERYWHERE) or other & set(EVERYWHERE))


def _paths(instance):
    """Yield the paths that an instance writes; the folder of its data first."""
    settings = instance.directives()
    folder = instance.data_dir()
    yield _path(instance, "redis_data_dir", folder)
    for name, usual in (
        ("dbfilename", "dump.rdb"),
        ("appenddirname", "appendonlydir"),
        ("appendfilename", "appendonly.aof"),
    ):
        yield _path(instance, name, posixpath.join(folder, str(settings.get(name) or usual)))
    yield _path(instance, "redis_log_file", instance.log_file())
    for name in ("unixsocket", "aclfile"):
        yield _path(instance, name, settings.get(name))


def _path(instance, name, path):
    where, written = _where(instance, name)
    paths = (instance.facts or {}).get("paths", {})
    # a path that is empty or none belongs to nobody else
    value = normal(path, paths) if isinstance(path, str) and path else f"{name} of {instance.name}"
    return Claim(instance.name, where, written, value)


def _ports(instance, options):
    addresses = _bound(instance.bind())
    where, written = _where(instance, "redis_port")
    yield Claim(instance.name, where, written, integer(instance.get("redis_port", options), 0), addresses)
    tls = integer(instance.directives().get("tls-port"), 0)
    if tls:
        where, written = _where(instance, "tls-port")
        yield Claim(instance.name, where, written, tls, addresses)


def _of_sentinel(instance, options):
    bind = instance.values.get("redis_sentinel_bind")
    addresses = _bound(bind if isinstance(bind, list) else ["127.0.0.1", instance.address()])
    where, written = _where(instance, "redis_sentinel_port")
    yield Claim(instance.name, where, written, integer(instance.get("redis_sentinel_port", options), 0), addresses)
    yield _path(instance, "redis_sentinel_log_file", instance.values.get("redis_sentinel_log_file", SENTINEL_LOG))


def _bound(addresses):
    return frozenset(str(address).lstrip("-") for address in addresses)


def _where(instance, name):
    """Return a variable or a directive with the place where it was written, and whether it was."""
    if name in instance.values:
        return label_of(instance, name), True
    for layer in reversed(LAYERS):
        values = instance.values.get(layer)
        if isinstance(values, dict) and name in values:
            return label_of(instance, (layer, name), f"{name} in {layer}"), True
    return name, False
