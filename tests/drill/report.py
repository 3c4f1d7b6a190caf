"""The figures of a drill as lines on the terminal, and as the table of docs/reliability.md."""

import dataclasses
import datetime
import importlib.metadata
import os
import re

import instances
from events import NO_GAP, Event

PAGE = instances.ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- written by `make drill` -->\n", "<!-- end of what `make drill` writes -->"


@dataclasses.dataclass
class Figures:
    """What came of one event. `problems` are sentences, those of limits not included."""

    event: Event
    result: object
    down_after: float
    told: str = ""
    problems: list = dataclasses.field(default_factory=list)

    def missed(self):
        """Return every reason why the event did not go as it should; none is good."""
        found, limit = list(self.problems), self.event.longest(self.down_after)
        lost, gap = self.result.missing or [], self.result.longest_write_gap
        if self.event.lost is not None and len(lost) > self.event.lost:
            found.append(f"{len(lost)} acknowledged writes are lost")
        if limit is not None and gap > limit:
            found.append(f"{gap:.1f} s without a write")
        # What was acknowledged after the gap was acknowledged by who is primary since, and must stay.
        back = self.result.began + self.result.gap_began + gap
        late = [write for write in lost if write.at >= back]
        if gap > NO_GAP and late:
            found.append(f"{len(late)} lost writes were acknowledged after the fault")
        return found

    def limits(self):
        limit = self.event.longest(self.down_after)
        lost = "count reported" if self.event.lost is None else f"{self.event.lost} lost"
        if limit is None:
            return f"{lost}, finished by the next run"
        return f"{lost}, no gap (1 s)" if limit == NO_GAP else f"{lost}, {limit:g} s"

    def row(self):
        result = self.result
        lost = "unknown" if result.missing is None else len(result.missing)
        return [
            self.event.title,
            f"{lost} of {result.acknowledged}",
            f"{result.longest_write_gap:.2f} s",
            f"{result.longest_read_gap:.2f} s",
            self.limits(),
            "**missed**" if self.missed() else "met",
        ]

    def note(self):
        """Return what the row does not say, as one line; empty when it says all."""
        parts = [self.told] if self.told else []
        if self.result.missing:
            # counted from when writes stopped, which is as near to the fault as clients can see
            stopped = self.result.began + self.result.gap_began
            ages = [stopped - write.at for write in self.result.missing]
            parts.append(
                f"the lost writes were acknowledged {max(ages):.2f} to {min(ages):.2f} s before writes stopped"
            )
        if self.result.reads_wrong:
            parts.append(f"{self.result.reads_wrong} of {self.result.reads} reads did not see an acknowledged write")
        parts += [f"missed: {first_line(reason)}" for reason in self.missed()]
        return "; ".join(parts)


def first_line(text):
    """Return what of an error goes on the page; the terminal has all of it."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:200]


def markdown(everyone, settings):
    """Return the part of docs/reliability.md that this command owns."""
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(re.search(r"MemTotal:\s+(\d+)", file.read()).group(1)) / 1024**2
    head = ["event", "acknowledged writes lost", "longest without a write", "without a read", "limits", "verdict"]
    lines = ["| " + " | ".join(row) + " |" for row in (head, *(each.row() for each in everyone))]
    lines.insert(1, "|---|---:|---:|---:|---|---|")
    notes = [f"* {each.event.title}: {each.note()}." for each in everyone if each.note()]
    redis_version = settings["redis"]
    in_effect = ", ".join(f"`{name} {value}`" for name, value in settings.items() if name != "redis")
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    lines += [
        "",
        *([*notes, ""] if notes else []),
        f"{date}, {os.cpu_count()} cores, {memory:.0f} GB, controller, clients and hosts on this one machine; "
        f"redis {redis_version}, redis-py {importlib.metadata.version('redis')}, "
        f"ansible-core {importlib.metadata.version('ansible-core')}.",
        f"In effect: {in_effect}.",
    ]
    return "\n".join(lines) + "\n"


def write_page(everyone, settings):
    before, _begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + markdown(everyone, settings) + END + rest.partition(END)[2], encoding="utf-8")


def print_table(everyone):
    rows = [each.row() for each in everyone]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print()
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
