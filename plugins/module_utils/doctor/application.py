"""The .env of an application as the doctor sees it, and what is reached with its values from its host. Reads only."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote, urlsplit

from ansible_collections.cistern.core.plugins.module_utils.doctor import dotenv as doctor_dotenv
from ansible_collections.cistern.core.plugins.module_utils.doctor import postgres as doctor_postgres
from ansible_collections.cistern.core.plugins.module_utils.doctor import resp as doctor_resp

# Values that are told; of all others only whether they are what they should be.
SHOWN = ("REDIS_SENTINELS", "REDIS_SENTINEL_MASTER", "REDIS_REPLICAS")


def observe(want):
    """Return what there is of the file, how it differs, and what its values reach; no secret is in it."""
    try:
        state = os.stat(want["path"])
        with open(want["path"], encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        return {"exists": False, "why": getattr(error, "strerror", None) or "it is not UTF-8"}
    values, wrong = doctor_dotenv.read(text)
    expected = {**want["values"], **want["secrets"]}
    found = {
        "exists": True,
        "mode": f"{state.st_mode & 0o7777:04o}",
        "wrong_lines": wrong,
        "missing": sorted(set(expected) - set(values)),
        "differs": sorted(name for name in expected if name in values and values[name] != expected[name]),
        "shown": {name: values[name] for name in SHOWN if name in values},
        "url": _without_secret(values.get("REDIS_URL", "")),
        "sentinels": {},
        "redis": {},
        "replicas": {},
    }
    if "DATABASE_URL" in values:
        found["database"] = doctor_postgres.observe(values["DATABASE_URL"])
    try:
        found.update(_reached(values))
    except ValueError:
        # a port that is no number, or brackets without an address
        found["unreadable"] = True
    return found


def _without_secret(url):
    # to the last @: a password that is not encoded may have one, or a slash, in it
    return re.sub(r"//.*@", "//", url, flags=re.DOTALL)


def _reached(values):
    """Return what is reached of Redis: the Sentinels and the primary that they name, or the server of REDIS_URL."""
    url, password = values.get("REDIS_URL", ""), values.get("REDIS_PASSWORD", "")
    parts = urlsplit(url if "sentinel" not in url.partition(":")[0] else "redis:///")
    ends = [end for end in values.get("REDIS_SENTINELS", "").split(",") if end]
    with ThreadPoolExecutor(max_workers=8) as pool:
        if ends or "sentinel" in url.partition(":")[0]:
            name, secret = values.get("REDIS_SENTINEL_MASTER", ""), values.get("REDIS_SENTINEL_PASSWORD", "")
            states = list(pool.map(lambda end: _sentinel(_endpoint(end), secret, name), ends))
            primary_names = dict.fromkeys(each["names"] for each in states if each.get("names"))
            primaries = list(pool.map(lambda end: _server(end.rsplit(" ", 1), password), primary_names))
            return {
                "kind": "sentinel",
                "sentinels": dict(zip(ends, states)),
                "redis": dict(zip(primary_names, primaries)),
            }
        if not parts.hostname:
            return {"kind": "none"}
        secret = unquote(parts.password) if parts.password else password
        others = [end for end in values.get("REDIS_REPLICAS", "").split(",") if end]
        replicas = list(pool.map(lambda end: _server(_endpoint(end), secret), others))
        here = f"{parts.hostname} {parts.port or 6379}"
        server = _server((parts.hostname, parts.port or 6379), secret)
        return {"kind": "server", "redis": {here: server}, "replicas": dict(zip(others, replicas))}


def _endpoint(end):
    parts = urlsplit(f"//{end}")
    return parts.hostname or "", parts.port or 6379


def _sentinel(end, password, name):
    try:
        with doctor_resp.Connection(*end) as connection:
            login, words = doctor_resp.login(connection, password)
            found = {"connects": True, "login": login, "words": words, "ms": round(connection.connect_ms, 2)}
            if login in ("accepted", "not needed"):
                answer = connection.query("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)
                found["names"] = " ".join(answer) if answer else ""
            return found
    except (OSError, doctor_resp.Refused) as error:
        return {"connects": False, "why": doctor_resp.why(error)}


def _server(end, password):
    try:
        with doctor_resp.Connection(*end) as connection:
            login, words = doctor_resp.login(connection, password)
            role = connection.query("ROLE") if login in ("accepted", "not needed") else None
            return {
                "connects": True,
                "login": login,
                "words": words,
                "ms": round(connection.connect_ms, 2),
                "role": role[0] if role else "",
            }
    except (OSError, doctor_resp.Refused) as error:
        return {"connects": False, "why": doctor_resp.why(error)}
