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


class NobodyWalked(Exception):
    """No instance was walked; the text says what each of them said."""


def report(deployment, policy, told, now=None):
    """Return the report; `told` is {host: what the module returned}, or {host: {why}} where there is no answer."""
    walked = [host for host in told if told[host].get("walked")]
    if not walked:
        raise NobodyWalked("; ".join(f"{host}: {each['why']}" for host, each in told.items()))
    found = told[walked[0]]["found"]
    made = {
        "schema": SCHEMA,
        "deployment": deployment,
        "taken": (now or datetime.datetime.now(datetime.timezone.utc)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "walked": {"host": walked[0], "role": told[walked[0]]["role"], "why": told[walked[0]]["why"], **found["walk"]},
        "total": {
            name: sum(database[name] for database in found["databases"]) for name in ("keys", "bytes", "without_ttl")
        },
        "descriptions": {name: family["description"] for name, family in policy["families"].items()},
        "databases": found["databases"],
        "instances": {host: {"why": each["why"], **each.get("facts", {})} for host, each in told.items()},
    }
    return {**made, "advice": advise(made)}


def bars(tenths):
    """Return a small chart of a histogram, a letter for each part."""
    most = max(tenths)
    return "".join(BARS[round((len(BARS) - 1) * each / most)] if each else "·" for each in tenths) if most else ""


def table(head, rows, left=(0,)):
    """Return lines whose columns stand below each other; those in `left` begin there, the others end there."""
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    lines = []
    for row in [head, *rows]:
        cells = [text.ljust(widths[at]) if at in left else text.rjust(widths[at]) for at, text in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def lines(made):
    """Return the report for a terminal."""
    yield ""
    yield f"Cache {made['deployment']}, {made['taken'].replace('T', ' ').replace('Z', ' UTC')}"
    yield f"{count(made['total']['keys'])} keys, {size(made['total']['bytes'])}. {walk_said(made['walked'])}"
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


def walk_said(walked):
    """Return how the walk went, as a sentence."""
    rate = walked["keys"] / walked["seconds"] if walked["seconds"] else 0
    each = f", {usec(walked['page_seconds'] * 1e6)} of the server's time a page" if walked["page_seconds"] else ""
    slower = " (a primary is walked more slowly)" if walked["role"] == "primary" else ""
    where = f"Walked {walked['host']}: {walked['why']}{slower}"
    return f"{where}; {walked['seconds']:.1f} s, {count(round(rate))} keys/s{each}."


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
        held, without = (count(unknown["keys"]), size(unknown["bytes"]), part), count(unknown["without_ttl"])
        rows.append(("(of no family)", *held, "", "", without, "", "", biggest))
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
    for host, told in instances.items():
        if not told.get("version"):
            yield f"{host} told nothing: {told['why']}"
            continue
        lately = told["interval"]
        limit = f" of {size(told['maxmemory'])}" if told["maxmemory"] else ""
        rows.append(
            (
                host,
                told["role"],
                told["version"],
                size(told["used_memory"]) + limit,
                f"{float(told['fragmentation'] or 0):.2f}",
                percent(told["hit_rate"]),
                percent(lately["hit_rate"]),
                count(told["evicted"]),
                count(told["expired"]),
                f"{count(told['clients'])}/{count(told['maxclients']) if told['maxclients'] else '?'}",
                count(told["rejected"]),
                count(told["slow_log"]["entries"]),
                usec(told["latency"]["ping_usec"]),
            )
        )
    head = ("instance", "role", "redis", "memory", "frag", "hits", "hits now", "evicted", "expired")
    yield from table((*head, "clients", "refused", "slow", "ping"), rows, left=(0, 1, 2))
    for host, told in instances.items():
        for each in told.get("slow_log", {}).get("newest", [])[:3]:
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
