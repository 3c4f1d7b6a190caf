"""What is wrong with the variables of a host, by what the role's argument specification says of them.

`host` is {values, origins, broken} as in inventory_host, with these as attributes.
"""

import datetime
import re

from ansible_collections.cistern.core.plugins.module_utils.host import secrets
from ansible_collections.cistern.core.plugins.module_utils.host.spelling import did_you_mean

SHORTEST_PASSWORD = 16
# What Python has for each type of an argument specification.
TYPES: dict = {"str": str, "path": str, "dict": dict, "list": list, "bool": bool, "int": int, "float": (int, float)}
# -e NAME=VALUE and an inventory in INI make texts of all that they do not know; a number or a boolean is told from one.
OF_A_TEXT = """, which is a text; write it in YAML, or with -e as JSON: -e '{"name": ...}'"""


def label_of(host, key, name=None):
    """Return a variable with the place where it was written."""
    origin = host.origins.get(key)
    return f"{name or key} ({origin})" if origin else f"{name or key}"


def integer(value, default):
    try:
        return int(value)
    except (TypeError, ValueError):
        return default


def problems(host, options, home):
    """Yield a sentence for each variable that is unknown, missing or of the wrong type; `home` is where to write it."""
    for name, why in host.broken.items():
        yield f"{label_of(host, name)}: {why}"
    for name in host.values:
        if name not in options:
            yield f"{label_of(host, name)}: there is no such variable{did_you_mean(name, options)}"
    for name, option in options.items():
        if name in host.values and name not in host.broken:
            problem = wrong(host.values[name], option)
            if problem:
                # a secret is not shown, not even a wrong one; a receiver may hold some
                hidden = name.endswith(secrets.VARIABLES)
                yield f"{label_of(host, name)}: " + (problem.split(", not ")[0] if hidden else problem)
        elif option.get("required") and name not in host.broken:
            yield f"{name}: is missing; write it into {home}"


def password(host, name):
    """Yield what is wrong with a password."""
    value = host.values.get(name)
    if isinstance(value, str) and len(value) < SHORTEST_PASSWORD:
        yield f"{label_of(host, name)}: has {len(value)} characters; write at least {SHORTEST_PASSWORD}"
    if isinstance(value, str) and re.search(r"[\n\r\0]", value):
        yield f"{label_of(host, name)}: has a line break; write it on one line"


def thresholds(host, variable, known):
    """Yield what is wrong with thresholds by name; `known` are those that there are."""
    values = host.values.get(variable)
    for name, value in values.items() if isinstance(values, dict) else ():
        where = label_of(host, (variable, name), f"{name} in {variable}")
        if name not in known:
            yield f"{where}: there is no such threshold{did_you_mean(name, known)}"
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            yield f"{where}: must be a number, not {value!r}"
        elif re.search(r"share|hit_rate$", name) and not 0 < value < 1:
            yield f"{where}: must be a share between 0 and 1, such as 0.9, not {value!r}"
        elif value < 0:
            yield f"{where}: must not be negative, and is {value!r}"


def wrong(value, option):
    """Return what is wrong with the type or the choice of a variable, or None."""
    kind = option["type"]
    fits = TYPES[kind]
    if kind == "int" and isinstance(value, str) and re.fullmatch(r"-?(0|[1-9]\d*)", value):
        value = int(value)
    if kind == "bool" and isinstance(value, str) and value.lower() in ("true", "false", "yes", "no"):
        value = value.lower() in ("true", "yes")
    if not isinstance(value, fits) or (kind in ("int", "float") and isinstance(value, bool)):
        article = {
            "str": "text (in quotes)",
            "path": "a path",
            "dict": "a mapping",
            "list": "a list",
            "bool": "true or false",
            "int": "a whole number",
            "float": "a number",
        }
        problem = f"must be {article[kind]}, not {value!r}"
        is_text = isinstance(value, str) and value.lstrip().startswith(("[", "{"))
        return problem + OF_A_TEXT if kind in ("list", "dict") and is_text else problem
    if kind == "list" and "options" in option:
        found = [each for each in (_entry(entry, option["options"]) for entry in value) if each]
        return found[0] if found else None
    if "choices" in option and value not in option["choices"]:
        return f"must be {' or '.join(option['choices'])}, not '{value}'"
    if kind == "dict" and "options" in option:
        for key in value:
            if key not in option["options"]:
                return f"has no key '{key}'{did_you_mean(key, option['options'])}"
            problem = wrong(value[key], option["options"][key])
            if problem:
                return f"{key}: {problem}"
    return None


def _entry(entry, options):
    """Return what is wrong with one mapping of a list, or None."""
    if not isinstance(entry, dict):
        return f"must be a list of mappings, not of {entry!r}"
    missing = [key for key, option in options.items() if option.get("required") and key not in entry]
    return f"has an entry without {missing[0]}" if missing else wrong(entry, {"type": "dict", "options": options})


def kind_of(value: object) -> str:
    """Return what a value of YAML is that is no plain one; Ansible has kinds of its own below each."""
    kinds: dict = {dict: "a mapping", list: "a list", type(None): "null", datetime.date: "a date"}
    return next((text for known, text in kinds.items() if isinstance(value, known)), type(value).__name__)
