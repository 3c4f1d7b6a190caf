"""Fill one key family from its source: in batches, at a pace, within the server's memory, to be gone on with later."""

import collections
import time
import typing

from ...redis.resp import Refused
from .commands import SCRIPT, Empty, Memory, Pace, Packer, Unfit, end_of, shortest_life
from .sources import Broken, Failed, Gone

BATCH, BATCH_BYTES = 1000, 1 << 18
# Where so many first keys are all there, a run after a restart or a failover takes the family for warm.
PROBED = 1000
# So many first keys are remembered, and have to be there where a family is gone on with.
FIRST = 20
# After so many rows it is asked whether the run is to end.
CHECKED = 1000
SHOWN = 3


class Stopped(Exception):
    """The run is to end, and why."""


def report_of(name):
    """Return the report of a family that has not begun."""
    counts = dict.fromkeys(("read", "written", "kept", "empty", "failed"), 0)
    return {"family": name, "state": "waiting", "why": "", **counts, "from": 0, "seconds": 0.0, "wrong": []}


class Filling:
    """One family on its way; `on_report` is called with its report as it goes, `stops` says why the run is to end."""

    def __init__(self, connection, report, family, options, checkpoint=None, on_report=None, stops=None, probe=False):
        self._connection, self.report, self._family = connection, report, family
        self._checkpoint, self._on_report, self._stops, self._probe = checkpoint, on_report, stops, probe
        self._memory, self._pace = Memory(connection, options["memory"]), Pace(options["rate"])
        self._size = self._pace.batch(BATCH)
        self._batch, self._cost, self._bytes = [], 0, 0
        # (commands, the position behind them) of batches that the server has, and whose replies have not been read
        self._sent: collections.deque = collections.deque()
        self._saved = time.monotonic()
        self._source: typing.Any = None
        self._position, self._whole, self._first = None, True, []

    def run(self, source):
        """Fill from a source, to its end or to where it cannot go on; the report says which."""
        report, began = self.report, time.monotonic()
        report["state"] = "filling"
        try:
            self._source = source
            self._fill()
            end = ("done", "")
        except Gone as error:
            end = ("interrupted", str(error))
        except Failed as error:
            end = ("failed", str(error))
        except Stopped as error:
            end = ("interrupted", str(error))
        except OSError as error:
            end = ("interrupted", f"the connection to the server was lost ({error})")
        except Refused as error:
            end = end_of(str(error)) or ("failed", f"the server answers {error}")
        except _Ended as ended:
            end = ended.args
        finally:
            self._drain()
        self._end(*end)
        report["seconds"] = round(time.monotonic() - began, 3)
        return report

    def _fill(self):
        family, report = self._family, self.report
        self._awake()
        script = "" if family["type"] == "string" else self._connection.call("SCRIPT", "LOAD", SCRIPT).decode()
        packer = Packer(family, family["warm"].get("existing", "keep"), script)
        pack, first = packer.pack, self._first
        self._goes_on()
        start = position = self._start()
        report["from"] = start[0] if start else 0
        for row, position in self._source.rows(start):  # noqa: B007 - the last one is needed
            report["read"] += 1
            if not report["read"] % CHECKED:
                # also where nothing is there to be sent
                self._goes_on()
            try:
                if row.__class__ is Broken:
                    raise Unfit(row)
                command, cost = pack(row)
            except Empty:
                report["empty"] += 1
                continue
            except (Unfit, UnicodeEncodeError) as error:
                self._wrong(f"row {position[0]} {error}")
                continue
            if len(first) < FIRST:
                first.append(packer.key(row).decode())
            self._batch.append(command)
            self._cost += cost
            self._bytes += len(command)
            if len(self._batch) >= self._size or self._bytes > BATCH_BYTES:
                self._send(position)
        self._send(position)
        self._answers()

    def _start(self):
        """Return where to go on; None for the start, also where what was written is gone (FLUSHDB)."""
        marks, name = self._checkpoint, self.report["family"]
        if not marks:
            return None
        start = marks.position(name, self._source.digest, shortest_life(self._family))
        first = marks.first(name) if start else []
        if first and self._connection.call("EXISTS", *first) == len(first):
            return start
        marks.begin(name)
        return None

    def _awake(self):
        """A server closes a connection that is idle (`timeout`), as this one is while a query works: connect anew."""
        if not self._connection.idle():
            return
        self._answers()
        marks = self._checkpoint
        if self._connection.revived() and marks and self._connection.info("server")["run_id"] != marks.server:
            raise _Ended("interrupted", "the server has restarted; the next run begins anew")

    def _goes_on(self):
        why = self._stops() if self._stops else ""
        if why:
            raise Stopped(why)

    def _send(self, position):
        """Send the batch, then read the answers to the one before it: the server works while rows are packed."""
        self._goes_on()
        if self._batch:
            self._awake()
            if self._memory.due(self._cost):
                self._answers()
                self._memory.look()
            if not self._memory.take(self._cost):
                raise _Ended("full", f"memory: {self._memory.text}")
            count = len(self._batch)
            self._connection.send(b"".join(self._batch))
            self._sent.append((count, position))
            self._batch, self._cost, self._bytes = [], 0, 0
            self._answers(left=1)
            self._pace.sent(count)
        if time.monotonic() - self._saved > 0.5:
            self._save()

    def _answers(self, left=0):
        """Read the answers to all batches but so many."""
        while len(self._sent) > left:
            self._counted(*self._sent.popleft())
            if self._probe and not self.report["written"] and self.report["kept"] >= PROBED:
                raise _Ended("warm", f"its first {self.report['kept']} keys are all there")

    def _drain(self):
        """Read what is still on the wire: the next command on this connection would take it for its own answer."""
        while self._sent:
            try:
                self._counted(*self._sent.popleft())
            except _Ended:
                # the first one said why
                continue
            except OSError:
                self._sent.clear()

    def _counted(self, count, position):
        """Count the answers to a batch; the first one that says so ends the family."""
        lines = self._connection.lines(count)
        written = lines.count(b"+OK") + lines.count(b":1")
        kept = lines.count(b"$-1") + lines.count(b":0")
        self.report["written"] += written
        self.report["kept"] += kept
        if written + kept < count:
            for line in lines:
                if line[:1] == b"-":
                    self._refused(line[1:].decode(errors="replace"))
        if self._whole:
            self._position = position

    def _refused(self, text):
        end = end_of(text)
        if end:
            # what comes behind is counted, and the next run begins before what was refused
            self._whole = False
            raise _Ended(*end)
        self._wrong(f"the server answers {text}")
        if self.report["failed"] >= BATCH and not self.report["written"] + self.report["kept"]:
            raise _Ended("failed", f"the server refuses every key: {text}")

    def _wrong(self, text):
        self.report["failed"] += 1
        if len(self.report["wrong"]) < SHOWN:
            self.report["wrong"].append(text)

    def _save(self):
        self._saved = time.monotonic()
        if self._checkpoint and self._position and getattr(self._source, "can_go_on", True):
            self._checkpoint.keep(self.report["family"], self._source.digest, self._position, self._first)
        if self._on_report:
            self._on_report(self.report)

    def _end(self, state, why=""):
        """Leave the family in a state; one that was interrupted is gone on with, any other begins anew."""
        if state == "interrupted":
            self._save()
        elif self._checkpoint:
            self._checkpoint.drop(self.report["family"])
        self.report.update(state=state, why=why)


class _Ended(Exception):
    """The family ends here: (state, why)."""


def sentence(report):
    """Return what a family's filling came to, on one line."""
    counts = f"{report['read']} rows read, {report['written']} keys written, {report['kept']} were there"
    for key, text in (("empty", "without a value"), ("failed", "failed")):
        counts += f", {report[key]} {text}" if report[key] else ""
    text = f"{report['family']}: {counts}"
    if report["seconds"]:
        text += f", in {report['seconds']:.1f} s"
        done = report["written"] + report["kept"]
        text += f" ({done / report['seconds']:.0f} keys/s)" if done else ""
    if report["from"]:
        text += f", from row {report['from'] + 1} on"
    if report["wrong"]:
        text += f"; such as: {'; '.join(report['wrong'])}"
    words = {"full": "stopped", "warm": "left", "interrupted": "interrupted", "failed": "failed"}
    if report["state"] in words:
        text += f"; {words[report['state']]}: {report['why']}"
    return text
