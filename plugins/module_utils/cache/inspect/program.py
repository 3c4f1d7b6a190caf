"""The metrics of a cache as a host tells them by itself: `metrics`, from a timer.

Each instance of a deployment runs it, and one of them is walked. The others take their file away, so that nothing old
is told. The job and the password are credentials that systemd hands over.
"""

import json
import os
import time

from ...host import atomic
from .. import client as connection
from ..client import redis
from . import metrics
from .election import elect
from .survey import survey

# A primary answers the application: it is walked more slowly.
PRIMARY = 4


def main(_verb, _arguments):
    job = read()
    try:
        done = run(job)
    except redis.ConnectionError as error:
        remove(job["file"])
        # that the server is down is told by others
        done = f"nothing is told: {error}"
    print(f"{job['policy']['deployment']}: {done}", flush=True)


def read():
    text = _credential("job.json")
    job = json.loads("\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return {**job, "password": _credential("redis.password").rstrip("\n")}


def _credential(name):
    with open(os.path.join(os.environ["CREDENTIALS_DIRECTORY"], name), encoding="utf-8") as file:
        return file.read()


def run(job):
    """Scan the instance if it is elected, and return what was done."""

    def connect(number):
        return connection.connect(job["addresses"], job["port"], job["password"], job["user"], number)

    whose = elect(connect(0).info("replication"), job["host"], job["nodes"])
    if not whose.mine:
        remove(job["file"])
        return whose.why
    # by plain commands, for which the user needs no right to run scripts
    found = survey(connect, job["policy"], job["rate"] / (PRIMARY if whose.role == "primary" else 1), "commands")
    # until it is whole its name does not end in .prom, and the exporter takes no notice
    atomic.write(job["file"], metrics.text(found, job["policy"], time.time()))
    return f"{whose.why}: {found['walk']['keys']} keys in {found['walk']['seconds']:.1f} s"


def remove(path):
    if os.path.exists(path):
        os.unlink(path)
