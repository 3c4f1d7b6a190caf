"""One inventory host of the group `citus`: what the inventory says of it, and where."""

import re
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

    def endpoint(self, options):
        return {
            "host": self.name,
            "coordinates": self.coordinates,
            "address": self.address(),
            "port": self.get("citus_port", options),
            "state": self.get("citus_node_state", options),
        }

    def package(self, options):
        """Return the package of Citus, of the series and for the PostgreSQL that are wanted."""
        series = ".".join(str(self.get("citus_version", options)).split(".")[:2])
        name = self.get("citus_package", options)
        return name.replace("{postgresql}", self.get("postgresql_version", options)).replace("{citus}", series)

    def other_version(self, installed, options):
        """Return what is `installed` of Citus and is not the wanted version; '' where nothing is.

        13.2.1.citus-1 is 13.2.1.
        """
        package, version, postgresql = (
            self.package(options),
            self.get("citus_version", options),
            self.get("postgresql_version", options),
        )
        for name, has in installed.items():
            if name != package and re.fullmatch(rf"postgresql-{postgresql}-citus(-\d[\d.]*)?", name):
                return f"{name} {has['version']}"
        has = installed.get(package)
        if has and not re.match(rf"{re.escape(version)}(\D|$)", has["version"]):
            return f"{package} {has['version']}"
        return ""
