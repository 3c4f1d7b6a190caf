"""One inventory host that is watched, or that watches: what the inventory says of it, and where."""

import typing

from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import connectable

# Variables that say where the programs of a machine are; its inventory hosts say the same.
OF_THE_MACHINE = ("monitoring_node_port", "monitoring_redis_port", "monitoring_postgresql_port")
LAYERS = ("monitoring_thresholds", "monitoring_route")


class Host(typing.NamedTuple):
    """One inventory host.

    `instance` is {deployment, uri, max_clients, snapshots} of its Redis, `sentinel` the URI of its Sentinel, `node`
    {port, database, coordinates} of its PostgreSQL; each is None where it has none.
    """

    name: str
    machine: tuple
    values: dict
    origins: dict
    broken: dict
    fallback: str
    watches: bool = False
    instance: typing.Optional[dict] = None
    sentinel: typing.Optional[str] = None
    node: typing.Optional[dict] = None

    def get(self, variable, options):
        value = self.values.get(variable)
        return options[variable].get("default") if value is None else value

    def address(self):
        """Return where Prometheus reaches the programs of the machine."""
        return str(self.values.get("monitoring_address") or self.fallback)


def reachable(addresses):
    """Return the first of the addresses a server listens on, as one to connect to, as URLs have it."""
    first = connectable((addresses or ["127.0.0.1"])[0])
    return f"[{first}]" if ":" in first else first
