"""Make a Sentinel forget replicas and Sentinels that are gone. It keeps them for ever otherwise."""

import time

from ansible_collections.cistern.core.plugins.module_utils.redis.connection import pairs
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel import observe as redis_sentinel_state


def forget(client, name, expected_replicas, expected_sentinels, seconds=30):
    """Reset what a Sentinel knows of a deployment, then wait until it knows again what is expected and nothing else.

    `expected_replicas` and `expected_sentinels` are endpoints, the latter without this Sentinel. Go from one Sentinel
    to the next: one that was just reset knows nobody to agree with. Raises RuntimeError where a failover is in progress
    or due, TimeoutError where the Sentinel does not find everybody again.
    """
    before = _master(client, name)
    if before["trouble"]:
        raise RuntimeError(f"{name} is not reset: its primary {before['endpoint']} is {', '.join(before['trouble'])}")
    client.execute_command("SENTINEL", "RESET", name)
    until = time.monotonic() + seconds
    while True:
        wrong = _wrong(client, name, before["endpoint"], expected_replicas, expected_sentinels)
        if not wrong:
            return
        if time.monotonic() > until:
            raise TimeoutError(f"{seconds} s after its reset the Sentinel {'; '.join(wrong)}")
        time.sleep(0.5)


def _master(client, name):
    reported = pairs(client.execute_command("SENTINEL", "MASTER", name))
    trouble = sorted(set(reported["flags"].split(",")) - {"master"})
    return {"endpoint": redis_sentinel_state.endpoint_of_reply(reported), "trouble": trouble}


def _wrong(client, name, primary, replicas, sentinels):
    reported = _master(client, name)
    wrong = [f"finds the primary {', '.join(reported['trouble'])}"] if reported["trouble"] else []
    if reported["endpoint"] != primary:
        wrong.append(f"names {reported['endpoint']} as primary, before it was {primary}")
    for kind, command, expected in (("replica", "REPLICAS", replicas), ("Sentinel", "SENTINELS", sentinels)):
        found, usable = set(), set()
        for entry in client.execute_command("SENTINEL", command, name):
            each = pairs(entry)
            found.add(redis_sentinel_state.endpoint_of_reply(each))
            if not {"s_down", "o_down", "disconnected"} & set(each["flags"].split(",")):
                usable.add(redis_sentinel_state.endpoint_of_reply(each))
        wrong += [f"does not reach the {kind} {endpoint}" for endpoint in sorted(set(expected) - usable)]
        wrong += [f"still knows the {kind} {endpoint}" for endpoint in sorted(found - set(expected))]
    return wrong
