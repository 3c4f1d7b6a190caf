"""What a mode of a deployment is: the one place that knows the modes by their names. A new one is a row."""

import typing

# How a client finds the server that it writes to.
SERVER, PRIMARY, SENTINELS = "the server itself", "the primary of the inventory", "the Sentinels"


class Mode(typing.NamedTuple):
    name: str
    # one instance is primary, the others have its data
    replicated: bool
    # Sentinels know who is primary, and promote a replica
    has_sentinels: bool
    # keys are divided among several primaries
    has_slots: bool
    client: str
    # a primary with replicas has one of them take its part before it restarts; else it restarts behind them, as it is
    hands_over: bool


STANDALONE = Mode("standalone", False, False, False, SERVER, False)
_MODES = (
    STANDALONE,
    Mode("replication", True, False, False, PRIMARY, False),
    Mode("sentinel", True, True, False, SENTINELS, True),
)
NAMES = tuple(mode.name for mode in _MODES)
REPLICATED = tuple(mode.name for mode in _MODES if mode.replicated)
# What the inventory says may be anything, and is refused where it is validated.
UNKNOWN = Mode("", False, False, False, "", False)


def of(name):
    """Return the mode of this name; of one that there is not, what has none of all that."""
    return next((mode for mode in _MODES if mode.name == name), UNKNOWN)


def of_deployment(deployment):
    return of(deployment["mode"])
