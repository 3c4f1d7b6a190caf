"""The account of a load: what was acknowledged and is missing, and for how long nothing was."""

import collections
import dataclasses
import itertools
import threading

import redis


@dataclasses.dataclass(frozen=True)
class Write:
    """An acknowledged write; `sent` and `at` are on the machine's monotonic clock, which processes share."""

    writer: int
    n: int
    sent: float
    at: float

    def key(self, run):
        return f"load:{run}:{self.writer}:{self.n}"


def longest_gap(times, began, ended):
    """Return the longest time in which none of `times` lies, and when it began."""
    marks = [began, *sorted(times), max(ended, began, *times)]
    return max(((later - one, one) for one, later in itertools.pairwise(marks)), key=lambda gap: gap[0])


def kind_of(error):
    """Return an error's kind: the server's own word where it sent one, else what the client library calls it."""
    if isinstance(error, redis.ConnectionError) and "previous master is now a slave" in str(error):
        return "READONLY"  # redis-py hides it
    first = getattr(error, "status_code", None) or str(error).split(" ")[0]
    return first if isinstance(error, redis.RedisError) and first.isupper() else type(error).__name__


class Errors:
    """Failed attempts by kind: how many, the first and the last; times are seconds since the load began."""

    def __init__(self, began):
        self.began = began
        self.kinds = {}
        self.last = began
        self._lock = threading.Lock()

    def note(self, error, at):
        kind = kind_of(error)
        since = round(at - self.began, 3)
        with self._lock:
            self.last = max(self.last, at)
            found = self.kinds.setdefault(kind, {"count": 0, "first": since, "last": since})
            found["count"] += 1
            found["last"] = since


def missing(client, run, writes, at_once=500):
    """Return the writes that a server does not have, by asking it for every one."""
    lost = []
    for begin in range(0, len(writes), at_once):
        some = writes[begin : begin + at_once]
        answers = client.mget([write.key(run) for write in some])
        lost += [write for write, answer in zip(some, answers, strict=True) if answer != str(write.n)]
    return lost


@dataclasses.dataclass
class Result:
    """The account. `missing` is None until it was verified; gaps are seconds, `gap_began` is since the load began."""

    run: str
    began: float
    seconds: float
    acknowledged: int
    missing: list | None
    longest_write_gap: float
    gap_began: float
    worst_writer_gap: float
    longest_read_gap: float
    reads: int
    reads_wrong: int
    errors: dict
    per_second: list
    writes: list = dataclasses.field(repr=False)

    def summary(self):
        lost = "not verified" if self.missing is None else f"{len(self.missing)} missing"
        errors = ", ".join(
            f"{kind} {found['count']} ({found['first']:.1f} to {found['last']:.1f} s)"
            for kind, found in self.errors.items()
        )
        return (
            f"{self.acknowledged} writes acknowledged in {self.seconds:.1f} s, {lost}; longest without a write "
            f"{self.longest_write_gap:.2f} s (from {self.gap_began:.1f} s; one writer {self.worst_writer_gap:.2f} s), "
            f"without a read {self.longest_read_gap:.2f} s; {self.reads_wrong} of {self.reads} reads wrong; "
            f"errors: {errors or 'none'}"
        )


def gather(run, began, ended, writes, reads, reads_wrong, lost, errors):
    """Return the result; `writes` is a list for each writer, `reads` the times of answers."""
    everyone = sorted((write for each in writes for write in each), key=lambda write: write.at)
    gap, gap_began = longest_gap([write.at for write in everyone], began, ended)
    a_second = collections.Counter(int(write.at - began) for write in everyone)
    return Result(
        run=run,
        began=began,
        seconds=ended - began,
        acknowledged=len(everyone),
        missing=lost,
        longest_write_gap=gap,
        gap_began=gap_began - began,
        worst_writer_gap=max(longest_gap([write.at for write in each], began, ended)[0] for each in writes),
        longest_read_gap=longest_gap(reads, began, ended)[0],
        reads=len(reads),
        reads_wrong=reads_wrong,
        errors={kind: dict(found) for kind, found in list(errors.kinds.items())},
        per_second=[a_second[second] for second in range(int(ended - began) + 1)],
        writes=everyone,
    )
