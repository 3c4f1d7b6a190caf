"""How redis.conf is written: values of the inventory as arguments, arguments as text that the server reads back."""

import re

from ansible_collections.cistern.core.plugins.module_utils.redis.conf import SPACES, split_arguments
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import kind_of

UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1024, "m": 1000**2, "mb": 1024**2, "g": 1000**3, "gb": 1024**3}
PLAIN = re.compile(r"[A-Za-z0-9_.:/*@%+=,~&|<>()\[\]!?{}$^;-]+")
# Types of several arguments on one line, and how many make one unit of those that may hold several.
SEVERAL = ("flags", "addresses", "percents", "numbers", "endpoint", "user", "module", "rename", "save", "output_limits")
UNIT = {"save": 2, "output_limits": 4}


def size_in_bytes(size: str | int) -> int:
    """Bytes of a size as the server counts them: 1k is 1000, 1kb is 1024. ValueError if it is no size."""
    found = re.fullmatch(r"([0-9]{1,20})([a-z]{0,2})", str(size).lower(), re.ASCII)
    if isinstance(size, bool) or not found or found[2] not in UNITS:
        raise ValueError(f"must be a size such as 256mb, not {size!r}")
    return int(found[1]) * UNITS[found[2]]


def quote(argument: str) -> str:
    """The argument as the server's own splitting reads it back, quoted only where needed."""
    if PLAIN.fullmatch(argument):
        return argument
    out = []
    for char in argument:
        if char in '"\\':
            out.append("\\" + char)
        elif char < " " or char == "\x7f":
            out.append(f"\\x{ord(char):02x}")
        elif "\udc80" <= char <= "\udcff":  # a byte that is no UTF-8, kept by split_arguments
            out.append(f"\\x{ord(char) - 0xDC00:02x}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def as_text(value: object) -> str:
    """One scalar of the inventory in the server's spelling. ValueError if it is none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (str, int, float)):
        text = str(value)
        if re.search(r"[\n\r\0]", text):
            raise ValueError("must be one line, without line breaks and NUL")
        return text
    raise ValueError(f"must be a plain value, not {kind_of(value)}")


def _arguments(item: object) -> list[str]:
    """One line's arguments: a string is split by the server's rules, a list is taken as it is."""
    if isinstance(item, (list, tuple)):
        return [as_text(part) for part in item]
    text = as_text(item)
    return split_arguments(text) if text.strip(SPACES) else [text]


def rows(value: object, spec: dict) -> list[list[str]]:
    """The arguments of each line that a value makes. ValueError says what is wrong with its shape."""
    kind, many, listed = spec["type"], spec.get("many"), isinstance(value, (list, tuple))
    items: list = list(value) if isinstance(value, (list, tuple)) else [value]
    if kind not in SEVERAL:
        if listed and not many:
            raise ValueError("takes one value, not a list")
        return [[as_text(item)] for item in items]
    if not many:
        return [_arguments(value)]
    if kind == "save" and listed and not value:
        return [[""]]
    out = []
    for line in [_arguments(item) for item in items]:
        size = UNIT.get(kind)
        # Redis 6 reads one unit a line only, so each gets its own line.
        out += (
            [line[index : index + size] for index in range(0, len(line), size)]
            if size and len(line) % size == 0
            else [line]
        )
    return out
