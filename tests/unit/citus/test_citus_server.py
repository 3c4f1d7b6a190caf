"""What a run decides to do with the server of a node: each file of cases/citus/server is one case.

A case changes `usual`, a node that is as the inventory wants it: `want` and `have` are laid over it. `steps` and
`notes` are the sentences that an operator would read, `refused` is a part of the refusal.
"""

import copy

import pytest
from ansible_collections.cistern.core.plugins.module_utils.citus.server import drift
from ansible_collections.cistern.core.plugins.module_utils.citus.server import settings as citus_settings
from ansible_collections.cistern.core.plugins.module_utils.citus.server.plan import describe, notes, plan
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.modules import citus_server
from case_files import Cases
from deep_merge import deep_merge

CASES = Cases("citus/server", "want", "have", "steps", "refused", "notes")
FOLDER = "/etc/postgresql/15/citus"
PATHS = ("/etc/ssl/cistern-citus/ca.crt", f"{FOLDER}/pg_hba.conf", f"{FOLDER}/pg_ident.conf")
SETTINGS = {"max_connections": ("100", "100"), "shared_buffers": ("1024", "8MB"), "work_mem": ("4096", "4MB")}


def file(path):
    return {"path": path, "content": "x", "owner": "postgres", "group": "postgres", "mode": "0640"}


def usual():
    conf = file(f"{FOLDER}/conf.d/50-cistern.conf")
    want = {
        "version": "15",
        "cluster": "citus",
        "data_dir": "/var/lib/postgresql/15/citus",
        "conf": conf,
        "files": [file(path) for path in PATHS],
        "settings": {"max_connections": 100, "shared_buffers": "8MB", "work_mem": "4MB"},
        "restart": False,
        "tls": {"certificate_content": ""},
    }
    state = {"pending_restart": False, "sourcefile": conf["path"]}
    have = {
        "exists": True,
        "version": (15, 20),
        "files": {each["path"]: {**each, "kind": "file", "text": "x"} for each in [conf, *want["files"]]},
        "unit": {"active": "active", "replaced": False},
        "tls": {"trusts": True, "why": ""},
        "running": {
            "standby": False,
            "version": "15.20",
            "settings": {
                name: {"name": name, "setting": setting, "shown": shown, **state}
                for name, (setting, shown) in SETTINGS.items()
            },
        },
        "meant": {},
        "versions": {"postgresql": ("15.20", "15.20"), "citus": ("13.2.1", "13.2.1")},
    }
    return want, have


def test_there_are_cases():
    assert len(CASES) >= 20


@CASES.each
def test_plan(path):
    case = CASES.read(path)
    want, have = (deep_merge(each, case.get(key, {})) for each, key in zip(usual(), ("want", "have")))
    untouched = copy.deepcopy((want, have))
    if "refused" in case:
        with pytest.raises(Refused, match=case["refused"]):
            plan(want, have)
    else:
        assert [describe(step, want) for step in plan(want, have)] == case["steps"]
        assert notes(want, have) == case.get("notes", [])
    assert (want, have) == untouched


# -- the phases of the module


WRITE, RELOAD, RESTART, REPORT = ({"do": name} for name in ("write", "reload", "restart", "report"))


@pytest.mark.parametrize(
    ("steps", "reports_only", "taken"),
    [
        ([], False, []),
        ([WRITE, RELOAD], False, []),
        ([RESTART], False, [RESTART]),
        # a file that follows from the version of the server, which an upgrade has changed
        ([WRITE, RELOAD, RESTART], False, [WRITE, RESTART]),
        ([WRITE, RELOAD, RESTART], True, [RESTART]),
    ],
)
def test_the_phase_of_a_restart_takes_no_other_turn(steps, reports_only, taken):
    assert citus_server.restarting(steps, reports_only) == taken


def params(**change):
    usual_params = {
        "version": "15",
        "nodes": 3,
        "clients": 50,
        "address": "10.0.0.1",
        "addresses": ["10.0.0.1"],
        "port": 5432,
        "tls": {"ca": "/ca", "certificate": "/crt", "key": "/key"},
        "layers": [],
        "conf": {**file("/c"), "content": "# header\n"},
        "phase": "change",
    }
    return {**usual_params, **change}


@pytest.mark.parametrize(
    ("version", "has"), [(None, True), ((15, 20), True), ((15, 18), False)], ids=["fresh", "new", "old"]
)
def test_the_settings_follow_from_the_machine_and_the_installed_server(version, has):
    have = {"version": version, "facts": {"memory_mb": 1024, "cores": 2}}
    want = drift.wanted(params(layers=[{"work_mem": "1MB"}]), have)
    assert want["conf"]["content"] == "# header\n" + citus_settings.text(want["settings"])
    assert ("output_plugin_libraries" in want["settings"]) is has
    assert (want["settings"]["shared_buffers"], want["settings"]["work_mem"]) == ("256MB", "1MB")
    assert want["settings"]["citus.max_client_connections"] == 50


@pytest.mark.parametrize(("phase", "restart"), [("observe", False), ("change", False), ("restart", True)])
def test_only_one_phase_restarts(phase, restart):
    have = {"version": (15, 20), "facts": {"memory_mb": 1024, "cores": 2}}
    assert drift.wanted(params(phase=phase), have)["restart"] is restart
