"""A planned switchover: another instance becomes primary, and no acknowledged write is lost.

Writes are paused at the primary; what every candidate has then is all there is. A pause ends by itself, and Sentinel
may not demote a paused primary before it ends. What keeps the old primary from taking writes after that is
min-replicas-to-write: it is at least 1 while the switchover lasts, and replicas leave a primary that is no longer one.

Killed at any point (SIGKILL), this is left, and no acknowledged write is lost:

before the pause       raised priorities, which are still an order; the next run takes them back
in the first pause     it ends by itself after 3 s; the old primary sends no pings until the next run
in the long pause      Sentinel fails over by itself, or the pause ends after 60 s; min-replicas-to-write may be 1 for 0
during the failover    Sentinel completes it and demotes the old primary, which has no replica and so takes no write
after the failover     the next run makes the old primary a replica and takes the priorities back
without Sentinel       between `promote` and `follow` there are two primaries: the clients' one goes on with its
                       replicas, the new one has none and takes no write; the next run makes it a replica again
with Redis 6.0         the primary refuses writes from `close` on, until the next run of this or of site.yml
"""

import time
import typing

from ansible_collections.cistern.core.plugins.module_utils.host.errors import Failed, Refused
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology
from ansible_collections.cistern.core.plugins.module_utils.redis.contract import Deployment
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.contract import Have, Step
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.observe import ERRORS, Servers
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.pause import (
    LONG_PAUSE,
    TICK,
    TemporaryChanges,
    sets,
)
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.plan import MARK, PING, REPLICAS, describe

# Seconds.
AGREE, IN_SYNC = 10, 60


def switch(deployment: Deployment, passwords, sentinel_password, target=None, report=lambda text: None):
    """Make `target`, or the best replica, primary. Returns the endpoint of the new primary."""
    servers = Servers(deployment, passwords, sentinel_password)
    try:
        have, steps = servers.ready(target)
    except (Refused, *ERRORS) as error:
        raise Failed(str(error)) from error
    return take(servers, steps, have, report)


def take(servers, steps: list[Step], have: Have, report):
    """Take the steps; where one fails, put back what was changed. Returns who is primary at the end."""
    run = Run(servers, have)
    try:
        for step in steps:
            getattr(run, step["do"].replace(" ", "_"))(step)
            report(describe(step, servers.hosts, run.took))
    except BaseException as error:
        left = run.put_back()
        if not isinstance(error, (Failed, RuntimeError, *ERRORS)):
            raise
        names = servers.hosts
        end = f"{names.get(run.new, run.new)} is primary now" if run.new else "everything is as before"
        raise Failed("; ".join([str(error), *left, end])) from error
    return run.new or have["primary"]


class Run(TemporaryChanges):
    """The steps of a switchover, and what has to be put back where one fails."""

    def __init__(self, servers, have: Have):
        super().__init__(servers, have)
        self.new: typing.Optional[str] = None
        self.took: typing.Optional[float] = None
        self.promoted: typing.Optional[str] = None
        self.waiting: dict = {}
        self.early: typing.Optional[str] = None

    # -- another primary

    def fail_over(self, step):
        self.waiting = step
        self.servers.sentinel(step["by"], "FAILOVER", self.servers.deployment["name"])
        self._outcome()
        if not self.new:
            raise Failed("the Sentinel gave the failover up, and its log says why")

    def _outcome(self):
        """Wait until the failover has ended. While it may still complete, writes stay where they are."""
        by, began = self.waiting["by"], time.monotonic()
        limit, renewed, heard = AGREE, began, began
        while time.monotonic() - began < limit:
            self._follow_early()
            try:
                reported, state = self.servers.reported_primary(by), self.servers.master(by)
                heard, limit = time.monotonic(), state["failover_timeout"] + AGREE
                if reported == self.old and "failover_in_progress" not in state["flags"]:
                    reported = self.servers.reported_primary(by)
                    if reported == self.old:
                        break
            except ERRORS:
                # it may have gone with its host; the others tell whether it came to a new primary
                reported = next(
                    (
                        endpoint
                        for endpoint in map(self._reported_primary, self._monitoring())
                        if endpoint not in (None, self.old)
                    ),
                    None,
                )
                if not reported and time.monotonic() - heard > AGREE:
                    break
            if reported not in (None, self.old) and self._is_primary(reported):
                self.new, self.waiting = reported, {}
                return
            if self.paused and time.monotonic() - renewed > 20:
                renewed = time.monotonic()
                self.servers.command(self.old, "CLIENT", "PAUSE", LONG_PAUSE, "WRITE")
            time.sleep(TICK)
        self.waiting = {}
        # one that was promoted and not seen goes back
        self.promoted = next(
            (endpoint for endpoint in self.hosts if endpoint != self.old and self._is_primary(endpoint)), None
        )

    def _follow_early(self):
        """Without a pause, Sentinel's own messages go into the old primary's stream: make it a replica early.

        A stream that is longer than the new primary's costs every replica a full copy of the data.
        """
        if not self.paused and not self.early:
            self.early = next((endpoint for endpoint in self.waiting["among"] if self._is_primary(endpoint)), None)
            if self.early:
                self.servers.command(self.old, "REPLICAOF", *self.early.rsplit(" ", 1))

    def _is_primary(self, endpoint):
        try:
            return self.servers.state(endpoint)["role"] == "primary"
        except ERRORS:
            return False

    def promote(self, step):
        endpoint = step["endpoint"]
        self.promoted = endpoint
        self.require_replicas(endpoint, 1)
        self.servers.together(endpoint, ["REPLICAOF", "NO", "ONE"], ["CONFIG", "REWRITE"])
        if self.servers.state(endpoint)["role"] != "primary":
            raise Failed(f"{self.hosts[endpoint]} did not become primary")

    def follow(self, step):
        endpoint = step["endpoint"]
        if self.promoted and endpoint == self.old:
            # from here on there is no way back
            self.new, self.promoted = self.promoted, None
        commands = [["REPLICAOF", *str(self.new or step["of"]).rsplit(" ", 1)]]
        # a pause cannot be seen: the pings stay off as long as it lasts, so that the next run knows of it
        back = {name: value for name, value in self.changed.get(endpoint, {}).items() if name != PING}
        self.servers.together(endpoint, *commands, *sets(back), ["CONFIG", "REWRITE"])
        for name in back:
            del self.changed[endpoint][name]
        if self.began is None:
            # an interrupted run may have left it paused
            self._release(endpoint)

    # -- writes again

    def resume(self, step):
        """Let clients go when any Sentinel sends them to the new primary, and that one has the replica it needs."""
        until = time.monotonic() + 0.5
        while time.monotonic() < until and not self._is_known():
            time.sleep(TICK)
        self._release(step["endpoint"])
        self.paused = False
        self.took = time.monotonic() - (self.began or time.monotonic())
        for endpoint in list(self.changed):
            self.put_settings_back(endpoint)

    def _is_known(self):
        least = min(1, self.have["nodes"][self.new or self.old]["settings"][REPLICAS] % MARK)
        reported = all(self._reported_primary(endpoint) == self.new for endpoint in self._monitoring())
        return reported and len(self.servers.state(self.new)["replicas"]) >= least

    def _release(self, endpoint):
        """Close the connections of clients, whose waiting writes go with them, then let the others through."""
        commands = [["CLIENT", "KILL", "TYPE", kind] for kind in ("normal", "pubsub")]
        self.servers.together(endpoint, *commands, *self.unpausing(endpoint))

    def _monitoring(self):
        return [endpoint for endpoint, state in self.have["sentinels"].items() if state["answers"] and state["primary"]]

    def _reported_primary(self, endpoint):
        try:
            return self.servers.reported_primary(endpoint)
        except ERRORS:
            return None

    def wait_in_sync(self, _step):
        primary, until = self.new or self.old, time.monotonic() + IN_SYNC
        while True:
            seen = self.servers.look()
            decision = redis_topology.decide(self.servers.deployment, seen)
            problems = redis_topology.out_of_sync(self.servers.deployment, seen, primary)
            if decision.settled and decision.primary == primary and not problems:
                return
            if time.monotonic() > until:
                raise Failed("; ".join(problems or [decision.why]) + f" after {IN_SYNC} s")
            time.sleep(0.1)

    # -- and where a step fails

    def put_back(self):
        """Undo what is not to stay, as far as the servers answer. Returns what could not be, as sentences."""
        left = []

        def attempt(what, function, *args):
            try:
                function(*args)
            except (Failed, RuntimeError, *ERRORS) as error:
                left.append(f"{what} failed ({error}), and the next run takes it up")

        if self.waiting:
            attempt("waiting for the end of the failover", self._outcome)
        if self.promoted:
            attempt(f"making {self.hosts[self.promoted]} a replica again", self._demote, self.promoted)
        if self.new and self.took is None:
            attempt(f"making {self.hosts[self.old]} a replica", self.follow, {"endpoint": self.old, "of": self.new})
        # a primary that two may think to be keeps its writes to itself until it is none, or until the next run
        if not left:
            if self.paused:
                attempt(f"ending the pause of {self.hosts[self.old]}", self._unpause)
            for endpoint in list(self.changed):
                what = f"setting {', '.join(self.changed[endpoint])} of {self.hosts[endpoint]} back"
                attempt(what, self.put_settings_back, endpoint)
        for endpoint, value in list(self.priorities.items()):
            what = f"setting replica-priority of {self.hosts[endpoint]} back"
            attempt(what, self.lower, {"endpoint": endpoint, "to": value})
        return left

    def _unpause(self):
        if self.new:
            self._release(self.old)
        else:
            self.servers.command(self.old, "CLIENT", "UNPAUSE")

    def _demote(self, endpoint):
        if self.early:
            self.servers.together(self.old, ["REPLICAOF", "NO", "ONE"], ["CONFIG", "REWRITE"])
        if self.servers.state(self.old)["role"] == "primary":
            self.servers.together(endpoint, ["REPLICAOF", *self.old.rsplit(" ", 1)], ["CONFIG", "REWRITE"])
