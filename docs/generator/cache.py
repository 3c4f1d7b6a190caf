"""The guide's key families, times to live and events: the baseline of the cache role."""

from generator.markdown import code, table
from generator.sources import load

FAMILIES = """
# Key families of the baseline

What `cache_families` is laid over. A placeholder matches anything but a colon. A key that is warmed lives up to
*jitter* shorter than its time to live.

"""
EVENTS = """
# What is dropped at which event

The rules of the baseline, by event. `*` matches anything.

"""


def families():
    derived = load("roles/cache/vars/main/baseline.yml")
    ttls, events = derived["__cache_ttls_baseline"], derived["__cache_events_baseline"]
    found = derived["__cache_families_baseline"]
    rows = [
        (
            f"`{name}`",
            each["description"],
            code(each["key"]),
            lives(each["ttl"], ttls),
            f"{each['jitter']} %",
            each["type"],
        )
        for name, each in found.items()
    ]
    return (
        FAMILIES
        + table(("family", "what", "key", "time to live", "jitter", "type"), *rows)
        + "\n# Times to live of the baseline\n\n"
        + table(("name", "seconds"), *((f"`{name}`", code(seconds)) for name, seconds in ttls.items()))
        + EVENTS
        + table(("event", "arguments", "family", "dropped"), *dropped(events, found))
    )


def lives(ttl, ttls):
    return f"{ttls[ttl]} s, `{ttl}`" if ttl in ttls else f"{ttl} s"


def dropped(events, found):
    for event, arguments in events.items():
        for name, family in found.items():
            patterns = family["invalidated_by"].get(event)
            if patterns:
                yield f"`{event}`", " ".join(arguments), f"`{name}`", " ".join(map(code, patterns))
