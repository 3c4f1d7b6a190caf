"""Make a Sentinel forget replicas and Sentinels that are gone. It keeps them for ever otherwise."""

import time

from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel import observe as redis_sentinel_state


def forget(client, name, expected_replicas, expected_sentinels, seconds=30):
    """Reset what a Sentinel knows of a deployment, then wait until it knows again what is expected and nothing else.

    `expected_replicas` and `expected_sentinels` are places, the latter without this Sentinel. Go from one Sentinel to
    the next: one that was just reset knows nobody to agree with. Raises RuntimeError where a failover is in progress
    or due, TimeoutError where the Sentinel does not find everybody again.
    """
    before = _master(client, name)
    if before["trouble"]:
        raise RuntimeError(f"{name} is not reset: its primary {before['place']} is {', '.join(before['trouble'])}")
    client.execute_command("SENTINEL", "RESET", name)
    until = time.monotonic() + seconds
    while True:
        wrong = _wrong(client, name, before["place"], expected_replicas, expected_sentinels)
        if not wrong:
            return
        if time.monotonic() > until:
            raise TimeoutError(f"{seconds} s after its reset the Sentinel {'; '.join(wrong)}")
        time.sleep(0.5)


def _master(client, name):
    says = redis_sentinel_state.pairs(client.execute_command("SENTINEL", "MASTER", name))
    trouble = sorted(set(redis_sentinel_state.flags(says)) - {"master"})
    return {"place": redis_sentinel_state.place(says), "trouble": trouble}


def _wrong(client, name, primary, replicas, sentinels):
    says = _master(client, name)
    wrong = [f"finds the primary {', '.join(says['trouble'])}"] if says["trouble"] else []
    if says["place"] != primary:
        wrong.append(f"names {says['place']} as primary, before it was {primary}")
    for kind, command, expected in (("replica", "REPLICAS", replicas), ("Sentinel", "SENTINELS", sentinels)):
        found, usable = set(), set()
        for entry in client.execute_command("SENTINEL", command, name):
            each = redis_sentinel_state.pairs(entry)
            found.add(redis_sentinel_state.place(each))
            if not {"s_down", "o_down", "disconnected"} & set(redis_sentinel_state.flags(each)):
                usable.add(redis_sentinel_state.place(each))
        wrong += [f"does not reach the {kind} {place}" for place in sorted(set(expected) - usable)]
        wrong += [f"still knows the {kind} {place}" for place in sorted(found - set(expected))]
    return wrong
