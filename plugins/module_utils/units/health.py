"""What has failed of units that run by themselves: a service that a timer starts ends unseen. Reads only."""

from ansible_collections.cistern.core.plugins.module_utils.host import systemd
from ansible_collections.cistern.core.plugins.module_utils.units.contract import Want

LINES = 3


def sentences(want: Want) -> list[str]:
    """Return a sentence for each unit that has failed, with its last words; `want` is that of systemd_units."""
    names = [name for unit in want["units"] if not unit["absent"] for name in _services(unit["name"])]
    return [
        f"{name} has failed; its last words: {' | '.join(systemd.last_words(name).splitlines()[-LINES:])}"
        for name, state in systemd.observe_all(names).items()
        if state["active"] == "failed"
    ]


def _services(name):
    """Return the units whose failure counts: that of a timer is that of the service which it starts."""
    return [name] if not name.endswith(".timer") else [name, name[: -len(".timer")] + ".service"]
