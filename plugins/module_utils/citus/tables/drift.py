"""Whether tables are distributed as the inventory says. Reads only."""

import contextlib

from ansible_collections.cistern.core.plugins.module_utils.citus import client as citus_sql
from ansible_collections.cistern.core.plugins.module_utils.citus.tables import observe as citus_table_state
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.contract import Have
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.plan import notes, plan
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused


def observe(connection) -> Have:
    have = citus_table_state.observe(connection)
    if have["group"] != 0:
        raise Refused(f"this server is a worker (group {have['group']}); tables are distributed from the coordinator")
    return have


def drift(params):
    """Return {differs, notes}; what cannot be planned now is reported by phase `change`."""
    try:
        with contextlib.closing(citus_sql.connect(params)) as connection:
            have = observe(connection)
        return {"differs": bool(plan(params["tables"], have)), "notes": notes(params["tables"], have)}
    except (citus_sql.Absent, citus_sql.Error, citus_sql.Busy, Refused, OSError, RuntimeError):
        return {"differs": True, "notes": []}
