"""What the doctor finds: each file of cases/doctor/findings is one finding, with what makes it and what is just not it.

`fires` and `quiet` change `usual`, three instances in line with three Sentinels, a node of Citus and a host of the
application: `have` is laid over the evidence, `want` over what should be, and `gone` takes a key away. `findings` are
all that come of it, as "host id", none where it is left out; `finding` is what one of them says, in parts.
"""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import context as doctor_case
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import judge as doctor_judgement
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import report as doctor_report
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import variables as doctor_variables
from case_files import Cases
from doctor_evidence import LIMITS, judged, usual

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/doctor.md"
CASES = Cases("doctor/findings", "fires", "quiet")


def test_a_deployment_where_all_is_well_has_no_finding():
    assert judged({})[0] == []


def test_every_finding_has_its_case():
    assert {path.stem for path in CASES.paths} == set(doctor_case.catalogue()) and len(CASES) > 100


@CASES.each
def test_finding(path):
    case, name = CASES.read(path), path.stem
    found, _evidence = judged(case["fires"])
    assert sorted(f"{each.host} {each.id}" for each in found) == sorted(case["fires"]["findings"])
    [mine] = [each for each in found if each.id == name][:1]
    told = case["fires"]["finding"]
    assert mine.message == told["says"]
    assert {key: mine.evidence.get(key) for key in told.get("evidence", {})} == told.get("evidence", {})
    assert mine.fix and mine.fix == told.get("mend", mine.fix)
    assert mine.severity == told.get("severity", doctor_case.catalogue()[name]["severity"])
    assert all(isinstance(value, (str, list)) for value in mine.evidence.values())


def test_each_command_can_be_pasted():
    """A shell takes it as it stands."""
    offered = [each.fix for path in CASES.paths for each in judged(CASES.read(path)["fires"])[0]]
    subprocess.run(["sh", "-n"], input="\n".join(offered), text=True, check=True)
    assert {"redis-cli", "ansible-playbook", "systemctl", "du"} <= {shlex.split(each)[0] for each in offered}


def test_a_command_takes_names_as_they_are():
    odd = "/srv/the app's; rm -rf x/.env"
    case = doctor_case.Case({"inventory": "-i inventories/staging", "limits": {}}, {})
    assert shlex.split(case.play("app_env", limit="app 1")) == [
        "ansible-playbook", "-i", "inventories/staging", "playbooks/app_env.yml", "--limit", "app 1",
    ]  # fmt: skip
    assert shlex.split(f"chmod o= {doctor_case.word(odd)}")[-1] == odd
    far = {"addresses": ["192.0.2.11", "fd00::1"], "port": 6380}
    assert doctor_case.cli(far, "ping") == "redis-cli -h 192.0.2.11 -p 6380 ping"
    assert doctor_case.cli({"addresses": ["192.0.2.11", "127.0.0.1"], "port": 6379}, "ping") == "redis-cli ping"
    for end in ("fd00::1 6379", "[fd00::1]:6379"):
        assert doctor_case.knock(end) == "nc -vz fd00::1 6379"


@CASES.each
def test_what_is_just_not_it_is_quiet(path):
    quiet = CASES.read(path)["quiet"]
    assert quiet.get("have") or quiet.get("want")
    found, _evidence = judged(quiet)
    assert path.stem not in [each.id for each in found]
    assert sorted(f"{each.host} {each.id}" for each in found) == sorted(quiet.get("findings", []))


# -- how it is told


def test_report_has_severity_host_evidence_and_command():
    found, evidence = judged(CASES.read("redis-failed")["fires"])
    lines = doctor_report.lines(found, evidence)
    assert lines[0] == doctor_report.summary(found, evidence) == "5 hosts asked: 1 critical, 0 warnings, 0 notes."
    assert lines[2:5] == [
        "CRITICAL",
        "  redis2 (cache)",
        "    redis-failed: redis-server.service has failed and does not run.",
    ]
    assert lines[-1].startswith("      mend: ansible-playbook -i inventories/staging playbooks/redis.yml")


def test_report_is_grouped_by_severity_and_by_host():
    def found(severity, host, deployment, evidence, fix):
        return doctor_case.Finding("id", severity, host, deployment, "It is so.", evidence, fix)

    findings = [
        found("critical", "redis1", "", {"why": "gone", "last lines": ["one", "two"]}, "mend it"),
        found("critical", "db1", "", {}, ""),
        found("critical", "redis1", "cache", {}, ""),
        found("note", "redis1", "cache", {}, ""),
    ]
    evidence = {"redis1": {}, "db1": {"state": "unreachable", "why": "no route"}}
    assert doctor_report.lines(findings, evidence) == [
        "2 hosts asked, 1 silent: 3 critical, 0 warnings, 1 note.",
        "",
        "CRITICAL",
        "  redis1 (cache)",
        "    id: It is so.",
        "      why: gone",
        "      last lines:",
        "        one",
        "        two",
        "      mend: mend it",
        "    id: It is so.",
        "  db1",
        "    id: It is so.",
        "",
        "NOTE",
        "  redis1 (cache)",
        "    id: It is so.",
    ]
    assert doctor_report.document(findings[2:3], evidence, "now") == {
        "version": 1,
        "time": "now",
        "hosts": {"redis1": "told", "db1": "unreachable"},
        "counts": {"critical": 1, "warning": 0, "note": 0},
        "findings": [
            {
                "id": "id", "severity": "critical", "host": "redis1", "deployment": "cache", "says": "It is so.",
                "evidence": {}, "mend": "",
            }
        ],
    }  # fmt: skip
    assert doctor_report.lines([], {"redis1": {}}) == ["1 host asked: nothing found."]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.5, "0.5 s"),
        (119.9, "119.9 s"),
        (120, "2 min"),
        (7199, "120 min"),
        (7200, "2 h"),
        (172799, "48 h"),
        (172800, "2 days"),
        (-172800, "-2 days"),
        (30 * 86400, "30 days"),
        (600 * 86400, "600 days"),
    ],
)
def test_a_time_has_the_unit_that_fits(seconds, text):
    assert doctor_case.seconds_text(seconds) == text


def test_numbers_have_their_words():
    assert [doctor_case.count_text(number, "host") for number in (0, 1, 2)] == ["0 hosts", "1 host", "2 hosts"]
    assert (doctor_case.share_text(1, 8), doctor_case.share_text(1, 0)) == ("12.5 %", "")


def test_document_is_what_the_page_says():
    found, evidence = judged(CASES.read("host-unreachable")["fires"])
    document = json.loads(json.dumps(doctor_report.document(found, evidence, "2026-01-01T00:00:00Z")))
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"`{key}`" in page for key in [*document, *document["findings"][0]])
    assert document["hosts"]["redis3"] == "unreachable" and document["counts"]["critical"] == 1


def test_page_has_every_finding():
    page = PAGE.read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    told = {row[1].strip(" `"): (row[2].strip(), row[3].strip().replace("`", "")) for row in rows if len(row) == 5}
    known = {name: (each["severity"], each["means"].replace("`", "")) for name, each in doctor_case.catalogue().items()}
    assert told == known


def test_every_part_of_the_catalogue_is_a_heading_of_the_page():
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"### {each['part']}\n" in page for each in doctor_case.catalogue().values())


def test_thresholds_of_the_page_are_those_of_the_role():
    [block] = re.findall(r"```yaml\n(doctor_thresholds:.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert yaml.safe_load(block)["doctor_thresholds"] == LIMITS


# -- where a place makes a finding graver, or less


@pytest.mark.parametrize(
    ("have", "says"),
    [
        ({"machine": {"container": True, "kernel": {"vm.overcommit_memory": "0"}}}, ("kernel-overcommit", "note")),
        ({"redis": {"later": {"rejected_connections": 3}}}, ("clients-rejected", "critical")),
        (
            {"redis": {"later": {"maxmemory_policy": "noeviction", "db0": "keys=900,expires=1,avg_ttl=1"}}},
            ("keys-without-ttl", "warning"),
        ),
    ],
)
def test_severity_follows_the_place(have, says):
    [found] = judged({"have": {"redis1": have}})[0]
    assert (found.id, found.severity) == says


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"doctor_thresholds": {"memory_shares": 0.9}}, "no such threshold; did you mean memory_share?"),
        ({"doctor_thresholds": {"memory_share": "0.95"}}, "memory_share in doctor_thresholds: must be a number"),
        ({"doctor_thresholds": {"memory_share": 95}}, "must be a share between 0 and 1"),
        ({"doctor_thresholds": {"replica_behind_mb": 0.5}}, ""),
        ({"doctor_seconds": 0}, "doctor_seconds: is 0; write seconds"),
        ({"doctor_seconds": 1}, ""),
        ({"doctor_seconds": "soon"}, "doctor_seconds: must be a whole number"),
        ({"doctor_json": "/no/such/folder/f.json"}, "there is no folder /no/such/folder on this machine"),
        ({"doctor_json": "/tmp/f.json"}, ""),
        ({"doctor_stict": True}, "did you mean doctor_strict?"),
    ],
)
def test_variables_are_held_against_what_is_known(values, says):
    host = doctor_variables.Host("redis1", values, {}, {})
    errors = doctor_variables.check([host, host], role_files.options("doctor"), LIMITS)
    assert len(errors) == bool(says) and says in "".join(errors)


@pytest.mark.parametrize(
    ("path", "may_write", "says"),
    [
        ("/tmp/f.json", False, "nothing can be written into /tmp; write another path"),
        ("/tmp/f.json", True, ""),
        ("", False, ""),
        (5, True, "must be text"),
        (5, False, "must be text"),
    ],
)
def test_the_folder_of_the_file_has_to_take_it(path, may_write, says, monkeypatch):
    monkeypatch.setattr(doctor_variables.os, "access", lambda *_words: may_write)
    host = doctor_variables.Host("redis1", {"doctor_json": path}, {}, {})
    errors = doctor_variables.check([host], role_files.options("doctor"), LIMITS)
    assert len(errors) == bool(says) and says in "".join(errors)


def test_a_threshold_may_be_a_fraction():
    want, evidence = usual()
    want["limits"].update(replica_behind_mb=0.5, fragmentation_mb=0.5)
    doctor_judgement.judge(want, evidence)
