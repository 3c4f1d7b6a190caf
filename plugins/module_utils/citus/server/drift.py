"""Whether the server of a node is what the inventory says. Reads only."""

import typing

from ansible_collections.cistern.core.plugins.module_utils.citus import client as citus_sql
from ansible_collections.cistern.core.plugins.module_utils.citus.server import settings as citus_settings
from ansible_collections.cistern.core.plugins.module_utils.citus.server import validate as citus_server_candidate
from ansible_collections.cistern.core.plugins.module_utils.citus.server.contract import Have, Running, Want
from ansible_collections.cistern.core.plugins.module_utils.citus.server.observe import folder, observe, wrong
from ansible_collections.cistern.core.plugins.module_utils.citus.server.plan import notes, plan
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused, Unusable

# What keeps a node from being looked at or changed.
FAILURES = (Refused, Unusable, RuntimeError, OSError, citus_sql.Error, citus_sql.Absent)
# What pg_settings says of a setting that is taken at a start alone.
AT_START = "postmaster"
ROTATED = "citus_rotate asks for a new one"


def wanted(params, have: Have) -> Want:
    """Return what is wanted, with the settings that this machine makes of it."""
    machine = {"memory_mb": have["facts"]["memory_mb"], "cores": have["facts"]["cores"]}
    cluster = {key: params[key] for key in ("nodes", "clients", "address", "addresses", "port", "tls")}
    # before the packages are there, the newest release of the series is what will come
    cluster["version"] = have["version"] or (int(params["version"]), 99)
    settings = citus_settings.merged(machine, cluster, params["layers"])
    conf = {**params["conf"], "content": params["conf"]["content"] + citus_settings.text(settings)}
    more = {"conf": conf, "settings": settings, "restart": params["phase"] == "restart"}
    return typing.cast("Want", {**params, **more})


def look(params) -> tuple[Want, Have]:
    """Return (what is wanted, what there is)."""
    params = {**params, "database": {**params["database"], "password": params["password"]}}
    have = observe(params)
    if params["phase"] in ("observe", "change") and params["tls"]["rotate"]:
        have["tls"]["why"] = have["tls"]["why"] or ROTATED
    want = wanted(params, have)
    on_disk = have["files"][want["conf"]["path"]]
    if have["running"] and on_disk and on_disk["text"] != want["conf"]["content"]:
        names = _restarting(want, have["running"], on_disk["text"] or "")
        have["meant"] = citus_server_candidate.meaning(want, names)
    return want, have


def _restarting(want: Want, running: Running, text) -> list[str]:
    """Return the settings whose line changes, and which the server takes at a start alone."""
    lines = set((want["conf"]["content"] or "").splitlines()) ^ set(text.splitlines())
    names = {line.split(" = ")[0] for line in lines}
    return sorted(name for name, each in running["settings"].items() if each["context"] == AT_START and name in names)


def drift(params):
    """Return {differs, notes, facts, tls, database, free_bytes}; what cannot be planned is left to the change."""
    want, have = look({**params, "phase": "observe", "upgrades": {}})
    try:
        found = {"differs": plan(want, have) != [], "notes": notes(want, have)}
    except Refused:
        found = {"differs": True, "notes": []}
    return {
        **found,
        "facts": {**have["facts"], "version": have["version"], "wrong": wrong(want)},
        "tls": have["tls"],
        "database": have["database"] or {"exists": False, "owner": None, "role": None, "extensions": {}},
        "free_bytes": have["free_bytes"],
    }


def sentence(error, params):
    """Return why a node cannot be looked at or changed, as a sentence."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}. Its folder is {folder(params)}."
