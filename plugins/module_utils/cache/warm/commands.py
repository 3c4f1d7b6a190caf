"""Rows of a source made into commands of the server (key, value, time to live), and how many of them it takes."""

import json
import random
import re
import time

from ...redis.resp import packed
from ..key_patterns import Pattern

# What exists is kept or replaced, and a collection is there whole, with its time to live, or not at all.
# A call of the server takes some thousand arguments, so a long collection is written in parts.
SCRIPT = """
if ARGV[1] == 'keep' then
  if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
else
  redis.call('DEL', KEYS[1])
end
for first = 4, #ARGV, 1000 do
  redis.call(ARGV[2], KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
WRITERS = {"hash": "HSET", "list": "RPUSH", "set": "SADD", "zset": "ZADD"}
TYPES = ("string", *WRITERS)
# What a key and an element cost the server beside their bytes; rather more than too little.
KEY_COSTS, ELEMENT_COSTS = 160, 64


class Unfit(Exception):
    """A row that cannot become a key, and why."""


class Empty(Exception):
    """A row without a value: there is nothing to write, and nothing is wrong."""


def shortest_life(family):
    """Return the shortest life of a key of a family, in seconds."""
    return family["ttl"] * (100 - family.get("jitter", 0)) / 100


class Packer:
    """Packs the rows of one family; `script` is the digest of SCRIPT on the server, for what is no string."""

    def __init__(self, family, existing="keep", script="", chance=random.random):
        pattern = Pattern(family["key"])
        self.names, self._filled = pattern.names, _filler(pattern)
        self.type, self._keeps, self._script, self._chance = family["type"], existing == "keep", script, chance
        self._longest = family["ttl"] * 1000
        self._shorter = int(self._longest * family.get("jitter", 0) / 100)
        self._tail = b"$2\r\nNX\r\n" if self._keeps else b""
        self._head = b"*%d\r\n$3\r\nSET\r\n" % (6 if self._keeps else 5)

    def key(self, row):
        """Return the key of a row (bytes)."""
        try:
            return self._filled(row)
        except KeyError as error:
            raise Unfit(f"has no {error.args[0]}") from error

    def lives(self):
        """Return the milliseconds that the next key lives."""
        return self._longest - int(self._chance() * self._shorter) if self._shorter else self._longest

    def pack(self, row):
        """Return (the packed command, what it may cost the server in bytes)."""
        key = self.key(row)
        try:
            value = row["value"]
        except KeyError as error:
            raise Unfit("has no value") from error
        if value is None:
            raise Empty
        if self.type == "string":
            text = (value if isinstance(value, str) else _json(value)).encode()
            lives = b"%d" % self.lives()
            command = b"%b$%d\r\n%b\r\n$%d\r\n%b\r\n$2\r\nPX\r\n$%d\r\n%b\r\n%b" % (
                self._head, len(key), key, len(text), text, len(lives), lives, self._tail
            )  # fmt: skip
            return command, KEY_COSTS + len(key) + len(text) + (len(text) >> 2)
        words = _elements(self.type, value)
        if not words:
            raise Empty
        mode = "keep" if self._keeps else "replace"
        command = packed("EVALSHA", self._script, 1, key, mode, WRITERS[self.type], self.lives(), *words)
        return command, KEY_COSTS + 2 * len(command) + ELEMENT_COSTS * len(words)


def _filler(pattern):
    """Return what makes a row into its key. The usual pattern with one placeholder, at its end, goes the short way."""
    if len(pattern.names) == 1 and len(pattern.parts) == 2 and pattern.parts[0][0] == "text":
        head, name = pattern.parts[0][1], pattern.names[0]

        def short(row):
            part = row[name]
            if part.__class__ is not int:
                part = _part(name, part)
            return f"{head}{part}".encode()

        return short

    def filled(row):
        return "".join(value if kind == "text" else _part(value, row[value]) for kind, value in pattern.parts).encode()

    return filled


def _part(name, value):
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Unfit(f"has {_json(value)} as {name}, which must be text or a whole number")
    text = str(value)
    if not text or ":" in text:
        raise Unfit(f"has {text!r} as {name}, with which the key would belong to no family")
    return text


def _json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _elements(kind, value):
    """Return the words of a collection, as its command takes them."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise Unfit(f"has a value that is no JSON: {error}") from error
    if isinstance(value, list) and kind in ("list", "set"):
        return [_text(each) for each in value]
    if not isinstance(value, dict) or kind in ("list", "set"):
        wanted = {"hash": "of fields", "zset": "of members and their scores"}
        raise Unfit(f"has a value that is no JSON {'array' if kind in ('list', 'set') else 'object ' + wanted[kind]}")
    if kind == "hash":
        return [_text(each) for pair in value.items() for each in pair]
    if not all(isinstance(score, (int, float)) and not isinstance(score, bool) for score in value.values()):
        raise Unfit("has a score that is no number")
    return [_text(each) for member, score in value.items() for each in (score, member)]


def _text(value):
    return value if isinstance(value, str) else _json(value)


class Pace:
    """Lets so many keys through a second, 0 as many as there are."""

    def __init__(self, rate, now=time.monotonic, sleep=time.sleep):
        self._rate, self._now, self._sleep = rate, now, sleep
        self._began, self._count = now(), 0

    def batch(self, most=1000):
        """Return how many keys to send at once: a tenth of a second of them at most."""
        return max(1, min(most, self._rate // 10)) if self._rate else most

    def sent(self, count):
        """Wait as long as these keys are ahead of their time."""
        if not self._rate:
            return
        self._count += count
        ahead = self._began + self._count / self._rate - self._now()
        if ahead > 0:
            self._sleep(ahead)
        elif ahead < -1:
            # what a slow source has not used is not made up for
            self._began, self._count = self._now(), 0


class Memory:
    """What of the server's memory a run may still use; INFO is asked again before half of it can be gone."""

    def __init__(self, connection, share, now=time.monotonic):
        self._connection, self._share, self._now = connection, share, now
        self._left, self._looked, self.evicted, self.text = 0, None, None, ""

    def due(self, cost):
        """Whether the server has to be asked before so much is written."""
        return self._looked is None or self._left < cost or self._now() - self._looked > 1

    def look(self):
        info = self._connection.info("memory")
        limit, used = int(info["maxmemory"]), int(info["used_memory"]) - int(info.get("mem_not_counted_for_evict", 0))
        self._looked = self._now()
        self._left = (int(limit * self._share) - used) // 2 if limit else 1 << 62
        self.text = f"{used >> 10} KB of {limit >> 10} KB are used, and cache_warm_memory is {self._share}"

    def take(self, cost):
        """Whether so much may be written."""
        self._left -= cost
        return self._left >= 0


# What ends a family, by the first word of the server's answer: the state it is left in, and why.
ENDS = {
    "OOM": ("full", "the server takes no more writes, its memory is full (OOM)"),
    "READONLY": ("interrupted", "this server has become a replica; the new primary is filled from its own host"),
    "NOREPLICAS": ("interrupted", "the server takes no writes without a replica (min-replicas-to-write)"),
    "LOADING": ("interrupted", "the server still loads its data"),
    "MASTERDOWN": ("interrupted", "this server is a replica that has lost its primary"),
    "NOSCRIPT": ("interrupted", "the script was taken from the server (SCRIPT FLUSH)"),
    "MISCONF": ("failed", "the server takes no writes while it cannot save (MISCONF); see its log"),
    "NOPERM": ("failed", "the user of the server may not do this"),
    "NOAUTH": ("failed", "the server asks for a password"),
    "MOVED": ("failed", "this server holds a part of the keys only"),
}
# Redis 6 puts what a script has run into behind words of its own: "ERR Error running script (...): ...: -OOM ...".
CODE = re.compile(rf"(?:^|^ERR Error running script .*? -)({'|'.join(ENDS)})\b", re.DOTALL)


def end_of(text):
    """Return the end of a family (state, why) that an error of the server means, None for one that means none."""
    found = CODE.search(text)
    return found and ENDS.get(found[1])
