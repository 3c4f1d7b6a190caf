"""The check of redis.conf against the schema in data/directives.yml, and the text that it becomes.

Pure functions: a configuration is a mapping of directives as the inventory has it, the schema is `__redis_directives`.
A version is Redis's own ('7.0.15', '8.0', a package's '5:7.0.15-1'), `valkey 8.0.1` for Valkey, or None when it is not
known: then what any covered version takes is fine.
"""

import re
from typing import NamedTuple

from ansible_collections.cistern.core.plugins.module_utils.host import secrets
from ansible_collections.cistern.core.plugins.module_utils.host.spelling import did_you_mean

from .acl import wrong_renames, wrong_users
from .rules import wrong_together
from .text import as_text, quote, rows, size_in_bytes
from .values import wrong_kind, wrong_value

__all__ = [
    "Problem",
    "canonical",
    "default",
    "entry",
    "is_live",
    "is_secret",
    "problems",
    "quote",
    "size_in_bytes",
    "to_lines",
]

COVERED = ("6.0", "6.2", "7.0", "7.2", "7.4", "valkey 8.0", "8.0")


class Problem(NamedTuple):
    """One thing wrong with a configuration: the directive, its value (hidden if secret) and a sentence about it."""

    key: str
    value: object
    message: str


# The series in the text of a version.
SHAPE = re.compile(r"(?:^|[: -])v?(\d+)\.(\d+)")


class Version(NamedTuple):
    """What decides between versions: Valkey or Redis, and the series."""

    valkey: bool
    series: tuple[int, int]

    @classmethod
    def of(cls, text: str) -> "Version":
        """Version of its text; ValueError if that is none. Valkey 8 behaves as Redis 7.2, from which it stems."""
        found = SHAPE.search(text)
        if not found:
            raise ValueError(f"{text!r} is not a version such as 7.0.15")
        valkey = "valkey" in text.lower()
        return cls(valkey, (7, 2) if valkey else (int(found[1]), int(found[2])))

    @classmethod
    def reads(cls, text: str) -> bool:
        """Whether the text is a version; a pin such as '5:*' says nothing."""
        return bool(SHAPE.search(text))

    def __str__(self) -> str:
        return "Valkey" if self.valkey else f"{self.series[0]}.{self.series[1]}"


def _series(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def _at(value: object, version: Version) -> object:
    """A value of the schema as it is for this version."""
    if not isinstance(value, dict):
        return value
    if version.valkey and "valkey" in value:
        return value["valkey"]
    fits = [series for series in value if series != "valkey" and _series(series) <= version.series]
    return value[max(fits, key=_series)] if fits else None


def _newest(version: str | None) -> Version:
    return Version.of(version or COVERED[-1])


def canonical(name: str, schema: dict) -> str:
    """The schema's own name of a directive that may be an alias."""
    return schema.get(name, {}).get("alias", name)


def entry(name: str, schema: dict, version: str | None) -> dict:
    """The schema's line of a directive for one version, an alias followed. KeyError if the name is unknown."""
    line, target = schema[name], schema[canonical(name, schema)]
    own = {key: line[key] for key in ("since", "until", "valkey") if key in line}
    facts = {key: value for key, value in target.items() if line is target or key not in ("since", "until", "valkey")}
    known = {**facts, "live": _live(target), **own}
    newest = _newest(version)
    return {key: _at(value, newest) for key, value in known.items()}


def _live(line: dict) -> object:
    """Whether a directive is live; where it became so with a series, by series."""
    live = line["live"]
    return {"6.0": False, live: True} if isinstance(live, str) else live


def is_live(name: str, schema: dict, version: str | None) -> bool:
    """Whether CONFIG SET can change the directive while the server runs."""
    return name in schema and _at(_live(schema[canonical(name, schema)]), _newest(version)) is True


def is_secret(name: str, schema: dict) -> bool:
    """Whether the value of the directive must not be shown."""
    return bool(schema.get(canonical(name, schema), {}).get("secret"))


def default(name: str, schema: dict, version: str | None) -> str | None:
    """The server's own default as CONFIG GET says it; None for what has none."""
    return entry(name, schema, version).get("default")


def _wrong_version(name: str, schema: dict, version: Version) -> str | None:
    """Why this version does not know the name."""
    line = schema[name]
    if line.get("valkey") == "only":
        return None if version.valkey else "is a directive of Valkey, the host has Redis"
    if version.valkey and line.get("valkey"):
        return None
    has = "the host has " + str(version)
    if "since" in line and version.series < _series(line["since"]):
        old = [
            other
            for other, facts in schema.items()
            if facts.get("alias") == name and facts.get("valkey") != "only" and "since" not in facts
        ]
        return f"needs Redis {line['since']} or later, {has}" + (f"; there it is {old[0]}" if old else "")
    if "until" in line and version.series > _series(line["until"]):
        return f"works up to Redis {line['until']} only, {has}"
    return None


def _unknown(name: str, config: dict, schema: dict) -> str | None:
    """Why a name that the schema does not have is wrong."""
    if name == "sentinel":
        return "belongs into Sentinel's own file"
    if "." in name and config.get("loadmodule") and re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        return None
    return "is not a Redis directive" + did_you_mean(name.lower().replace("_", "-"), schema, alike=0.7)


def _wrong_one(name: str, value: object, spec: dict) -> str | None:
    """What is wrong with one directive's value by itself."""
    items = value if isinstance(value, (list, tuple)) else [value]
    try:
        lines = rows(value, spec)
    except ValueError as error:
        return str(error)
    found = [wrong_kind(item, spec) for item in items] + [wrong_value(line, spec) for line in lines]
    return next((message for message in found if message), None)


def _problems(config: dict, schema: dict, text: str, vendor: bool, together: bool) -> list[Problem]:
    """All problems for one version."""
    version = Version.of(text)
    found: list[tuple[str, str]] = []
    fine: dict[str, list[list[str]]] = {}
    for name, value in config.items():
        if not isinstance(name, str) or name not in schema:
            message = _unknown(str(name), config, schema)
            found += [(name, message)] if message else []
            continue
        if value is None:
            continue
        spec = entry(name, schema, text)
        message = _wrong_version(name, schema, version) or _wrong_one(name, value, spec)
        if not message and spec.get("package") == "vendor" and not vendor and as_text(value).lower() == "yes":
            message = "is not possible with the distribution's package, which is built without Redis's own jemalloc"
        same = canonical(name, schema)
        if not message and same in fine:
            message = f"is the same directive as {next(other for other in config if canonical(other, schema) == same)}"
        if message:
            found.append((name, message))
        else:
            fine[same] = rows(value, spec)
    if "rename-command" in fine:
        message = wrong_renames(fine["rename-command"], version.series)
        found += [("rename-command", message)] if message else []
    if "user" in fine:
        pubsub = fine.get("acl-pubsub-default") or [[str(entry("acl-pubsub-default", schema, text).get("default"))]]
        message = wrong_users(
            fine["user"],
            version.series,
            str(pubsub[-1][0]).lower() == "allchannels",
            bool(config.get("loadmodule") or config.get("include")),
        )
        found += [("user", message)] if message else []
    found += wrong_together(fine, version.series) if together else []
    return [
        Problem(name, secrets.HIDDEN if is_secret(name, schema) else config.get(name), message)
        for name, message in found
    ]


def problems(
    config: dict, schema: dict, version: str | None, vendor: bool = False, together: bool = True
) -> list[Problem]:
    """Everything that the server would refuse, and what it would silently read otherwise than it is written.

    `vendor` says that the package is Redis's own (packages.redis.io), which can do more than the distribution's.
    `together=False` leaves out the rules between directives, for a configuration that is only a part.
    """
    if version is not None and Version.reads(version):
        return _problems(config, schema, version, vendor, together)
    each = [_problems(config, schema, text, True, together) for text in COVERED]
    always = set.intersection(*({problem.key for problem in one} for one in each))
    return [problem for problem in each[-1] if problem.key in always]


def to_lines(config: dict, schema: dict) -> list[str]:
    """The configuration as lines of redis.conf: included files first, so that what stands here wins; then by name.

    Only save points stand before them: after an included file, Redis 7.0 takes the last line of save alone (config.c,
    setConfigSaveOption asks whether a file is being read, and the end of the included one says no).
    """
    out = []
    for name in sorted(config, key=lambda key: (key != "save" or not config.get("include"), key != "include", key)):
        if config[name] is None:
            continue
        # A module's directive is not in the schema; its value is split into arguments as it stands.
        spec = entry(name, schema, None) if name in schema else {"type": "module", "many": True}
        out += [" ".join([name, *map(quote, line)]) for line in rows(config[name], spec)]
    return out
