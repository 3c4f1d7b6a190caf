"""Whether an instance is what the inventory says, and whether it is well. Reads only."""

from ansible_collections.cistern.core.plugins.module_utils.host.errors import Failed, LosesData, Refused, Unusable
from ansible_collections.cistern.core.plugins.module_utils.redis import acl_file as redis_acl_file
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.module_utils.redis import include as redis_include
from ansible_collections.cistern.core.plugins.module_utils.redis.client import Link
from ansible_collections.cistern.core.plugins.module_utils.redis.instance import health as redis_health
from ansible_collections.cistern.core.plugins.module_utils.redis.instance import prove as redis_prove
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.contract import Have, Step, Want
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.describe import notes
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.observe import immutable, observe, unreachable
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.plan import plan

# What nothing that a run does could make well.
UNUSABLE = (redis_acl_file.Unusable, redis_include.Unreadable, LosesData)
FAILURES = (Refused, Unusable, redis_server.WrongPassword, redis_server.RedisError, Failed, OSError, RuntimeError)


def drift(want: Want) -> dict:
    """Return {differs, notes, health, role, paths, wrong}; planning errors are reported by phase `change`.

    `paths` are those that its configuration names, `wrong` what could not work there, as sentences.
    """
    wrong = unreachable(want)
    found = {"differs": True, "notes": [], "paths": redis_conf.paths(want["conf"]["content"])}
    try:
        have, steps = planned(want, redis_server.Link())
        health = redis_health.of_instance(want, have)
        # where something differs, the change proves it
        health["instance"] += [] if steps else redis_prove.closed_now(want, have)
        found |= {"differs": bool(steps), "notes": notes(want, have), "health": health, **role(have)}
    except UNUSABLE as error:
        wrong.append(str(error))
    except FAILURES:
        pass
    return {**found, "wrong": wrong}


def planned(want: Want, link: Link) -> tuple[Have, list[Step]]:
    """Return what there is, and the steps from there."""
    have = observe(want, link)
    known = immutable(want["immutable"], have["running_version"] or have["version"])
    return have, plan({**want, "immutable": known}, have)


def role(have: Have) -> dict[str, str]:
    """Return the part that the instance has in its deployment, as a part of the result."""
    return {"role": have["state"]["role"]} if have["state"] else {}
