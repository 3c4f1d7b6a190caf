"""The check of each type of directive: one argument or one line's arguments against a line of the schema."""

import ipaddress
import re
from collections.abc import Callable

from ..common.spelling import spelled
from .text import SEVERAL, size_in_bytes

TITLE_WORDS = ("title", "listen-addr", "server-mode", "config-file", "port", "tls-port", "unixsocket")
TITLE = re.compile(r"\{\{|\{(" + "|".join(TITLE_WORDS) + r")\}")
Check = Callable[[str, dict], "str | None"]


def wrong_value(arguments: list[str], spec: dict) -> str | None:
    """What the server would find wrong with one line's arguments, as a sentence; None if nothing."""
    kind = spec["type"]
    if kind in LINES:
        return LINES[kind](arguments, spec)
    if kind in SEVERAL:
        return None
    return CHECKS.get(kind, _text)(arguments[0], spec)


def wrong_kind(value: object, spec: dict) -> str | None:
    """What is wrong with the inventory's own type of a scalar: YAML reads unquoted texts as something else."""
    kind = spec["type"]
    if kind not in ("bool", "enum", "flags") and isinstance(value, bool):
        return "is true or false to YAML; write it in quotes if that text is meant"
    if kind == "octal" and isinstance(value, int) and spelled(value) is None:
        return f"is a number, of which nobody can tell whether {value} is octal; write it in quotes, such as '0770'"
    if spec.get("secret") and isinstance(value, (int, float)):
        return "is a number to YAML, which may drop zeros of it; write it in quotes"
    if kind != "percents" and isinstance(value, float):
        return "is a fraction to YAML; write it in quotes if that text is meant"
    return None


def _number(text: str, spec: dict) -> str | None:
    low = spec.get("min", 0)
    high = spec.get("max") or (2**31 - 1 if spec["type"] in ("int", "numbers") else 2**63 - 1)
    if not re.fullmatch(r"0|-?[1-9][0-9]{0,20}", text, re.ASCII):
        return f"must be a whole number, not {text!r}"
    return None if low <= int(text) <= high else f"must be from {low} to {high}, not {text}"


def _memory(text: str, spec: dict) -> str | None:
    low, high = spec.get("min", 0), spec.get("max") or 2**63 - 1
    try:
        size = size_in_bytes(text)
    except ValueError as error:
        return str(error)
    return None if low <= size <= high else f"must be from {low} to {high} bytes, not {text!r}"


def _share(text: str, spec: dict) -> str | None:
    if text.endswith("%"):
        fits = re.fullmatch(r"0|[1-9][0-9]?|100", text[:-1], re.ASCII)
        return None if fits else f"must be from 0% to 100%, not {text!r}"
    return _memory(text, spec) and f"must be a size such as 256mb or a share such as 5%, not {text!r}"


def _enum(text: str, spec: dict) -> str | None:
    return None if text.lower() in spec["values"] else f"must be one of {', '.join(spec['values'])}, not {text!r}"


def _words(text: str, spec: dict) -> str | None:
    known = [word.lower() for word in spec["values"]]
    fits = not text or all(word in known for word in text.lower().split(" "))
    return None if fits else f"must be words of {', '.join(spec['values'])} with one space between, not {text!r}"


def _events(text: str, spec: dict) -> str | None:
    wrong = sorted(set(text) - set(spec["values"]))
    return f"must be letters of {spec['values']}, not {''.join(wrong)!r}" if wrong else None


def _template(text: str, spec: dict) -> str | None:
    # The server reads {{ as one brace and asks for a text that is not blank; title and the paths may be empty.
    rest = TITLE.sub(lambda found: "x" if found[1] in (None, "listen-addr", "port", "tls-port") else "", text)
    if "{" in TITLE.sub("", text):
        return "must use only {" + "}, {".join(TITLE_WORDS) + "}"
    return None if rest.strip(" ") else "must not make a blank title"


def _text(text: str, spec: dict) -> str | None:
    size, high = len(text.encode("utf-8", "surrogateescape")), spec.get("max")
    if size < spec.get("min", 0):
        return "must not be empty"
    return f"must be at most {high} bytes long, not {size}" if high and size > high else None


def _matches(pattern: str, what: str) -> Check:
    fits = re.compile(pattern, re.ASCII)
    return lambda text, spec: _text(text, spec) or (None if fits.fullmatch(text) else f"must be {what}, not {text!r}")


def _address(version: int) -> Check:
    def check(text: str, spec: dict) -> str | None:
        try:
            fits = not text or ipaddress.ip_address(text).version == version
        except ValueError:
            fits = False
        return None if fits else f"must be an IPv{version} address, not {text!r}"

    return check


def _flags(line: list[str], spec: dict) -> str | None:
    words = [word.lower() for word in line]
    wrong = next((found for found in (_enum(word, spec) for word in words or [""]) if found), None)
    both = {"save", "nosave"} <= set(words)
    return wrong or ("must not ask for both save and nosave" if both else None)


def _addresses(line: list[str], spec: dict) -> str | None:
    if line == [""]:
        return None if spec.get("default") else "must name an address"
    wrong = [one for one in line if not re.fullmatch(r"-?(\*|::\*|[A-Za-z0-9_.:%-]+)", one, re.ASCII)]
    if wrong or not line:
        return f"must be addresses, not {' '.join(wrong)!r}"
    return f"must be at most {spec['max']} addresses, not {len(line)}" if len(line) > spec["max"] else None


def _percents(line: list[str], spec: dict) -> str | None:
    if line in ([], [""]):
        return None
    wrong = [one for one in line if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", one, re.ASCII) or float(one) > 100]
    return f"must be numbers from 0 to 100, not {' '.join(wrong)!r}" if wrong else None


def _numbers(line: list[str], spec: dict) -> str | None:
    if len(line) != spec["count"]:
        return f"must be {spec['count']} numbers, not {len(line)}"
    return next((found for found in (_number(one, spec) for one in line) if found), None)


def _endpoint(line: list[str], spec: dict) -> str | None:
    if len(line) != 2 or not line[0] or [word.lower() for word in line] == ["no", "one"]:
        return "must be a host and a port; null takes it away"
    return _number(line[1], {"type": "int", "min": 1, "max": 65535}) and f"must end in a port, not {line[1]!r}"


def _save(line: list[str], spec: dict) -> str | None:
    if line == [""]:
        return None
    if len(line) != 2:
        return f"must be pairs of seconds and changes such as '900 1', not {' '.join(line)!r}"
    seconds, changes = (_number(one, {"type": "int", "min": low}) for one, low in zip(line, (1, 0), strict=True))
    wrong = f"must be seconds (1 or more) and changes (0 or more), not {' '.join(line)!r}"
    return wrong if seconds or changes else None


def _output_limits(line: list[str], spec: dict) -> str | None:
    if len(line) != 4:
        return f"must be class, hard limit, soft limit and seconds such as 'normal 0 0 0', not {' '.join(line)!r}"
    if line[0].lower() not in ("normal", "replica", "slave", "pubsub"):
        return f"must be about normal, replica or pubsub, not {line[0]!r}"
    return _memory(line[1], {}) or _memory(line[2], {}) or _number(line[3], {"type": "int"})


def _module(line: list[str], spec: dict) -> str | None:
    return None if line and line[0].startswith("/") else "must start with the absolute path of a module"


LINES = {
    "flags": _flags,
    "addresses": _addresses,
    "percents": _percents,
    "numbers": _numbers,
    "endpoint": _endpoint,
    "save": _save,
    "output_limits": _output_limits,
    "module": _module,
}
CHECKS: dict[str, Check] = {
    "int": _number,
    "long": _number,
    "memory": _memory,
    "memory_or_percent": _share,
    "enum": _enum,
    "words": _words,
    "events": _events,
    "template": _template,
    "ipv4": _address(4),
    "ipv6": _address(6),
    "bool": lambda text, spec: None if text.lower() in ("yes", "no") else f"must be true or false, not {text!r}",
    "octal": _matches(r"0?[0-7]{1,3}", "a file mode such as 770"),
    "path": _matches(r"(/.*)?", "an absolute path"),
    "filename": _matches(r"[^/\\]*", "a file name without slashes"),
    "hostname": _matches(r"[A-Za-z0-9.-]{0,255}", "a host name of letters, digits, hyphens and dots"),
    "nodename": _matches(r"[^!#$%&()*+:;<>?@\[\]^{|}~]*", "a name without special characters"),
    "locale": _matches(
        r"(C|POSIX|[a-z]{2,3}_[A-Z]{2})?(\.[A-Za-z0-9-]+)?(@[a-z]+)?", "the name of a locale such as C.UTF-8"
    ),
}
