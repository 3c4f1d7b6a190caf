"""Whether the nodes of a cluster are those of the inventory, and whether it is well. Reads only."""

import contextlib
import typing

from ansible_collections.cistern.core.plugins.module_utils.citus import client as citus_sql
from ansible_collections.cistern.core.plugins.module_utils.citus import cluster as citus_cluster
from ansible_collections.cistern.core.plugins.module_utils.citus import health as citus_health
from ansible_collections.cistern.core.plugins.module_utils.citus.cluster import endpoint_of
from ansible_collections.cistern.core.plugins.module_utils.citus.nodes.contract import Have, Want
from ansible_collections.cistern.core.plugins.module_utils.citus.nodes.plan import names, notes, plan
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Failed, Refused

FAILURES = (citus_sql.Absent, citus_sql.Error, citus_sql.Busy, Failed, Refused, OSError, RuntimeError)


def observe(connection, want: Want) -> Have:
    have = citus_cluster.observe(
        connection, [endpoint_of(node) for node in want["nodes"] if node["state"] == "present"]
    )
    can_plan = want["rebalance"] and have["group"] == 0 and citus_cluster.reachable(have) and not have["job"]
    return {**have, "uneven": len(citus_cluster.planned(connection)) if can_plan else 0}


def drift(params):
    """Return {differs, notes, health}; what cannot be planned now is reported by phase `change`."""
    want = typing.cast("Want", {**params, "check": True})
    try:
        with contextlib.closing(citus_sql.connect(want)) as connection:
            have = observe(connection, want)
        health = citus_health.health(have, names(want))
        return {"differs": bool(plan(want, have)), "notes": notes(want, have), "health": health}
    except FAILURES:
        return {"differs": True, "notes": []}
