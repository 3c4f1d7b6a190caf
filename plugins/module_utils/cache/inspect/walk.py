"""Scan the keyspace of a server: SCAN in small pages, with a pause after each. Nothing is written, no value is read.

A page is one read-only script on the server, which returns its keys with their times to live, sizes and types, packed.
Where scripts are refused, the same is asked by plain commands, pipelined.
"""

import hashlib
import struct
import time

from ..client import redis

# A client waits for one page at most, so pages are small: 50 us. With 16 keys a client at this server waits 5 % longer
# on the mean, with 8 it is 2 % (bench/cache_report.py).
PAGE = 8
# Of the server's time the walk takes no more than this, whatever rate it is told; the server says what a page took.
SHARE = 0.15
LOOK_SECONDS = 0.5
# Short delays are caught up, longer ones are not: a walk that was held up does not hurry. Between two pages there is
# always room for others.
LATE = 0.25
ROOM = 2
TYPES = ("none", "string", "hash", "list", "set", "zset", "stream", "other")
GONE = ("unknown command", "ERR unknown command")
COMMANDS = {
    "script": ("evalsha_ro", "evalsha", "eval_ro", "eval"),
    "commands": ("scan", "pttl", "type", "memory|usage", "memory"),
}

# A key that ends between SCAN and the questions is left out.
SCRIPT = """
local types = {string = 1, hash = 2, list = 3, set = 4, zset = 5, stream = 6}
local page = redis.call('SCAN', ARGV[1], 'COUNT', ARGV[2])
local keys, told, n = {}, {}, 0
for _, key in ipairs(page[2]) do
  local ttl = redis.call('PTTL', key)
  local bytes = ttl ~= -2 and redis.call('MEMORY', 'USAGE', key)
  if bytes then
    n = n + 1
    keys[n] = key
    told[n] = struct.pack('<i8I8I4I4', ttl, bytes, types[redis.call('TYPE', key)['ok']] or 7, #key)
  end
end
return {page[1], table.concat(keys), table.concat(told)}
"""
SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
RECORD = struct.Struct("<qQII")


class Scan:
    """A scan, and how it went: `keys`, `pages`, `seconds`, `busy` seconds of the server, asked `by` script or not."""

    def __init__(self, client, rate, by="script", share=SHARE, page=PAGE):
        self.client, self.rate, self.by, self.share, self.page = client, rate, by, share, page
        self.keys, self.pages, self.busy, self.seconds = 0, 0, 0.0, 0.0
        version = client.info("server")["redis_version"]
        # servers before 7.0 have no command for a script that may only read
        self.suffix = "_RO" if int(version.split(".")[0]) >= 7 else ""
        # until the server has said what a page takes
        self._page_seconds = page * 5e-6
        self._looked = self._stats = None

    def pages_of(self, client):
        """Yield the keys of a client's database, page after page: (key, milliseconds to live or -1, bytes, type)."""
        begun = due = time.perf_counter()
        cursor = 0
        while True:
            began = time.perf_counter()
            cursor, keys = self._query(client, cursor)
            self.keys += len(keys)
            self.pages += 1
            self._look(began)
            yield keys
            if not cursor:
                break
            # a page may have no key at all, and still takes its time
            pause = max(max(len(keys), self.page / 4) / self.rate, self._page_seconds / self.share)
            due = max(due, began - LATE) + pause
            time.sleep(max(ROOM * self._page_seconds, due - time.perf_counter()))
        self.seconds += time.perf_counter() - begun
        self._look(None)

    def _look(self, now):
        """Ask the server now and then how long its pages take."""
        if now is not None and self._looked is not None and now - self._looked < LOOK_SECONDS:
            return
        records = self.client.info("commandstats")
        mine = [records[f"cmdstat_{name}"] for name in COMMANDS[self.by] if f"cmdstat_{name}" in records]
        spent, pages = sum(each["usec"] for each in mine) / 1e6, self.pages
        if self._stats and self._stats[0] == self.by and pages > self._stats[2]:
            used = max(0.0, spent - self._stats[1])
            self._page_seconds = used / (pages - self._stats[2])
            self.busy += used
        self._looked, self._stats = now, (self.by, spent, pages)

    def _query(self, client, cursor):
        if self.by == "script":
            try:
                return self._by_script(client, cursor)
            except redis.ResponseError as error:
                # to this user, or taken away by rename-command
                refused = isinstance(error, redis.exceptions.NoPermissionError) or str(error).startswith(GONE)
                if not refused:
                    raise
                self.by = "commands"
        return self._by_commands(client, cursor)

    def _by_script(self, client, cursor):
        words = (0, cursor, self.page)
        try:
            cursor, keys, records = client.execute_command(f"EVALSHA{self.suffix}", SHA, *words)
        except redis.exceptions.NoScriptError:
            cursor, keys, records = client.execute_command(f"EVAL{self.suffix}", SCRIPT, *words)
        found, offset = [], 0
        for ttl, size, kind, length in RECORD.iter_unpack(records):
            found.append((keys[offset : offset + length], ttl, size, TYPES[kind]))
            offset += length
        return int(cursor), found

    def _by_commands(self, client, cursor):
        cursor, names = client.scan(cursor, count=self.page)
        pipeline = client.pipeline(transaction=False)
        for name in names:
            pipeline.pttl(name).memory_usage(name).type(name)
        answers = iter(pipeline.execute())
        found = []
        for name, ttl, size, kind in zip(names, *[answers] * 3):
            if ttl != -2 and size is not None:
                kind = kind.decode()
                found.append((name, ttl, size, kind if kind in TYPES else "other"))
        return cursor, found
