"""The directives that the redis role knows."""

import re
import sys

from generator.markdown import HEADER, code, table
from generator.sources import assigned, load, text_of

DATA = "plugins/plugin_utils/redis/data/directives.yml"
DIRECTIVES = """# Directives of redis.conf

What `redis_config`, `redis_group_config` and `redis_host_config` may hold. The value is in the server's own spelling;
booleans are booleans, a list repeats a directive that may be repeated, `null` takes a directive away, `''` is an empty
value. *Default* is what the server has where nothing is written. *Change* says how a run makes a new value effective:
`live` while the server runs, `restart` by restarting it.

"""
# Keys of a line of directives.yml; a new one has to be shown below before the page can be made again.
KEYS = {
    "type",
    "values",
    "min",
    "max",
    "count",
    "default",
    "live",
    "since",
    "until",
    "valkey",
    "alias",
    "many",
    "file_only",
    "secret",
    "package",
}
NOTES = {
    "secret": "never shown",
    "many": "may be repeated",
    "file_only": "not in `CONFIG GET`",
    "package": "packages of packages.redis.io only",
}


def at_versions(value, show):
    """A value of the schema that may differ by version."""
    if not isinstance(value, dict):
        return show(value)
    (_first, usual), *later = value.items()
    said = [f"{'Valkey' if version == 'valkey' else 'from ' + version}: {show(one)}" for version, one in later]
    return "; ".join([show(usual), *said])


def value_of(line):
    """What the value of a directive looks like."""
    said = [line["type"]]
    if "values" in line:
        words = line["values"]
        said.append(at_versions(words, lambda one: code(one) if isinstance(one, str) else " ".join(map(code, one))))
    for key, say in (("count", "{} of them"), ("min", "at least {}"), ("max", "at most {}")):
        if key in line:
            said.append(at_versions(line[key], lambda one, say=say: "no limit" if one is None else say.format(one)))
    return ", ".join(said)


def change_of(live):
    if isinstance(live, str):
        return f"live from {live}, before by restart"
    return at_versions(live, lambda one: "live" if one else "restart")


def versions_of(line):
    if line.get("valkey") == "only":
        return "Valkey only"
    said = [f"{word} {line[key]}" for key, word in (("since", "from"), ("until", "up to")) if key in line]
    return " ".join(said) + (", and Valkey" if line.get("valkey") else "")


def rows_of(schema):
    for name, line in schema.items():
        if set(line) - KEYS:
            sys.exit(f"docs/generate.py: {name} has {', '.join(sorted(set(line) - KEYS))}, which it cannot show yet")
        if "alias" in line:
            yield f"`{name}`", f"another name of `{line['alias']}`", "", "", versions_of(line), ""
        else:
            default = at_versions(line["default"], code) if "default" in line else "none"
            notes = ", ".join(say for key, say in NOTES.items() if line.get(key))
            yield f"`{name}`", value_of(line), default, change_of(line["live"]), versions_of(line), notes


def types_of(text):
    """What the comment on top of the schema says of the types; it has to have these words."""
    found = re.search(r"^# Types of one argument:.*?(?=^#?\n)", text, re.MULTILINE | re.DOTALL)
    return re.sub(r"^# ?", "", found[0], flags=re.MULTILINE).strip()


def directives():
    schema = load(DATA)["__redis_directives"]
    baseline = load("roles/redis/vars/main/baseline.yml")["__redis_baseline"]
    computed = assigned("plugins/plugin_utils/redis/variables.py")["COMPUTED"]
    return (
        HEADER.format(DATA)
        + DIRECTIVES
        + "## Baseline\n\nWhat the role writes where the inventory says nothing else.\n\n"
        + table(("directive", "value"), *((f"`{name}`", code(value)) for name, value in baseline.items()))
        + "\n## Computed\n\nRefused in the settings: the toolkit writes them itself, or they are the server's own.\n\n"
        + table(("directive", "instead"), *((f"`{name}`", say) for name, say in sorted(computed.items())))
        + f"\n## Types\n\n```text\n{types_of(text_of(DATA))}\n```\n\n## All\n\n"
        + table(("directive", "value", "default", "change", "Redis", "notes"), *rows_of(schema))
    )
