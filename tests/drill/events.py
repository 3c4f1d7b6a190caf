"""The events of the drill. Each happens under load, ends its own faults, and returns what else there is to say.

An event asserts what its figures cannot show; how much may be lost, and for how long nothing may be written, is in its
declaration. `None` is no limit: the figure is reported.
"""

import dataclasses
import time
from collections.abc import Callable

import faults
from stale import Stale
from write_ledger import missing

# A client that writes all the time does not notice less than this.
NO_GAP = 1.0
SWITCHOVER = 2.0
EVENTS = {}


def failover(down_after):
    """Sentinel waits down-after, agrees, chooses, and the clients find out."""
    return down_after + 4


@dataclasses.dataclass(frozen=True)
class Event:
    title: str
    lost: int | None
    gap: float | Callable | None
    happen: Callable

    def longest(self, down_after):
        return self.gap(down_after) if callable(self.gap) else self.gap


def event(name, title, lost, gap):
    def keep(function):
        EVENTS[name] = Event(title, lost, gap, function)
        return function

    return keep


@event("live-change", "live configuration change on all nodes", lost=0, gap=NO_GAP)
def live_change(cache):
    before = cache.identities()
    wanted = {"maxmemory": "209715200", "slowlog-log-slower-than": "20000", "hz": "20"}
    assert cache.playbook.run({"redis_host_config": wanted}).changed, "nothing was changed"
    for node in cache.nodes.values():
        assert node.direct().config_get(*wanted) == wanted, f"{node} does not have the new values"
    cache.playbook.run()
    assert cache.identities() == before, "a server was restarted"


@event("switchover", "planned switchover, to the best replica and back", lost=0, gap=SWITCHOVER)
def switchover(cache):
    first = cache.primary()
    cache.verb("redis_failover")
    second = cache.primary()
    assert second is not first, f"{first} is still the primary"
    cache.wait_whole()
    cache.verb("redis_failover", redis_failover_to=first.name)
    assert cache.primary() is first, f"{first} was chosen and is not the primary"


@event("rolling-restart", "rolling restart of all nodes", lost=0, gap=SWITCHOVER)
def rolling_restart(cache):
    before = cache.identities()
    cache.verb("redis_restart")
    left = set(cache.nodes) - cache.restarted_since(before)
    assert not left, f"not restarted: {', '.join(sorted(left))}"


@event("primary-killed", "primary killed (SIGKILL), started again by systemd", lost=None, gap=failover)
def primary_killed(cache):
    old = cache.primary()
    faults.kill(old)
    cache.wait_whole()
    return "no failover" if cache.primary() is old else "with a failover"


@event("primary-gone", "primary killed (SIGKILL), down until there is another", lost=None, gap=failover)
def primary_gone(cache):
    old = cache.primary()
    faults.kill(old, stays_down=True)
    cache.other_primary(old)
    cache.load.wait_steady()
    faults.revive(old)


@event("reboot", "primary's host rebooted", lost=None, gap=failover)
def reboot(cache):
    old = cache.primary()
    faults.reboot(old)
    cache.wait_whole()
    return "no failover" if cache.primary() is old else "with a failover"


@event("pause", "primary's host paused for 30 s, and back", lost=None, gap=failover)
def pause(cache):
    old = cache.primary()
    faults.freeze(old)
    until = time.monotonic() + 30
    cache.other_primary(old)
    time.sleep(max(0.0, until - time.monotonic()))
    faults.thaw(old)


@event("partition", "primary's host cut off from everyone for 40 s, and healed", lost=None, gap=failover)
def partition(cache):
    old = cache.primary()
    max_lag = int(old.direct().config_get("min-replicas-max-lag")["min-replicas-max-lag"])
    with Stale(old) as stale:
        time.sleep(3)
        cut = time.monotonic()
        faults.cut_off(old)
        cache.other_primary(old)
        time.sleep(max(0.0, cut + 40 - time.monotonic()))
        faults.heal(old)
        cache.wait_whole()
        time.sleep(1)
    writes = stale.writes()
    assert any(write.at < cut for write in writes), "the client on the host that was cut off never wrote"
    lost = missing(cache.load.client(patience=5), stale.found["run"], writes)
    told = f"a client on the host that was cut off lost {len(lost)} of {len(writes)} acknowledged writes"
    if lost:
        told += f", acknowledged {lost[0].at - cut:.1f} to {lost[-1].at - cut:.1f} s after the cut"
    refused = stale.found["errors"].get("NOREPLICAS")
    if refused:
        told += f"; it was refused (NOREPLICAS) from {stale.found['began'] + refused['first'] - cut:.1f} s on"
    # Redis counts lag in whole seconds and looks once a second, so refusal may come two seconds late.
    assert all(cut - 1 < write.at < cut + max_lag + 2 for write in lost), f"beyond min-replicas-max-lag: {told}"
    ours = [write for write in cache.load.verify() if write.at > cut + 1]
    assert not ours, f"{len(ours)} writes that the side of the majority acknowledged are lost; {told}"
    return told


@event("sentinel-killed", "one Sentinel killed for 10 s, on the primary's host", lost=0, gap=NO_GAP)
def sentinel_killed(cache):
    node = cache.primary()
    faults.kill(node, faults.SENTINEL, stays_down=True)
    time.sleep(10)
    faults.revive(node, faults.SENTINEL)


@event("replica-killed", "one replica killed for 10 s", lost=0, gap=NO_GAP)
def replica_killed(cache):
    node = cache.replicas()[0]
    faults.kill(node, stays_down=True)
    time.sleep(10)
    faults.revive(node)


@event("replica-host-killed", "a whole replica host killed for 10 s", lost=0, gap=NO_GAP)
def replica_host_killed(cache):
    node = cache.replicas()[0]
    faults.power_off(node)
    time.sleep(10)
    faults.power_on(node)


def kill_when(cache, reached, verb):
    """Start a verb's playbook, and kill it and what it runs on the hosts as soon as `reached()`."""
    process = cache.playbook.start({verb: cache.name}, name=verb)
    while not reached():
        if process.poll() is not None:
            raise AssertionError(f"the playbook ended before it could be killed:\n{process.communicate()[0]}")
        time.sleep(0.01)
    faults.kill_run(process)
    process.communicate()
    faults.kill_modules(cache.nodes.values())


def writes_are_held(cache):
    """Return a question: has someone begun to hold the writes of the primary since?"""
    client = cache.primary().direct()

    def pauses():
        return client.info("commandstats").get("cmdstat_client|pause", {}).get("calls", 0)

    before = pauses()
    return lambda: pauses() > before


def recover(cache):
    """Wait until the deployment is whole by itself. A playbook that was killed may leave writes held for a minute."""
    cache.load.wait_steady(within=120)
    cache.wait_whole()


@event("switchover-killed", "playbook killed in the middle of a switchover", lost=0, gap=None)
def switchover_killed(cache):
    told = []
    for moment in ("writes were held", "a replica had become primary"):
        old, replicas = cache.primary(), cache.replicas()
        held = writes_are_held(cache)
        promoted = [node.role for node in replicas]
        reached = held if not told else lambda roles=promoted: any(role() == "master" for role in roles)
        kill_when(cache, reached, "redis_failover")
        recover(cache)
        told.append(f"killed when {moment}: {'the old' if cache.primary() is old else 'a new'} primary")
    old = cache.primary()
    cache.verb("redis_failover")
    assert cache.primary() is not old, "the next run did not finish it"
    return "; ".join(told)


@event("restart-killed", "playbook killed in the middle of a rolling restart", lost=0, gap=None)
def restart_killed(cache):
    before = cache.identities()
    kill_when(cache, lambda: cache.restarted_since(before), "redis_restart")
    recover(cache)
    kill_when(cache, writes_are_held(cache), "redis_restart")
    recover(cache)
    cache.verb("redis_restart")
    assert cache.restarted_since(before) == set(cache.nodes), "the next run did not finish it"
    return "killed after the first node had restarted, and again when writes were held"
