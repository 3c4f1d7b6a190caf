"""Units that read their files anew, and candidates that a program refuses before they replace anything."""

import pytest
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.units import validate as units_checks
from ansible_collections.cistern.core.plugins.module_utils.units.plan import describe, plan

FILE = {"owner": "root", "group": "root", "mode": "0644", "absent": False}
RULES, DROP_IN = "/etc/p/rules", "/etc/systemd/system/p.service.d/c.conf"
UNIT = {"name": "p.service", "files": [DROP_IN], "reloads": [RULES, f"{RULES}/a.yml"], "ready": "", "absent": False}
RUNS = {"load": "loaded", "active": "active", "enabled": "enabled", "reload": False, "since": 100, "reloaded": 0}


def steps(text="a", mtime=50, swept=(), unit=None, **runs):
    """The steps where the rule on the host has this text, and the rest is as it should be."""
    path = f"{RULES}/a.yml"
    want = {"files": [{**FILE, "path": path, "content": "a"}], "users": [], "units": [{**UNIT, **(unit or {})}]}
    found = {"kind": "file", "mtime": mtime, **FILE}
    have = {
        "files": {path: {**found, "text": text}, RULES: {**found, "kind": "directory", "text": None}, DROP_IN: found},
        "users": [],
        "units": {"p.service": {**RUNS, **runs}, "old.yml": {**RUNS, "active": "inactive", "enabled": ""}},
        "swept": list(swept),
        "aside": {},
    }
    return [describe(step) for step in plan(want, have)]


RELOAD = "let p.service read its files again"


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ({}, []),
        ({"text": "b"}, ["write /etc/p/rules/a.yml", RELOAD]),
        # a run was killed between the file and the reload
        ({"mtime": 150, "unit": {"files": []}}, [RELOAD]),
        ({"mtime": 150, "unit": {"files": []}, "reloaded": 200}, []),
        # a restart reads all of it
        ({"mtime": 150}, ["restart p.service"]),
        ({"text": "b", "active": "failed"}, ["write /etc/p/rules/a.yml", "start p.service"]),
        ({"swept": [f"{RULES}/old.yml"]}, ["remove /etc/p/rules/old.yml", RELOAD]),
        (
            {"text": "b", "unit": {"ready": "http://x"}},
            ["write /etc/p/rules/a.yml", RELOAD, "wait until p.service answers"],
        ),
    ],
)
def test_a_unit_reads_its_files_again(case, told):
    assert steps(**case) == told


WANTED = [{**FILE, "path": "/etc/p/p.yml", "content": "good"}, {**FILE, "path": "/etc/q", "content": "other"}]


def check(script):
    return [{"command": ["sh", "-c", script, "{root}/etc/p/p.yml"], "files": ["/etc/p/"]}]


def test_a_check_is_due_where_its_files_change():
    assert units_checks.due(check(""), ["/etc/p/p.yml"]) and not units_checks.due(check(""), ["/etc/q"])


def test_candidates_lie_as_they_will_on_the_host():
    units_checks.validate(check('test "$(cat $0)" = good && test ! -e $(dirname $0)/../q'), WANTED, False)


def test_a_refusal_shows_no_value():
    with pytest.raises(Refused) as refused:
        units_checks.validate(check("echo \"field 'x' in \\`a secret\\` of $0\" >&2; exit 1"), WANTED, False)
    assert str(refused.value).endswith("says: field 'x' in (hidden) of /etc/p/p.yml")


def test_a_program_that_is_not_there_yet():
    missing = [{"command": ["no-such-program"], "files": ["/etc/p/"]}]
    units_checks.validate(missing, WANTED, True)
    with pytest.raises(Refused, match="no-such-program is not installed"):
        units_checks.validate(missing, WANTED, False)
