"""Writes to a Citus cluster as an application makes them, and the account: what was acknowledged, and is it there.

Each row has a number of its own. One whose reply was lost may be there or not: it counts as an error, and the next
attempt has the next number.
"""

import threading
import time

import psycopg
from write_ledger import longest_gap

CONVERSATIONS = 64
# A connection is made anew after so many writes, so that each change of a certificate or a password is noticed.
AT_ONCE = 20
ROOM = 10**9  # numbers of one run


class Load:
    """Writers until the block ends. `place` is what psycopg connects to, over TLS as the application's role."""

    def __init__(self, place, writers=3, rate=60):
        self.place, self.interval = place, writers / rate
        self.first = int(time.time()) * ROOM
        self.errors = []  # (seconds since the beginning, what the library says)
        self.acknowledged = {}  # number: when
        self.began = self.ended = None
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=[each], daemon=True) for each in range(writers)]

    def __enter__(self):
        self.began = time.monotonic()
        for thread in self._threads:
            thread.start()
        self.wait_steady()
        return self

    def __exit__(self, *_error):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.ended = time.monotonic()

    def _write(self, writer):
        number, connection = self.first + writer * (ROOM // 100), None
        while not self._stop.is_set():
            number += 1
            sent = time.monotonic()
            try:
                if connection is None:
                    connection = psycopg.connect(**self.place)
                connection.execute(
                    "INSERT INTO messages (conversation_id, message_id, sender_id, body) VALUES (%s, %s, %s, 'load')",
                    (number % CONVERSATIONS + 1, number, writer),
                )
                self.acknowledged[number] = time.monotonic()
            except psycopg.Error as error:
                self.errors.append((round(time.monotonic() - self.began, 2), " ".join(str(error).split())))
            if connection and (number % AT_ONCE == 0 or number not in self.acknowledged):
                connection.close()
                connection = None
            self._stop.wait(max(0.02, sent + self.interval - time.monotonic()))
        if connection:
            connection.close()

    def wait_steady(self, writes=20, within=60):
        """Wait until so many more writes were acknowledged."""
        goal, until = len(self.acknowledged) + writes, time.monotonic() + within
        while len(self.acknowledged) < goal:
            if time.monotonic() > until:
                raise TimeoutError(f"no steady load within {within} s; errors: {self.errors[-3:]}")
            time.sleep(0.05)

    def missing(self):
        """Return the numbers that were acknowledged and are not there."""
        with psycopg.connect(**self.place) as connection:
            found = connection.execute(
                "SELECT message_id FROM messages WHERE message_id BETWEEN %s AND %s", (self.first, self.first + ROOM)
            )
            return sorted(set(self.acknowledged) - {number for (number,) in found})

    def gap(self):
        """Return the longest time, in seconds, without an acknowledged write."""
        return longest_gap(self.acknowledged.values(), self.began, self.ended)[0]

    def summary(self):
        return (
            f"{len(self.acknowledged)} writes in {self.ended - self.began:.1f} s, {len(self.errors)} errors, longest "
            f"without a write {self.gap():.2f} s"
        )


def prepare(connection):
    """Make the conversations that the writers write into."""
    rows = ", ".join(f"({number})" for number in range(1, CONVERSATIONS + 1))
    connection.execute(f"INSERT INTO conversations (conversation_id) VALUES {rows} ON CONFLICT DO NOTHING")
