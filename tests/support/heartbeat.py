"""How long this machine has stood still: what a gap in a load may be excused by, and nothing else."""

import os
import tempfile
import time

from background import Background

EVERY = 0.02
# Later than this is no disk that works, and no scheduler.
STANDS_STILL = 0.05


class Heartbeat(Background):
    """Within its block a thread wakes up, writes to the disk and sleeps, and keeps how late each beat was.

    The hosts of the lab share processors and disk with it: a write that waits for either waits with it.
    """

    def __init__(self):
        super().__init__()
        self._late = []

    def gap(self, load):
        """Return the longest gap of a load, in seconds, without the time that the machine stood still in it."""
        result = load.result()
        began = load.began + result.gap_began
        late = [late for at, late in self._late if began <= at <= began + result.longest_write_gap + EVERY]
        return result.longest_write_gap - sum(each for each in late if each > STANDS_STILL)

    def _run(self):
        with tempfile.TemporaryFile() as file:
            while not self._stop.is_set():
                began = time.monotonic()
                self._stop.wait(EVERY)
                file.write(b"x")
                file.flush()
                os.fsync(file.fileno())
                now = time.monotonic()
                self._late.append((now, now - began - EVERY))
