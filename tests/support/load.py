#!/usr/bin/env python3
"""Load as an application makes it, and the account of it: what was acknowledged, is it there, and how long was nothing.

    tests/support/load.py --sentinel 10.213.5.11:26379 --sentinel 10.213.5.12:26379 --name cache --seconds 20
    tests/support/load.py --address 10.213.5.11:6379 --json found.json   one server, until SIGTERM

The passwords are in REDIS_PASSWORD and SENTINEL_PASSWORD. Every write has a key of its own, and a number is used once:
one whose reply was lost may be there or not, so it counts as failed, and the next attempt has the next number.
"""

import argparse
import collections
import dataclasses
import json
import os
import random
import signal
import sys
import threading
import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, Sentinel
from write_ledger import Errors, Write, gather, missing

# A host that is paused or cut off answers nothing: this is how long an attempt waits for it. A switchover holds writes
# for longer, and then an attempt that gives up in time finds the new primary sooner.
PATIENCE = 0.5
RETRY_AFTER = (0.02, 0.05)


class Load:
    """Writers and a reader until the block ends: on what the Sentinels call the primary, or on one `address` alone."""

    def __init__(self, sentinels=(), name="", password=None, sentinel_password=None, address=None, writers=4, rate=240):
        self.sentinels, self.name, self.address = list(sentinels), name, address
        self.password, self.sentinel_password = password, sentinel_password
        self.run = f"{os.getpid():x}{time.time_ns() // 1000000 & 0xFFFFFF:x}"
        self.interval = writers / rate
        self.began = time.monotonic()
        self.ended = None
        self.errors = Errors(self.began)
        self.writes = [[] for _ in range(writers)]  # each list has one thread that appends
        self.reads = []
        self.reads_wrong = 0
        self._lost = None
        self._recent = collections.deque(maxlen=200)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=[each], daemon=True) for each in range(writers)]
        self._threads.append(threading.Thread(target=self._read, daemon=True))

    def __enter__(self):
        self.began = self.errors.began = self.errors.last = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error):
        self.ended = time.monotonic()
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def client(self, patience=PATIENCE):
        """Return a client of its own. The library repeats nothing by itself, so each attempt is one that is counted."""
        options = {
            "socket_timeout": patience,
            "socket_connect_timeout": patience,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
        }
        own = {**options, "password": self.password, "decode_responses": True}
        if self.address:
            return redis.Redis(*self.address, **own)
        # Shuffled, as among applications on many hosts. Not shared: redis-py moves the Sentinel that answered to the
        # front of the list, and two threads that do so at once can lose one.
        some = random.sample(self.sentinels, len(self.sentinels))
        asked = Sentinel(some, sentinel_kwargs={**options, "password": self.sentinel_password}, **own)
        return asked.master_for(self.name)

    def _failed(self, error, client):
        self.errors.note(error, time.monotonic())
        # A connection that was refused a write may still lead to the old primary: the Sentinels are asked anew.
        client.connection_pool.disconnect()
        self._stop.wait(random.uniform(*RETRY_AFTER))

    def _write(self, writer):
        client, n = self.client(), 0
        while not self._stop.is_set():
            n += 1
            sent = time.monotonic()
            try:
                client.set(f"load:{self.run}:{writer}:{n}", n)
            except Exception as error:  # whatever it is, an application would see it
                self._failed(error, client)
                continue
            write = Write(writer, n, sent, time.monotonic())
            self.writes[writer].append(write)
            self._recent.append(write)
            self._stop.wait(max(0.0, sent + self.interval - time.monotonic()))

    def _read(self):
        client = self.client()
        while not self._stop.is_set():
            try:
                write = random.choice(self._recent) if self._recent else None
                answer = client.get(write.key(self.run)) if write else client.ping() and None
            except Exception as error:
                self._failed(error, client)
                continue
            self.reads.append(time.monotonic())
            self.reads_wrong += bool(write) and answer != str(write.n)
            self._stop.wait(self.interval)

    def silent(self):
        """Return for how many seconds no write of anyone has been acknowledged."""
        return time.monotonic() - max([self.began, *(each[-1].at for each in self.writes if each)])

    def wait_steady(self, seconds=1.0, within=60):
        """Wait until every writer has gone on without an error for that long."""
        until = time.monotonic() + within
        while True:
            now = time.monotonic()
            all_write = all(each and now - each[-1].at < PATIENCE for each in self.writes)
            if all_write and now - max(self.errors.last, self.began) >= seconds:
                return
            if now > until:
                raise TimeoutError(f"no steady load within {within} s; errors: {self.errors.kinds}")
            time.sleep(0.05)

    def verify(self, within=30):
        """Ask the primary of now for every write that was acknowledged; returns those that it does not have."""
        until = time.monotonic() + within
        while True:
            client = self.client(patience=5)
            try:
                if client.execute_command("ROLE")[0] != "master":
                    raise MasterNotFoundError("the server that was asked is a replica")
                lost = missing(client, self.run, [write for each in self.writes for write in each])
                if lost and client.info("stats")["evicted_keys"]:
                    raise RuntimeError("the server evicts keys: what is missing says nothing")
                self._lost = lost
                return lost
            except redis.RedisError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def forget(self):
        """Delete what was written."""
        client = self.client(patience=5)
        for each in self.writes:
            for begin in range(0, len(each), 500):
                client.unlink(*(write.key(self.run) for write in each[begin : begin + 500]))

    def result(self):
        ended = self.ended or time.monotonic()
        writes, reads = [list(each) for each in self.writes], list(self.reads)
        return gather(self.run, self.began, ended, writes, reads, self.reads_wrong, self._lost, self.errors)


def main():
    def place(text):
        host, _, port = text.rpartition(":")
        return host, int(port)

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--sentinel", type=place, action="append", default=[], help="host:port, repeated")
    where.add_argument("--address", type=place, help="host:port of one server")
    parser.add_argument("--name", help="of the deployment, as the Sentinels call it")
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--rate", type=float, default=240, help="writes a second, of all writers")
    parser.add_argument("--seconds", type=float, help="until SIGTERM when left out")
    parser.add_argument("--json", help="file for the whole account, each acknowledged write included")
    args = parser.parse_args()
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    passwords = {"password": os.environ.get("REDIS_PASSWORD"), "sentinel_password": os.environ.get("SENTINEL_PASSWORD")}
    load = Load(args.sentinel, args.name, address=args.address, writers=args.writers, rate=args.rate, **passwords)
    with load:
        end.wait(args.seconds)
    try:
        load.verify(within=0 if args.address else 30)
    except redis.RedisError as error:
        print(f"not verified: {error!r}", file=sys.stderr)
    result = load.result()
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(result), file)
    print(result.summary())
    sys.exit(bool(result.missing))


if __name__ == "__main__":
    main()
