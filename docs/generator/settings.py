"""The PostgreSQL settings of the citus role: what it writes, what it computes, and which names of Citus it knows."""

from generator.markdown import code, table
from generator.sources import assigned, load, run

MACHINES = {
    "4 GB, 2 cores, 3 nodes": ({"memory_mb": 4096, "cores": 2}, 3),
    "64 GB, 16 cores, 9 nodes": ({"memory_mb": 65536, "cores": 16}, 9),
}
BASELINE = """
# Settings of PostgreSQL

What `citus_config`, `citus_group_config` and `citus_host_config` may hold: any setting in the server's own spelling,
laid over the baseline in this order. Booleans are booleans, a list is written with commas, `null` takes a setting away,
`''` is an empty value. The server itself reads them before they replace anything.

## Baseline

What the role writes where the inventory says nothing else. Memory follows from the machine, background processes from
its cores, and connections from the number of nodes: each node has room for its own clients, for a pool of connections
from every node, and for operators. So `max_connections` is `citus_client_connections`, here {clients}, plus the nodes
times `citus.max_shared_pool_size`, plus `superuser_reserved_connections`. There is room for {room} nodes, or twice as
many, and so on, so that one that joins does not make all others restart.

"""
COMPUTED = """
## Computed

Refused in the settings: the toolkit writes them itself, or they are the server's own. `output_plugin_libraries` is
written where the installed server knows it: from {since}, and in every later major version.

"""
NAMES = """
## Settings of Citus

PostgreSQL takes any name with a dot, so the check has a list of those of Citus. The column *Citus* is empty where all
series from 12.1 on have the setting.

"""


def settings():
    """Sections of the page that has the role's variables."""
    pure = run("plugins/module_utils/citus/server/settings.py")
    options = load("roles/citus/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    clients = options["citus_client_connections"]["default"]
    computed = assigned("plugins/plugin_utils/citus/inventory.py")["COMPUTED"]
    known = load("plugins/plugin_utils/citus/data/settings.yml")["__citus_settings"]
    since = ", ".join(f"{major}.{minor}" for major, minor in sorted(pure.PLUGIN_LIST_SINCE.items()))
    return (
        BASELINE.format(clients=clients, room=pure.LEAST_ROOM)
        + table(("setting", *MACHINES), *outcome(pure, clients))
        + COMPUTED.format(since=since)
        + table(("setting", "instead"), *((f"`{name}`", say) for name, say in sorted(computed.items())))
        + NAMES
        + table(("setting", "Citus"), *((f"`{name}`", versions_of(rule)) for name, rule in known.items()))
    )


def outcome(pure, clients):
    """Rows of settings, with a column for each machine."""
    columns = [pure.baseline(machine, {"nodes": nodes, "clients": clients}) for machine, nodes in MACHINES.values()]
    return [(f"`{name}`", *(code(column[name]) for column in columns)) for name in columns[0]]


def versions_of(rule):
    said = {"since": "from {}", "until": "before {}"}
    return ", ".join(say.format(rule[key]) for key, say in said.items() if key in rule)
