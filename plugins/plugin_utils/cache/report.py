"""A report of a cache: put together of what its instances told, and its lines for a terminal. Pure."""

import datetime

from ansible_collections.cistern.core.plugins.plugin_utils.cache.advice import advise
from ansible_collections.cistern.core.plugins.plugin_utils.cache.formatting import (
    count,
    plural,
    seconds,
    share,
    size,
    usec,
)

SCHEMA = 1
BARS = "▁▂▃▄▅▆▇█"


class NothingScanned(Exception):
    """No instance was walked; the text says what each of them said."""


def report(deployment, policy, reported, now=None):
    """Return the report; `reported` is {host: what the module returned}, or {host: {why}} where there is no answer."""
    scanned = [host for host in reported if reported[host].get("walked")]
    if not scanned:
        raise NothingScanned("; ".join(f"{host}: {each['why']}" for host, each in reported.items()))
    found = reported[scanned[0]]["found"]
    made = {
        "schema": SCHEMA,
        "deployment": deployment,
        "taken": (now or datetime.datetime.now(datetime.timezone.utc)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "walked": {
            "host": scanned[0],
            "role": reported[scanned[0]]["role"],
            "why": reported[scanned[0]]["why"],
            **found["walk"],
        },
        "total": {
            name: sum(database[name] for database in found["databases"]) for name in ("keys", "bytes", "without_ttl")
        },
        "descriptions": {name: family["description"] for name, family in policy["families"].items()},
        "databases": found["databases"],
        "instances": {host: {"why": each["why"], **each.get("facts", {})} for host, each in reported.items()},
    }
    return {**made, "advice": advise(made)}


def bars(tenths):
    """Return a small chart of a histogram, a letter for each part."""
    most = max(tenths)
    return "".join(BARS[round((len(BARS) - 1) * each / most)] if each else "·" for each in tenths) if most else ""


def table(head, rows, left=(0,)):
    """Return lines whose columns stand below each other; those in `left` begin there, the others end there."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = []
    for row in [head, *rows]:
        cells = [
            text.ljust(widths[column]) if column in left else text.rjust(widths[column])
            for column, text in enumerate(row)
        ]
        lines.append("  ".join(cells).rstrip())
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def lines(made):
    """Return the report for a terminal."""
    yield ""
    yield f"Cache {made['deployment']}, {made['taken'].replace('T', ' ').replace('Z', ' UTC')}"
    yield f"{count(made['total']['keys'])} keys, {size(made['total']['bytes'])}. {scan_text(made['walked'])}"
    for database in made["databases"]:
        yield ""
        if len(made["databases"]) > 1:
            yield f"Database {database['db']}"
        yield from _families(database)
        yield from _unknown(database["unknown"])
    yield ""
    yield from _instances(made["instances"])
    yield ""
    yield from _advice(made["advice"])


def scan_text(scanned):
    """Return how the walk went, as a sentence."""
    rate = scanned["keys"] / scanned["seconds"] if scanned["seconds"] else 0
    each = f", {usec(scanned['page_seconds'] * 1e6)} of the server's time a page" if scanned["page_seconds"] else ""
    slower = " (a primary is walked more slowly)" if scanned["role"] == "primary" else ""
    where = f"Walked {scanned['host']}: {scanned['why']}{slower}"
    return f"{where}; {scanned['seconds']:.1f} s, {count(round(rate))} keys/s{each}."


def _families(database):
    rows = []
    for name, family in sorted(database["families"].items(), key=lambda item: -item[1]["bytes"]):
        keys = family["keys"]
        rows.append(
            (
                name,
                count(keys),
                size(family["bytes"]) if keys else "-",
                share(family["bytes"], database["bytes"]) if keys else "-",
                seconds(family["ttl"]),
                bars(family["tenths"]),
                count(family["without_ttl"]),
                count(family["over_ttl"]),
                count(family["wrong_type"]),
                size(family["biggest"][0]["bytes"]) if keys else "-",
            )
        )
    unknown = database["unknown"]
    if unknown["keys"]:
        part = share(unknown["bytes"], database["bytes"])
        biggest = size(unknown["biggest"][0]["bytes"])
        totals, without = (count(unknown["keys"]), size(unknown["bytes"]), part), count(unknown["without_ttl"])
        rows.append(("(of no family)", *totals, "", "", without, "", "", biggest))
    head = ("family", "keys", "memory", "share", "policy", "time left", "no ttl", "over", "type", "biggest")
    yield from table(head, rows, left=(0, 5))
    most = [(each["bytes"], each["key"]) for family in database["families"].values() for each in family["biggest"]]
    most = sorted(most + [(each["bytes"], each["key"]) for each in unknown["biggest"]], reverse=True)[:5]
    if most:
        yield ""
        yield "Biggest keys: " + ", ".join(f"{key} ({size(number)})" for number, key in most)


def _unknown(unknown):
    if unknown["patterns"]:
        yield ""
        yield "Keys of no family"
        rows = [(each["pattern"], count(each["keys"]), size(each["bytes"])) for each in unknown["patterns"]]
        yield from table(("pattern", "keys", "memory"), rows)


def percent(value):
    return "-" if value is None else f"{100 * value:.1f} %"


def _instances(instances):
    rows = []
    for host, reported in instances.items():
        if not reported.get("version"):
            yield f"{host} told nothing: {reported['why']}"
            continue
        lately = reported["interval"]
        limit = f" of {size(reported['maxmemory'])}" if reported["maxmemory"] else ""
        rows.append(
            (
                host,
                reported["role"],
                reported["version"],
                size(reported["used_memory"]) + limit,
                f"{float(reported['fragmentation'] or 0):.2f}",
                percent(reported["hit_rate"]),
                percent(lately["hit_rate"]),
                count(reported["evicted"]),
                count(reported["expired"]),
                f"{count(reported['clients'])}/{count(reported['maxclients']) if reported['maxclients'] else '?'}",
                count(reported["rejected"]),
                count(reported["slow_log"]["entries"]),
                usec(reported["latency"]["ping_usec"]),
            )
        )
    head = ("instance", "role", "redis", "memory", "frag", "hits", "hits now", "evicted", "expired")
    yield from table((*head, "clients", "refused", "slow", "ping"), rows, left=(0, 1, 2))
    for host, reported in instances.items():
        for each in reported.get("slow_log", {}).get("newest", [])[:3]:
            yield f"{host}, slow: {each['command']}, {usec(each['usec'])}"


def _advice(advice):
    if not advice:
        yield "Nothing to advise."
        return
    yield plural(len(advice), "finding") + ", the most important first"
    for number, each in enumerate(advice, 1):
        yield ""
        yield f"{number}. [{each['severity']}] {each['title']}"
        yield from (f"     {text}" for text in each["evidence"])
        yield from (f"   > {text}" for text in each["do"])
