"""Wait until something is so."""

import contextlib
import time

import redis


def wait_for(what, seconds=20):
    """Return what a function finds as soon as that is true; a server that does not answer is asked again."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(redis.RedisError):
            if found := what():
                return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s")
