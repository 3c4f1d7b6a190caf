"""What a scan found in one database: its keys by family, compared with the policy. No server is asked here."""

import heapq

from ..key_names import shape, shown

BIGGEST, SAMPLES, SHAPES, SHAPES_KEPT = 5, 3, 20, 1000
TENTHS = 10
# The clocks of a primary and of the replica that is walked may differ, and so does when a time was set and is read.
TOLERANCE = 1000


class Tally:
    """Counts pages of keys; `families` is keys.Families of the policy."""

    def __init__(self, policy, families):
        self._of = families.of
        self._families = {name: _Family(family) for name, family in policy["families"].items()}
        self._unknown = _Unknown()

    def add(self, page):
        for key, ttl, size, kind in page:
            name = self._of(key)
            if name is None:
                self._unknown.add(key, ttl, size)
            else:
                self._families[name].add(key, ttl, size, kind)

    def summary(self):
        """Return {keys, bytes, families: {name: ...}, unknown}; keys are text."""
        families = {name: family.summary() for name, family in self._families.items()}
        parts = [*families.values(), unknown := self._unknown.summary()]
        sums = {name: sum(part[name] for part in parts) for name in ("keys", "bytes", "without_ttl")}
        return {**sums, "families": families, "unknown": unknown}


class _Kept:
    """The biggest keys, and a few samples of each kind of what is wrong."""

    def __init__(self):
        self.keys = self.bytes = self.without = 0
        self.biggest, self.samples = [], {}

    def count(self, key, ttl, size):
        self.keys += 1
        self.bytes += size
        if len(self.biggest) < BIGGEST:
            heapq.heappush(self.biggest, (size, key))
        elif size > self.biggest[0][0]:
            heapq.heapreplace(self.biggest, (size, key))
        if ttl < 0:
            self.without += 1

    def sample(self, what, key):
        found = self.samples.setdefault(what, [])
        if len(found) < SAMPLES:
            found.append(key)

    def summary(self):
        return {
            "keys": self.keys,
            "bytes": self.bytes,
            "without_ttl": self.without,
            "biggest": [{"key": shown(key), "bytes": size} for size, key in sorted(self.biggest, reverse=True)],
            "samples": {what: [shown(key) for key in keys] for what, keys in self.samples.items()},
        }


class _Family(_Kept):
    def __init__(self, family):
        super().__init__()
        self.family = family
        self.limit = family["ttl"] * 1000
        self.over, self.types, self.tenths = 0, {}, [0] * TENTHS

    def add(self, key, ttl, size, kind):
        self.count(key, ttl, size)
        self.types[kind] = self.types.get(kind, 0) + 1
        if kind != self.family["type"] and self.family["type"] != "any":
            self.sample("wrong_type", key)
        if ttl < 0:
            self.sample("without_ttl", key)
        elif ttl > self.limit + TOLERANCE:
            self.over += 1
            self.sample("over_ttl", key)
        else:
            self.tenths[min(TENTHS - 1, ttl * TENTHS // self.limit)] += 1

    def summary(self):
        wanted = self.family["type"]
        return {
            **super().summary(),
            "key": self.family["key"],
            "ttl": self.family["ttl"],
            "over_ttl": self.over,
            "tenths": self.tenths,
            "type": wanted,
            "types": self.types,
            "wrong_type": 0 if wanted == "any" else sum(n for kind, n in self.types.items() if kind != wanted),
        }


class _Unknown(_Kept):
    def __init__(self):
        super().__init__()
        self.shapes = {}

    def add(self, key, ttl, size):
        self.count(key, ttl, size)
        name = shape(key)
        # whoever writes keys without a pattern must not fill the memory of the walk
        if name not in self.shapes and len(self.shapes) >= SHAPES_KEPT:
            return
        kept = self.shapes.setdefault(name, [0, 0, key])
        kept[0] += 1
        kept[1] += size

    def summary(self):
        most = sorted(self.shapes.items(), key=lambda item: (-item[1][0], item[0]))[:SHAPES]
        patterns = [
            {"pattern": name, "keys": keys, "bytes": size, "example": shown(key)} for name, (keys, size, key) in most
        ]
        return {**super().summary(), "patterns": patterns}
