"""The numbers of a bench as JSON, as a table on the terminal, and as the table of docs/performance.md."""

import datetime
import importlib.metadata
import os
import platform
import re
import statistics
import subprocess

import contenders as field

CASES = {"first": "first run", "unchanged": "unchanged", "change": "one directive"}
PEER = "geerlingguy.redis"
# (what, hosts, case, of whom, limit): how much of another's time Cistern may take.
LIMITS = (
    ("unchanged", 4, "ping", 1.6),
    ("change", 4, "ping", 2.4),
    ("unchanged", 4, PEER, 0.3),
    ("first", 4, PEER, 0.8),
)
SITE_LIMIT = 2.5
# What a host more adds to an unchanged run, as a part of what it adds to a ping.
GROWTH_LIMIT = 1.5
# What an unchanged run of three hosts of another kind may cost, beside three servers of Redis of their own.
KINDS = {
    "Sentinel": (1.6, "are a deployment with 3 Sentinels"),
    "Citus": (1.5, "are a coordinator and two workers of Citus"),
}
PAGE = field.ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- written by `make bench` -->\n", "<!-- end of what `make bench` writes -->"


def results(benches, sizes, repeat, took):
    """Everything that was measured, and on what; `benches` are {runs, three, many, site}."""
    bench = benches["runs"]
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(re.search(r"MemTotal:\s+(\d+)", file.read()).group(1)) // 1024
    shown = subprocess.run([field.BENCH / ".venv" / "bin" / "pyinfra", "--version"], capture_output=True, text=True)
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "minutes": round(took / 60, 1),
        "machine": {"cores": os.cpu_count(), "memory_mb": memory},
        "versions": {
            "python": platform.python_version(),
            "ansible-core": importlib.metadata.version("ansible-core"),
            "pyinfra": shown.stdout.strip().rpartition("v")[2],
        },
        "repeat": repeat,
        "hosts": sizes,
        "contenders": [each.name for each in bench.everyone],
        **{name: runs(each) for name, each in benches.items()},
        "restarts_servers": sorted(list(pair) for pair in bench.restarted),
    }


def runs(bench):
    """What one bench measured."""
    return [
        {
            "contender": name,
            "hosts": count,
            "case": case,
            "median": round(statistics.median(seconds), 3),
            "seconds": [round(each, 3) for each in seconds],
        }
        for (name, count, case), seconds in bench.seconds.items()
    ]


def medians(found, key="runs"):
    return {(run["contender"], run["hosts"], run["case"]): run["median"] for run in found[key]}


def of_three(found):
    """Yield (kind, seconds of an unchanged run of three servers of Redis, seconds of three of the kind)."""
    median = medians(found, "three")
    for kind in KINDS:
        pair = [median.get((name, 3, "unchanged")) for name in ("Cistern", kind)]
        if all(pair):
            yield (kind, *pair)


def rows(found):
    """The table: seconds, and in brackets how much of that Cistern needs."""
    median = medians(found)
    restarts = {tuple(pair) for pair in found["restarts_servers"]}
    yield ["hosts", "run", *found["contenders"]]
    for count in found["hosts"]:
        for case, title in CASES.items():
            row = [str(count), title]
            for name in found["contenders"]:
                seconds = median.get((name, count, case))
                own = median.get(("Cistern", count, case))
                if seconds is None:
                    row.append("-")
                    continue
                text = f"{seconds:.1f}" + ("*" if (name, case) in restarts else "")
                row.append(text if name == "Cistern" or own is None else f"{text} ({own / seconds:.2f})")
            yield row


def markdown(found):
    """The part of docs/performance.md that this command owns."""
    lines = ["| " + " | ".join(row) + " |" for row in rows(found)]
    lines.insert(1, "|---:|---|" + "---:|" * len(found["contenders"]))
    machine, versions = found["machine"], found["versions"]
    lines += [
        "",
        "Seconds, the median; in brackets Cistern's time as a part of it; `*`: the server was restarted.",
        *lines_of_three(found),
        *lines_of_ratios(found),
        f"{found['date']}, {machine['cores']} cores, {machine['memory_mb'] / 1024:.0f} GB, "
        "controller and hosts on this one machine; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + f"; {found['repeat']} rounds, first runs {-(-found['repeat'] // 3)}.",
    ]
    return "\n".join(lines) + "\n"


def lines_of_three(found):
    told = [f"{other:.1f} s where they {KINDS[kind][1]} ({other / own:.2f})" for kind, own, other in of_three(found)]
    own = [own for _kind, own, _other in of_three(found)]
    return [f"An unchanged run on 3 hosts takes {own[0]:.1f} s; {', '.join(told)}.", ""] if told else []


def lines_of_ratios(found):
    rows = [f"| {what} | {ratio:.2f} | {limit} |" for what, ratio, limit in ratios(found)]
    return (
        ["| an unchanged run where nothing else is said | ratio | limit |", "|---|---:|---:|", *rows, ""]
        if rows
        else []
    )


def write(found, path, whole):
    """Print the table, keep the numbers; only a whole run goes into the documentation."""
    field.write_json(path, found)
    table = list(rows(found))
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    print()
    for row in table:
        print(
            "  ".join(
                text.ljust(width) if column == 1 else text.rjust(width)
                for column, (text, width) in enumerate(zip(row, widths, strict=True))
            )
        )
    print("\nSeconds, the median; in brackets Cistern's time as a part of it; *: the server was restarted.")
    print(f"{found['minutes']} minutes; all times are in {path.relative_to(field.ROOT)}")
    if whole:
        before, _begin, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(before + BEGIN + markdown(found) + END + rest.partition(END)[2])


def ratios(found):
    """Yield (what was compared, the ratio, its limit) of what was measured."""
    median = medians(found)
    for case, count, other, limit in LIMITS:
        own, its = (median.get((name, count, case)) for name in ("Cistern", other))
        # a ping has one time, whatever is done beside it
        its = its or (median.get((other, count, "unchanged")) if other == "ping" else None)
        if own and its:
            yield f"{count} hosts, {CASES[case]}: of {other}", own / its, limit
    for kind, own, other in of_three(found):
        yield f"3 hosts, {kind}, unchanged: of 3 standalone", other / own, KINDS[kind][0]
    median = medians(found, "site")
    if ("site", 8, "unchanged") in median:
        ratio = median["site", 8, "unchanged"] / median["ping", 8, "unchanged"]
        yield "site.yml on the lab, unchanged: of a ping", ratio, SITE_LIMIT
    median = medians(found, "many")
    if ("many", 32, "unchanged") in median:
        own, ping = (median[name, 32, "unchanged"] - median[name, 8, "unchanged"] for name in ("many", "ping"))
        yield "a host more, between 8 and 32: of what it adds to a ping", own / max(ping, 0.001), GROWTH_LIMIT


def accepted(found):
    """Whether runs are fast enough; True for what was not measured."""
    fast = True
    for what, ratio, limit in ratios(found):
        print(f"{what}: {ratio:.2f} (limit {limit})")
        fast = fast and ratio <= limit
    return fast
