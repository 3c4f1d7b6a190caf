"""A report of a cache as one page for a browser: nothing is loaded from elsewhere, and there is no script."""

import jinja2
from ansible_collections.cistern.core.plugins.plugin_utils.cache import formatting
from ansible_collections.cistern.core.plugins.plugin_utils.cache import report as cache_pages

# Colours of the families, told apart in light and dark; those after the last one share grey.
COLOURS = 10


def page(made, template):
    """Return the HTML. All that stands in a report is text: keys are chosen by whoever writes into the cache."""
    with open(template, encoding="utf-8") as file:
        duration = file.read()
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    tools = {name: getattr(formatting, name) for name in ("count", "size", "share", "seconds", "usec", "plural")}
    environment.filters.update({name: tools[name] for name in ("count", "size", "seconds", "usec")})
    environment.globals.update(
        share=tools["share"], plural=tools["plural"], percent=cache_pages.percent, scan_text=cache_pages.scan_text
    )
    return environment.from_string(duration).render(report=made, parts=[parts(each) for each in made["databases"]])


def parts(database):
    """Return the families that have keys, by memory, each with what a chart of it needs; keys of no family last."""
    with_keys = [(name, family) for name, family in database["families"].items() if family["keys"]]
    with_keys.sort(key=lambda item: -item[1]["bytes"])
    bars, begins = [], 0.0
    whole = database["bytes"] or 1
    for number, (name, family) in enumerate([*with_keys, ("of no family", database["unknown"])], 1):
        if not family["keys"]:
            continue
        width = 100 * family["bytes"] / whole
        last = "key" not in family
        bars.append(
            {
                "name": name,
                "family": family,
                "colour": 0 if last or number > COLOURS else number,
                "begins": round(begins, 3),
                "width": round(width, 3),
                "bars": [] if last else heights(family),
            }
        )
        begins += width
    return bars


def heights(family):
    """Return the bars {label, keys, height, kind} of the histogram: tenths of the time to live, beyond it, none."""
    ttl, duration = family["ttl"], formatting.seconds
    bars = [
        {
            "label": f"{duration(ttl * tenth / 10)} to {duration(ttl * (tenth + 1) / 10)} left",
            "keys": keys,
            "kind": "in",
        }
        for tenth, keys in enumerate(family["tenths"])
    ]
    bars.append({"label": "longer than the policy", "keys": family["over_ttl"], "kind": "over"})
    bars.append({"label": "no time to live", "keys": family["without_ttl"], "kind": "none"})
    most = max(each["keys"] for each in bars) or 1
    for each in bars:
        # what is there is seen
        each["height"] = round(max(2, 40 * each["keys"] / most), 1) if each["keys"] else 0
    return bars
