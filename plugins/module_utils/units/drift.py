"""Whether units, their files and their users are what the inventory says. Reads only."""

import os

from ansible_collections.cistern.core.plugins.module_utils.host import facts
from ansible_collections.cistern.core.plugins.module_utils.host.claims import judge
from ansible_collections.cistern.core.plugins.module_utils.host.claims import observe as claims
from ansible_collections.cistern.core.plugins.module_utils.units import health
from ansible_collections.cistern.core.plugins.module_utils.units.observe import observe
from ansible_collections.cistern.core.plugins.module_utils.units.options import wanted
from ansible_collections.cistern.core.plugins.module_utils.units.plan import plan


def drift(params):
    """Return {differs, notes, health}; what is in the way, and packages that are missing, count as differences."""
    want, _secret = wanted(params)
    if judge.problems(want["claims"], claims.observe(want["claims"])) or facts.missing(want["packages"]):
        return {"differs": True, "notes": []}
    if want["where"] and not os.path.exists(want["where"]):
        return {"differs": False, "notes": []}
    steps = plan(want, observe(want))
    return {"differs": bool(steps), "notes": [], "health": health.sentences(want)}
