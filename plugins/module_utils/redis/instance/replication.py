"""What part an instance has to take in its deployment: pure, from what its servers and Sentinels say."""

from __future__ import annotations

from ansible_collections.cistern.core.plugins.module_utils.host.errors import LosesData, Refused
from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology
from ansible_collections.cistern.core.plugins.module_utils.redis.contract import Deployment
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.contract import Have, Step, Want


def follow(want: Want, have: Have) -> str | None:
    """Return whom the instance has to follow: an endpoint, '' for the primary, None where that is not ours to say."""
    deployment, decision = want["deployment"], have["decision"]
    if not deployment or not decision:
        return None
    me, runs = deployment["me"], have["running"] is not None
    if not decision.settled:
        if not runs and decision.named == me:
            # nobody took over: the Sentinels wait for this very instance, so it starts as its file says
            _refuse_empty_primary(have, deployment)
            return None
        raise Refused(f"{decision.why}. Nothing was changed here; run again when that has ended.")
    if not runs and decision.why == redis_topology.FIRST_DAY and have["replicaof"] is not None:
        # it is not the first day: all of them are stopped, and their files know who was primary
        return None
    if decision.primary is None:
        if runs or have["replicaof"] is not None:
            return None
        raise Refused(f"{decision.why}, so it is not known whom this instance should follow.")
    if decision.primary == me:
        _refuse_empty_primary(have, deployment)
        return ""
    if runs:
        _refuse_lost_keys(have, deployment, decision.primary)
    return decision.primary


def steps(want: Want, have: Have) -> list[Step]:
    """Return the step that makes a running instance follow its primary, or none."""
    primary, state = follow(want, have), have["state"]
    if not primary or state is None or state["of"] == primary:
        return []
    return [{"do": "replicate", "of": primary, "have": state["of"] or "primary"}]


def switches(want: Want, have: Have) -> bool:
    """Whether the instance hands its part over before it restarts: a primary under Sentinel that has replicas."""
    deployment, state = want["deployment"], have["state"]
    return bool(
        deployment
        and modes.of_deployment(deployment).has_sentinels
        and state
        and state["role"] == "primary"
        and len(deployment["nodes"]) > 1
    )


def _refuse_empty_primary(have: Have, deployment: Deployment):
    """A primary that starts without its data makes its replicas drop theirs."""
    seen = have["seen"]
    if have["running"] is not None or have["stored"] or seen is None:
        return
    others = {
        redis_topology.names(deployment)[endpoint]: state["keys"]
        for endpoint, state in seen["nodes"].items()
        if state["answers"] and state["keys"] and endpoint != deployment["me"]
    }
    if others:
        host = max(others, key=lambda name: others[name])
        raise LosesData(
            f"This instance is primary of {deployment['name']} and would start empty, and its replicas would drop "
            f"their keys ({host} holds {others[host]}): make {host} primary (REPLICAOF NO ONE) and run again."
        )


def _refuse_lost_keys(have: Have, deployment: Deployment, primary):
    """An instance that was a primary of its own has keys that nobody else has."""
    state, seen = have["state"], have["seen"]
    if state is None or seen is None:
        return
    primary_state, host = seen["nodes"][primary], redis_topology.names(deployment)[primary]
    if state["role"] == "replica" or not state["keys"]:
        return
    if any(deployment["me"] in each["replicas"] for each in seen["sentinels"].values()):
        # a former primary that comes back: its Sentinels have decided, and are about to make it a replica themselves
        return
    if not primary_state["answers"]:
        raise Refused(
            f"It holds {state['keys']} keys, and {host}, whose replica it would be, does not answer "
            f"({primary_state['why']}): whether {host} has them too is not known. Run again when it answers."
        )
    if state["history"][0] in primary_state["history"] and state["offset"] <= primary_state["shared"]:
        return
    raise LosesData(
        f"It holds {state['keys']} keys, which joining {deployment['name']} as a replica of {host} would replace. "
        "Empty it (FLUSHALL) if they may go, or take it out of the group."
    )
