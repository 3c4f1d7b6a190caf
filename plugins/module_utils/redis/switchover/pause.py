"""What a switchover changes for a while: who is preferred, and whether a primary takes writes."""

import time
import typing

from ansible_collections.cistern.core.plugins.module_utils.host.errors import Failed
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


class Held:
    """What was changed and has to be put back: the pause, and values, {place: what they were}."""

    def __init__(self, servers, have):
        self.servers, self.have, self.hosts = servers, have, servers.hosts
        self.old = have["primary"]
        self.began: typing.Optional[float] = None
        self.paused = False
        self.changed = {}
        self.priorities = {}

    def prefer(self, step):
        self.priorities[step["at"]] = step["to"] % MARK
        self.servers.ask(step["at"], "CONFIG", "SET", "replica-priority", step["to"])

    def lower(self, step):
        # a promotion may have written the raised one into the file
        self.servers.together(step["at"], ["CONFIG", "SET", "replica-priority", step["to"]], ["CONFIG", "REWRITE"])
        self.priorities.pop(step["at"], None)

    def restore(self, step):
        """Take back what an interrupted run left, its pause as well."""
        at, setting = step["at"], step["setting"]
        self.servers.together(at, *sets({setting: step["to"]}), ["CONFIG", "REWRITE"], *self.unpausing(at))
        self.have["nodes"][at]["settings"][setting] = step["to"]

    def unpausing(self, at):
        return [["CLIENT", "UNPAUSE"]] if can_pause(self.have["nodes"][at]["version"]) else []

    def put_settings_back(self, at):
        self.servers.together(at, *sets(self.changed[at]), ["CONFIG", "REWRITE"])
        self.changed.pop(at)

    def change(self, at, settings):
        """Change settings for now, and remember what they were."""
        was = {name: self.have["nodes"][at]["settings"][name] for name in settings}
        now = {name: value for name, value in settings.items() if value != was[name]}
        if now:
            self.changed[at] = {**{name: was[name] % MARK for name in now}, **self.changed.get(at, {})}
            self.servers.together(at, *sets(now))

    def close_door(self, at, least):
        """Let a server take writes only with so many replicas; a lag of 0 would switch the rule off."""
        has = self.have["nodes"][at]["settings"]
        more = max(least, has[REPLICAS] % MARK)
        self.change(at, {REPLICAS: more, LAG: has[LAG] or 10})

    def keep_still(self, at):
        """Keep a primary from sending pings: one more than the new primary has would cost a full copy of the data."""
        self.change(at, {PING: MARK + self.have["nodes"][at]["settings"][PING] % MARK})

    def seen(self, step):
        """Sentinel reads the priorities every 10 s."""
        until = time.monotonic() + REFRESH
        while True:
            known = self.servers.replicas_seen_by(step["by"])
            if all(known.get(at, {}).get("priority") == value for at, value in step["priorities"].items()):
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
            seen = self.servers.replicas_seen_by(moment["by"]).get(moment["for"])
            if not seen or 600 <= seen["age"] <= 680:
                return
            time.sleep(TICK)

    def pause(self, step):
        self._await_moment(step["moment"])
        self.keep_still(step["at"])
        self.began, self.paused = time.monotonic(), True
        self.servers.ask(step["at"], "CLIENT", "PAUSE", SHORT_PAUSE, "WRITE")

    def close(self, step):
        self._await_moment(step["moment"])
        self.keep_still(step["at"])
        self.began = time.monotonic()
        self.close_door(step["at"], MARK + self.have["nodes"][step["at"]]["settings"][REPLICAS] % MARK)

    def catch_up(self, step):
        self._wait_caught_up(step["at"])
        if self.paused:
            # a pause may have run out while this machine stood still: longer, and then look again
            self.servers.ask(self.old, "CLIENT", "PAUSE", LONG_PAUSE, "WRITE")
            self.close_door(self.old, 1)
        self._wait_caught_up(step["at"])

    def _wait_caught_up(self, replicas):
        lead, until = self.servers.says(self.old), time.monotonic() + CATCH_UP
        if lead["role"] != "primary":
            raise Failed(f"{self.hosts[self.old]} is no longer primary")
        for at in replicas:
            while True:
                says = self.servers.says(at)
                behind = lead["offset"] - says["offset"]
                if says["role"] == "replica" and says["history"][0] == lead["history"][0] and behind <= 0:
                    break
                if time.monotonic() > until:
                    lag = f"{self.hosts[at]} is {behind} bytes behind {self.hosts[self.old]}"
                    raise Failed(f"{lag} {CATCH_UP:.0f} s after the pause")
                time.sleep(TICK)


def sets(settings):
    return [["CONFIG", "SET", name, value] for name, value in settings.items()]
