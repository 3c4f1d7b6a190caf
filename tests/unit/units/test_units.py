"""What a run decides about files and units: each file of cases/units/plan is one case.

A case changes `usual`, a timer and a service that run as they should; `steps` are the sentences that an operator reads.
"""

from ansible_collections.cistern.core.plugins.module_utils.units.apply import apply
from ansible_collections.cistern.core.plugins.module_utils.units.observe import observe
from ansible_collections.cistern.core.plugins.module_utils.units.plan import plan, reported
from case_files import Cases
from deep_merge import deep_merge

CASES = Cases("units/plan", "want", "have", "steps")
TIMER, SERVICE, USERS = "/etc/systemd/system/a.timer", "/etc/systemd/system/a.service", "/etc/sysusers.d/a.conf"


def file(path):
    return {"path": path, "content": "x", "owner": "root", "group": "root", "mode": "0644", "absent": False}


def usual():
    found = {"kind": "file", "text": "x", "owner": "root", "group": "root", "mode": "0644", "mtime": 100}
    unit = {"load": "loaded", "active": "active", "enabled": "enabled", "reload": False, "since": 200, "reloaded": 0}
    want = {
        "files": {path: file(path) for path in (USERS, SERVICE, TIMER)},
        "users": ["a"],
        "units": {
            "a.service": {"name": "a.service", "files": [SERVICE], "reloads": [], "ready": "", "absent": False},
            "a.timer": {"name": "a.timer", "files": [TIMER], "reloads": [], "ready": "", "absent": False},
        },
        "sweep": [],
    }
    have = {
        "files": {path: dict(found) for path in (USERS, SERVICE, TIMER)},
        "users": ["a"],
        "units": {"a.service": dict(unit), "a.timer": dict(unit)},
        "swept": [],
        "aside": {},
    }
    return want, have


@CASES.each
def test_plan(path):
    case = CASES.read(path)
    want, have = usual()
    want, have = deep_merge(want, case.get("want", {})), deep_merge(have, case.get("have", {}))
    want = {**want, "files": list(want["files"].values()), "units": list(want["units"].values())}
    assert reported(plan(want, have)) == case["steps"]


def test_there_are_cases():
    assert len(CASES) >= 8


def written(names):
    want = {"files": [file(f"/usr/local/lib/x/{name}.py") for name in names], "users": [], "units": [], "sweep": []}
    have = {"files": dict.fromkeys([each["path"] for each in want["files"]]), "users": [], "units": {}}
    have.update(swept=[], aside={})
    return reported(plan(want, have))


def test_many_files_of_a_folder_are_one_line():
    assert written("abcdef") == ["write 6 files of /usr/local/lib/x"]
    assert written("abcde") == ["write 5 files of /usr/local/lib/x"]
    assert written("abcd") == [f"write /usr/local/lib/x/{name}.py" for name in "abcd"]


def test_a_file_that_is_taken_away_is_none_of_the_many():
    steps = [{"do": "write", "path": f"/etc/x/{name}", "file": {"absent": name == "a"}} for name in "abcde"]
    assert reported(steps) == ["remove /etc/x/a", *[f"write /etc/x/{name}" for name in "bcde"]]


def test_what_was_set_aside_before_stays(tmp_path):
    path = tmp_path / "prometheus.yml"
    want = {"files": [], "users": [], "units": [], "sweep": [f"{tmp_path}/*"], "mark": str(tmp_path / "mark")}
    lines = []
    for text in ("first", "second", "third"):
        path.write_text(text)
        steps = plan(want, observe(want))
        lines += reported(steps)
        for step in steps:
            apply(step)
    assert lines == [f"set {path} aside as {path}.before-cistern{end}" for end in ("", "-2", "-3")]
    assert sorted(each.read_text() for each in tmp_path.iterdir()) == ["first", "second", "third"]
    assert plan(want, observe(want)) == []


def test_what_its_package_put_there_is_not_set_aside():
    """Debian has a conffile on every machine: nobody has written it."""
    path = "/etc/debconf.conf"
    want = {"files": [{**file(path), "content": "ours"}], "users": [], "units": [], "sweep": [], "mark": "/nonexistent"}
    assert reported(plan(want, observe(want))) == [f"write {path}"]


def test_the_line_of_many_files_stands_where_the_first_of_them_is_written():
    steps = [{"do": "write", "path": f"/usr/local/lib/x/{name}.py", "file": {}} for name in "abcdef"]
    steps.insert(1, {"do": "remove", "path": "/etc/old"})
    assert reported(steps) == ["write 6 files of /usr/local/lib/x", "remove /etc/old"]
