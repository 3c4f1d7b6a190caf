"""Fill the families of one instance, one after the other: from a timer, after a restart or failover, from a playbook.

A job is {host, port, user, password, families, database, rate, memory, seconds}; `families` as in a policy, `database`
with its password and, in seconds, how long a statement may take; `seconds`, if there, is for all of it.
The folder of an instance holds its lock and checkpoints.
"""

import contextlib
import fcntl
import os
import time
from time import monotonic as clock

from ...redis import resp
from . import checkpoint, sources
from . import fill as warm
from .commands import Packer, Unfit

# What a run after a restart or a failover waits for the server.
LOADS = 600


class Busy(Exception):
    """Another run fills this instance."""


@contextlib.contextmanager
def locked(folder, seconds=0):
    """Hold the lock of an instance; wait so long for it. Yields its descriptor."""
    descriptor = os.open(os.path.join(folder, "lock"), os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    if os.fstat(descriptor).st_uid == os.geteuid():
        # the user of the units takes it too, whatever the umask of the session that has made it
        os.fchmod(descriptor, 0o644)
    until = time.monotonic() + seconds
    try:
        with contextlib.suppress(PermissionError):
            # one that a module of Ansible made as root is opened by the units too
            os.fchmod(descriptor, 0o644)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= until:
                    raise Busy("another run fills this cache") from error
                time.sleep(0.2)
        yield descriptor
    finally:
        os.close(descriptor)


def connect(job, seconds=30):
    """Return a connection to the instance. Raises ConnectionError or Refused with a sentence of why."""
    connection = None
    try:
        connection = resp.Connection(job["host"], job["port"], job.get("user"), job["password"], seconds)
        connection.call("PING")
    except (OSError, resp.Refused) as error:
        if connection:
            connection.close()
        raise type(error)(f"the server on {job['host']} port {job['port']} refuses: {error}") from error
    return connection


def limited(job, stops=None):
    """Return what says why a run is to end, '' while it is not: it was on_report to, or its time is over."""
    seconds = job.get("seconds")
    until = float("inf") if seconds is None else clock() + seconds

    def ends():
        if stops and stops():
            return "the run was on_report to end"
        if clock() >= until:
            return f"the {seconds} s that cache_warm_seconds leaves are over; the next run goes on"
        return ""

    return ends


def run(job, folder, on_report=None, stops=None, probe=False):
    """Fill every family of a job; return {reports, evicted}. A server that is no primary is not filled.

    `on_report` is called with all reports as they change.
    """
    reports = [warm.report_of(name) for name in job["families"]]
    result = {"reports": reports, "evicted": 0, "primary": True}
    ends = limited(job, stops)
    report_all = (lambda _report: on_report(result)) if on_report else None
    connection = connect(job)
    try:
        result["primary"] = connection.primary()
        if not result["primary"]:
            return result
        before = int(connection.info("stats")["evicted_keys"])
        marks = checkpoint.Checkpoint(os.path.join(folder, "checkpoint.json"), connection.info("server")["run_id"])
        for report, family in zip(reports, job["families"].values()):
            try:
                source = sources.source_of(family, job["database"])
            except sources.Failed as error:
                report.update(state="failed", why=str(error))
                continue
            filling = warm.Filling(connection, report, family, job, marks, report_all, ends, probe)
            filling.run(source)
            if report["state"] in ("interrupted", "full"):
                for rest in reports[reports.index(report) + 1 :]:
                    rest.update(state=report["state"], why=report["why"])
                break
        # the reports are worth more than this figure, which a server that has restarted counts anew
        with contextlib.suppress(OSError, resp.Refused, KeyError, ValueError):
            result["evicted"] = max(0, int(connection.info("stats")["evicted_keys"]) - before)
    finally:
        connection.close()
    return result


def look(job, samples):
    """Return [{family, rows, certain, probed, missing, why}] of what a run would fill; it writes nothing.

    `samples` are {family: {rows, keys}} of files that are not here; None stands for a server that is no primary.
    """
    connection, found = connect(job), []
    try:
        if not connection.primary():
            return None
        for name, family in job["families"].items():
            counts = {"family": name, "rows": 0, "certain": False, "probed": 0, "missing": 0, "why": ""}
            found.append(counts)
            try:
                if name in samples:
                    counts["rows"], counts["certain"], keys = samples[name]["rows"], True, samples[name]["keys"]
                else:
                    source = sources.source_of(family, job["database"])
                    counts["rows"], counts["certain"] = source.count()
                    keys = list(first_keys(source, family))
                if connection.idle():
                    connection.revived()
                connection.send(b"".join(resp.packed("EXISTS", key) for key in keys))
                counts.update(probed=len(keys), missing=connection.lines(len(keys)).count(b":0"))
            except sources.Failed as error:
                counts["why"] = str(error)
    finally:
        connection.close()
    return found


def first_keys(source, family, count=200):
    """Yield the keys of the first rows."""
    packer = Packer(family)
    with contextlib.closing(source.rows()) as rows:
        for number, (row, _position) in enumerate(rows):
            if number >= count:
                return
            if row.__class__ is dict and row.get("value") is not None:
                with contextlib.suppress(Unfit, UnicodeEncodeError):
                    yield packer.key(row)
