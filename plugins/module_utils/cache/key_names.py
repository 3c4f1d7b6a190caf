"""How keys are shown to people: they are bytes of any kind, and whoever writes into the cache chooses them."""

import re

LONGEST = 120
_NUMBERS = re.compile(
    rb"(?P<uuid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    rb"|(?P<hex>(?<![0-9a-zA-Z])(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{16,}(?![0-9a-zA-Z]))|(?P<n>[0-9]+)"
)


def shown(key):
    """Return a key as text of one line: what cannot be printed as \\xNN or \\uNNNN, a long one cut."""
    text = key[: LONGEST * 4].decode(errors="backslashreplace")
    text = "".join(each if each.isprintable() else _escaped(each) for each in text)
    return f"{text[:LONGEST]}..." if len(text) > LONGEST or len(key) > LONGEST * 4 else text


def _escaped(letter):
    number = ord(letter)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def shape(key):
    """Return the pattern of a key of no family: numbers as <n>, UUIDs as <uuid>, long hexadecimal ones as <hex>."""
    return shown(_NUMBERS.sub(lambda found: b"<%s>" % str(found.lastgroup).encode(), key[: LONGEST * 4]))
