"""What a switchover changes for a while: who is preferred, and whether a primary takes writes."""

import time
import typing

from ansible_collections.cistern.core.plugins.module_utils.host.errors import Failed
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.contract import Have
from ansible_collections.cistern.core.plugins.module_utils.redis.switchover.plan import (
    LAG,
    MARK,
    PING,
    REPLICAS,
    can_pause,
)

# Milliseconds. The first pause is over before Sentinel misses an answer: its own messages wait behind a pause, too.
SHORT_PAUSE, LONG_PAUSE = 3000, 60000
# Seconds.
CATCH_UP, REFRESH, TICK = 1.0, 30, 0.02


class TemporaryChanges:
    """What was changed and has to be put back: the pause, and values, {endpoint: what they were}."""

    def __init__(self, servers, have: Have):
        self.servers, self.have, self.hosts = servers, have, servers.hosts
        self.old = have["primary"] or ""
        self.began: typing.Optional[float] = None
        self.paused = False
        self.changed: dict = {}
        self.priorities: dict = {}

    def prefer(self, step):
        self.priorities[step["endpoint"]] = step["to"] % MARK
        self.servers.command(step["endpoint"], "CONFIG", "SET", "replica-priority", step["to"])

    def lower(self, step):
        # a promotion may have written the raised one into the file
        self.servers.together(
            step["endpoint"], ["CONFIG", "SET", "replica-priority", step["to"]], ["CONFIG", "REWRITE"]
        )
        self.priorities.pop(step["endpoint"], None)

    def restore(self, step):
        """Take back what an interrupted run left, its pause as well."""
        endpoint, setting = step["endpoint"], step["setting"]
        self.servers.together(endpoint, *sets({setting: step["to"]}), ["CONFIG", "REWRITE"], *self.unpausing(endpoint))
        self.have["nodes"][endpoint]["settings"][setting] = step["to"]

    def unpausing(self, endpoint):
        return [["CLIENT", "UNPAUSE"]] if can_pause(self.have["nodes"][endpoint]["version"]) else []

    def put_settings_back(self, endpoint):
        self.servers.together(endpoint, *sets(self.changed[endpoint]), ["CONFIG", "REWRITE"])
        self.changed.pop(endpoint)

    def change(self, endpoint, settings):
        """Change settings for now, and remember what they were."""
        was = {name: self.have["nodes"][endpoint]["settings"][name] for name in settings}
        now = {name: value for name, value in settings.items() if value != was[name]}
        if now:
            self.changed[endpoint] = {**{name: was[name] % MARK for name in now}, **self.changed.get(endpoint, {})}
            self.servers.together(endpoint, *sets(now))

    def require_replicas(self, endpoint, least):
        """Let a server take writes only with so many replicas; a lag of 0 would switch the rule off."""
        has = self.have["nodes"][endpoint]["settings"]
        more = max(least, has[REPLICAS] % MARK)
        self.change(endpoint, {REPLICAS: more, LAG: has[LAG] or 10})

    def stop_pings(self, endpoint):
        """Keep a primary from sending pings: one more than the new primary has would cost a full copy of the data."""
        self.change(endpoint, {PING: MARK + self.have["nodes"][endpoint]["settings"][PING] % MARK})

    def wait_priorities(self, step):
        """Sentinel reads the priorities every 10 s."""
        until = time.monotonic() + REFRESH
        while True:
            known = self.servers.replicas_known_to(step["by"])
            if all(known.get(endpoint, {}).get("priority") == value for endpoint, value in step["priorities"].items()):
                return
            if time.monotonic() > until:
                name = self.servers.sentinels[step["by"]]
                raise Failed(f"the Sentinel of {name} does not see the priorities after {REFRESH} s")
            time.sleep(0.1)

    # -- no writes

    def _await_moment(self, moment):
        """Wait, before anything stops, until the Sentinel looks at the new primary just after it promotes it.

        It looks every 10 s and, during a failover, a second after the last time; it promotes after 0.2 s.
        """
        until = time.monotonic() + REFRESH
        while moment and time.monotonic() < until:
            wait_priorities = self.servers.replicas_known_to(moment["by"]).get(moment["for"])
            if not wait_priorities or 600 <= wait_priorities["age"] <= 680:
                return
            time.sleep(TICK)

    def pause(self, step):
        self._await_moment(step["moment"])
        self.stop_pings(step["endpoint"])
        self.began, self.paused = time.monotonic(), True
        self.servers.command(step["endpoint"], "CLIENT", "PAUSE", SHORT_PAUSE, "WRITE")

    def close(self, step):
        self._await_moment(step["moment"])
        self.stop_pings(step["endpoint"])
        self.began = time.monotonic()
        self.require_replicas(
            step["endpoint"], MARK + self.have["nodes"][step["endpoint"]]["settings"][REPLICAS] % MARK
        )

    def catch_up(self, step):
        self._wait_caught_up(step["among"])
        if self.paused:
            # a pause may have run out while this machine stood still: longer, and then look again
            self.servers.command(self.old, "CLIENT", "PAUSE", LONG_PAUSE, "WRITE")
            self.require_replicas(self.old, 1)
        self._wait_caught_up(step["among"])

    def _wait_caught_up(self, replicas):
        primary_state, until = self.servers.state(self.old), time.monotonic() + CATCH_UP
        if primary_state["role"] != "primary":
            raise Failed(f"{self.hosts[self.old]} is no longer primary")
        for endpoint in replicas:
            while True:
                state = self.servers.state(endpoint)
                behind = primary_state["offset"] - state["offset"]
                if state["role"] == "replica" and state["history"][0] == primary_state["history"][0] and behind <= 0:
                    break
                if time.monotonic() > until:
                    lag = f"{self.hosts[endpoint]} is {behind} bytes behind {self.hosts[self.old]}"
                    raise Failed(f"{lag} {CATCH_UP:.0f} s after the pause")
                time.sleep(TICK)


def sets(settings):
    return [["CONFIG", "SET", name, value] for name, value in settings.items()]
