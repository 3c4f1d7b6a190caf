"""One inventory host of the group `citus`: what the inventory says of it, and where."""

import typing

LAYERS = ("citus_config", "citus_group_config", "citus_host_config")
PREFIXES = ("citus_", "postgresql_")


class Node(typing.NamedTuple):
    """One inventory host; `broken` cannot be evaluated."""

    name: str
    coordinates: bool
    machine: tuple
    values: dict
    origins: dict
    broken: dict

    def get(self, variable, options):
        value = self.values.get(variable)
        return options[variable].get("default") if value is None else value

    def address(self):
        """Return where the other nodes and the application reach it."""
        return self.values.get("citus_address") or self.machine[0]

    def data_dir(self, options):
        """Return the folder of its data: as it is said, else the role's default."""
        version, cluster = (self.get(name, options) for name in ("postgresql_version", "citus_cluster"))
        return str(self.values.get("citus_data_dir") or f"/var/lib/postgresql/{version}/{cluster}")

    def place(self, options):
        return {
            "host": self.name,
            "coordinates": self.coordinates,
            "address": self.address(),
            "port": self.get("citus_port", options),
            "state": self.get("citus_node_state", options),
        }
