"""How a value of the inventory is written, where YAML makes another one of it: 504 of 0770, 1350 of 22:30."""

import datetime
import functools
import re

from ansible_collections.cistern.core.plugins.plugin_utils.common.origin import position

# What YAML reads as the number that a person reads too.
PLAIN = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?")


def misread(value):
    """Yield a sentence for each number or date in a value of the inventory that is not what is written there."""
    if isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                yield f"the name {key} is no text to YAML, as on, no and 12 are not; write it in quotes"
            for text in misread(each):
                yield f"{key}: {text}"
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from misread(each)
    elif isinstance(value, datetime.date):
        yield f"YAML makes a date of {spelled(value) or value}; write it in quotes"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        written = spelled(value)
        if written and not PLAIN.fullmatch(written):
            yield f"YAML makes {value} of {written}; write '{written}', in quotes, or {value}"


def spelled(value):
    """Return how a number or a date is written in its file, None where that is not known: it comes from elsewhere."""
    path, line, column = position(value)
    if not path or not line or not column:
        return None
    lines = _lines(path)
    text = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    # a template or a text in quotes is no number as it is written
    found = re.match(r"[-+.\w:]+", text)
    return found.group(0).rstrip(":") if found else None


@functools.cache
def _lines(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()
    except (OSError, UnicodeDecodeError):  # in a vault, or gone
        return []
