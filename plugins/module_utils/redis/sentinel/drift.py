"""Whether a Sentinel is what the inventory says, and whether it is well. Reads only."""

from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis.client import Link
from ansible_collections.cistern.core.plugins.module_utils.redis.instance import health as redis_health
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel import observe as redis_sentinel_state
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.contract import Have, Step, Want
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.describe import notes
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.plan import needed, plan

FAILURES = (Refused, redis_server.WrongPassword, redis_server.RedisError, OSError, RuntimeError)


def drift(want: Want) -> dict:
    """Return {differs, notes, health}; planning errors are reported by phase `change`."""
    try:
        have = redis_sentinel_state.observe(want, redis_server.Link())
        differs = bool(plan(want, have)) or bool(have["blocked"])
        return {"differs": differs, "notes": notes(want, have), "health": redis_health.of_sentinel(want, have)}
    except FAILURES:
        return {"differs": True, "notes": []}


def planned(want: Want, link: Link) -> tuple[Have, list[Step]]:
    """Return what there is, and the steps from there; servers are asked who is primary only where a step needs it."""
    have = redis_sentinel_state.observe(want, link)
    names = sorted({*needed(want, have), *have["blocked"]})
    if names:
        redis_sentinel_state.settle(want, have, names)
    return have, plan(want, have)
