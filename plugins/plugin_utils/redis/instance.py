"""One inventory host of the group `redis` or `redis_sentinel`: what the inventory says of it, and where."""

import typing

from ansible_collections.cistern.core.plugins.module_utils.redis import modes

LAYERS = ("redis_config", "redis_group_config", "redis_host_config")


class Instance(typing.NamedTuple):
    """One inventory host. `facts` is None until its machine was asked; `broken` cannot be evaluated."""

    name: str
    machine: tuple
    values: dict
    origins: dict
    broken: dict
    baseline: dict
    mode_baseline: dict = {}
    facts: typing.Optional[dict] = None

    def get(self, variable, options):
        value = self.values.get(variable)
        return options[variable].get("default") if value is None else value

    def address(self):
        """Return where other hosts reach the instance."""
        return self.values.get("redis_address") or self.machine[0]

    def bind(self):
        """Return the addresses that the instance listens on."""
        bind = self.values.get("redis_bind")
        if isinstance(bind, list):
            return [str(address) for address in bind]
        return ["127.0.0.1"] + ([self.address()] if self.replicated() else [])

    def data_dir(self):
        """Return the folder of its data: as it is said, else the role's default."""
        return self.values.get("redis_data_dir") or "/".join(["/var/lib/redis", *self._names()])

    def log_file(self):
        """Return the file of its log, '' for the journal."""
        default = "-".join(["/var/log/redis/redis-server", *self._names()]) + ".log"
        return self.values.get("redis_log_file", default)

    def _names(self):
        return [str(self.values["redis_instance"])] if self.values.get("redis_instance") else []

    def mode(self):
        """Return the name of its mode as it is said, else the role's default."""
        return self.values.get("redis_mode", modes.STANDALONE.name)

    def replicated(self):
        return modes.of(self.mode()).replicated

    def sentinel_password(self):
        return self.values.get("redis_sentinel_password", self.values.get("redis_password"))

    def layers(self):
        """Return the settings of each layer that is a mapping, by its name."""
        return {name: self.values[name] for name in LAYERS if isinstance(self.values.get(name), dict)}

    def directives(self):
        """Return the effective settings, without the computed ones."""
        merged = {**self.baseline, **self.mode_baseline.get(self.mode(), {})}
        for values in self.layers().values():
            merged.update(values)
        return merged
