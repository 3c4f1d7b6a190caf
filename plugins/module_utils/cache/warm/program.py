"""The filling as a host runs it by itself: `warm [FAMILY ...]` from a timer, `warm-watch` as a service.

The job and its passwords are credentials that systemd hands over. What was done goes to the journal, a line a family.
"""

import json
import os
import signal
import sys

from ...redis import resp
from . import fill as warm
from . import job as warm_job
from . import watch

# syslog's levels, as the journal takes them before a line
INFO, WARNING, ERROR = "<6>", "<4>", "<3>"
LEVELS = {"full": WARNING, "interrupted": WARNING, "failed": ERROR}


def log(level, text):
    print(f"{level if 'JOURNAL_STREAM' in os.environ else ''}{text}", flush=True)


def job_of(names=()):
    """Return (job, folder); with names, of these families alone."""
    text = _credential("job.json")
    job = json.loads("\n".join(line for line in text.splitlines() if not line.startswith("#")))
    unknown = [name for name in names if name not in job["families"]]
    if unknown:
        raise SystemExit(f"there is no family {', '.join(unknown)} to fill")
    job["families"] = {name: job["families"][name] for name in names or job["families"]}
    job["password"] = _credential("redis.password")
    if job["database"]:
        job["database"]["password"] = _credential("database.password")
        if job["database"].pop("ca"):
            job["database"]["sslrootcert"] = os.path.join(os.environ["CREDENTIALS_DIRECTORY"], "database.crt")
    return job, os.environ["STATE_DIRECTORY"].split(":")[0] + f"/{job['name']}"


def _credential(name):
    with open(os.path.join(os.environ["CREDENTIALS_DIRECTORY"], name), encoding="utf-8") as file:
        return file.read().rstrip("\n")


class Signals:
    """Whether the program was told to end."""

    def __init__(self):
        self.stops = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def _stop(self, *_):
        self.stops = True


def fill(job, folder, signals, why="", wait=0):
    """Fill and say what came of it; return whether nothing has failed or was interrupted."""
    if why:
        log(INFO, f"{job['deployment']} {why}: filling {', '.join(job['families'])}")
    try:
        os.makedirs(folder, exist_ok=True)
        with warm_job.locked(folder, min(wait, job.get("seconds", wait))):
            result = warm_job.run(job, folder, stops=lambda: signals.stops, probe=bool(why))
    except (warm_job.Busy, resp.Refused, OSError) as error:
        # the run that is under way does it
        log(WARNING, f"{job['deployment']} is not filled: {error}")
        return isinstance(error, warm_job.Busy)
    except Exception as error:  # noqa: BLE001 - a watcher that ends of it is started again, and comes here again
        log(ERROR, f"{job['deployment']} is not filled, of an error in Cistern: {type(error).__name__}: {error}")
        return False
    if not result["primary"]:
        log(INFO, f"{job['deployment']} is not filled from here: this server is a replica")
        return True
    for report in result["reports"]:
        log(LEVELS.get(report["state"], INFO), warm.sentence(report))
    if result["evicted"]:
        log(WARNING, f"meanwhile the server has evicted {result['evicted']} keys")
    return not any(report["state"] in ("failed", "interrupted") for report in result["reports"])


def warm_once(*names):
    job, folder = job_of(names)
    signals = Signals()
    return fill(job, folder, signals) or signals.stops


def warm_watch():
    """Fill the families that ask for it after each restart and failover."""
    job, folder = job_of()
    os.makedirs(folder, exist_ok=True)
    signals = Signals()
    words = {"restart": "has restarted", "failover": "has a new primary here"}

    def after(occasion):
        names = [name for name, family in job["families"].items() if occasion in (family["warm"].get("after") or ())]
        wanted = {**job, "families": {name: job["families"][name] for name in names}}
        if not names:
            return True
        # what has failed is told, and is not tried every two seconds; the timer comes again
        fill(wanted, folder, signals, words[occasion], wait=warm_job.LOADS)
        return not signals.stops

    watch.watch(job, folder, after, lambda: signals.stops)
    return True


def main(verb, arguments):
    verbs = {"warm": warm_once, "warm-watch": warm_watch}
    sys.exit(0 if verbs[verb](*arguments) else 1)
