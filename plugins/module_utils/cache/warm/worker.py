"""A filling that goes on by itself, as a process of its own, while short runs look how far it is."""

import contextlib
import os
import signal
import sys
import time
import uuid

from ...redis import resp
from . import checkpoint
from . import job as warm_job

# How long somebody may take to ask for its last word, in seconds.
KEPT = 3600


class Lost(Exception):
    """A filling that has ended without a word."""


def path_of(folder, name):
    return os.path.join(folder, f"job-{name}.json")


def start(job, folder):
    """Start it and return its name, under which it tells how far it is. Raises Busy where another one runs."""
    name = uuid.uuid4().hex
    with warm_job.locked(folder):
        # the last words of those that nobody followed to their end
        for each in os.listdir(folder):
            path = os.path.join(folder, each)
            if each.startswith("job-") and time.time() - os.stat(path).st_mtime > KEPT:
                os.unlink(path)
        state = {"pid": 0, "ended": False, "reports": [], "evicted": 0, "primary": True}
        checkpoint.write(path_of(folder, name), state)
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return name
        # a grandchild in a session of its own, which nobody waits for and whose lock is that of this block
        os.setsid()
        if os.fork():
            os._exit(0)
        code = 1
        try:
            _detach()
            _run(job, folder, path_of(folder, name))
            code = 0
        finally:
            os._exit(code)


def _detach():
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - for the rest of it


def _run(job, folder, path):
    stops = []
    signal.signal(signal.SIGTERM, lambda *_: stops.append(True))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def write_state(result, **more):
        checkpoint.write(path, {"pid": os.getpid(), "ended": False, "why": "", **result, **more})

    try:
        write_state({"reports": [], "evicted": 0, "primary": True})
        write_state(warm_job.run(job, folder, write_state, lambda: bool(stops)), ended=True)
    except (OSError, resp.Refused) as error:
        write_state({"reports": [], "evicted": 0, "primary": True}, ended=True, why=str(error))
    except Exception as error:  # noqa: BLE001 - nobody sees its output
        write_state({"reports": [], "evicted": 0, "primary": True}, ended=True, why=f"{type(error).__name__}: {error}")
        raise


def follow(folder, name, until):
    """Wait until it has ended, or so long; return its state. The last one is returned once."""
    path = path_of(folder, name)
    while True:
        state = checkpoint.read(path)
        if state.get("ended"):
            os.unlink(path)
            return state
        if not state:
            raise Lost("there is no filling called so")
        if state["pid"] and not _runs(state["pid"]) and not checkpoint.read(path).get("ended"):
            os.unlink(path)
            raise Lost("the filling was killed; the next run goes on where it was")
        if time.monotonic() >= until:
            return state
        time.sleep(0.1)


def stop(folder, name):
    """Let it end; it ends behind its present batch."""
    state = checkpoint.read(path_of(folder, name))
    if state.get("pid"):
        # it may have ended meanwhile
        with contextlib.suppress(ProcessLookupError):
            os.kill(state["pid"], signal.SIGTERM)


def running(folder):
    """Return the names of those that run, none where nothing was ever filled."""
    if not os.path.isdir(folder):
        return []
    found = [name[4:-5] for name in os.listdir(folder) if name.startswith("job-")]
    state = {name: checkpoint.read(path_of(folder, name)) for name in found}
    return [name for name, each in state.items() if each.get("pid") and not each["ended"] and _runs(each["pid"])]


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
