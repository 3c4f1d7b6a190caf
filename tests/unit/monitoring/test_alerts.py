"""What holds alerts, their cases, their pages and the dashboards together. `make alerts` tests that they fire."""

import json
import re
from pathlib import Path

import pytest
import queries
import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

ROOT = Path(__file__).resolve().parents[3]
ALERTS, RECORDS = queries.alerts(), queries.records()
PAGES = {path.stem: path for path in ROOT.glob("docs/alerts/*.md")}
SUITES = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in ROOT.glob("tests/alerts/*.yml")}
SEVERITIES = {"critical", "warning", "info", "none"}
ALWAYS = {"Watchdog"}  # fires always, so that somebody notices when it does not arrive


def used_thresholds():
    found = [re.findall(r"cistern:threshold:(\w+)", rule["expr"]) for rule in queries.rules()]
    return {name for names in found for name in names}


def recorded_thresholds():
    text = (ROOT / "tests/alerts/rules/thresholds.yml").read_text(encoding="utf-8")
    rules = yaml.safe_load(text)["groups"][0]["rules"]
    return {rule["record"].rpartition(":")[2]: float(re.search(r"[\d.]+", rule["expr"])[0]) for rule in rules}


def test_nothing_below_is_vacuous():
    assert len(ALERTS) >= 50 and len(RECORDS) >= 30 and len(SUITES) >= 6 and len(queries.dashboards()) == 4


# -- alerts


def test_names_are_unique():
    names = [rule.get("alert") or rule["record"] for rule in queries.rules()]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", ALERTS)
def test_alert_says_what_it_is(name):
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in SEVERITIES
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/alerts/{name}.md"


def cases():
    """What is expected of an alert at a moment, by all suites."""
    for suite in SUITES.values():
        for test in suite["tests"]:
            yield from test.get("alert_rule_test", [])


@pytest.mark.parametrize("name", ALERTS)
def test_alert_has_a_case_that_fires_and_one_that_does_not(name):
    fires = {bool(case["exp_alerts"]) for case in cases() if case["alertname"] == name}
    assert fires == ({True} if name in ALWAYS else {True, False})


def test_every_case_is_about_an_alert():
    assert {case["alertname"] for case in cases()} == set(ALERTS)


def test_every_file_of_rules_is_tested():
    tested = {Path(file).stem for suite in SUITES.values() for file in suite["rule_files"]}
    assert {rule["file"] for rule in queries.rules()} <= tested


# -- thresholds


def test_thresholds_are_those_that_are_used():
    assert set(recorded_thresholds()) == used_thresholds()


def test_missing_thresholds_are_noticed_by_their_number():
    rule = ALERTS["MonitoringThresholdsMissing"]
    number = str(len(recorded_thresholds()))
    assert rule["expr"].endswith(f"< {number}") and f"of {number} thresholds" in rule["annotations"]["summary"]


def test_thresholds_of_the_tests_are_the_defaults_of_the_role():
    derived = (ROOT / "roles/monitoring/vars/main/baseline.yml").read_text(encoding="utf-8")
    said = yaml.safe_load(derived)["__monitoring_thresholds_baseline"]
    assert {name: float(value) for name, value in said.items()} == recorded_thresholds()


# -- recording rules


@pytest.mark.parametrize("name", RECORDS)
def test_recording_rule_is_named_and_used(name):
    assert re.fullmatch(r"(instance|deployment|replica|family|device):[a-z_]+:[a-z]+(5m)?", name)
    others = [rule["expr"] for rule in queries.rules() if rule.get("record") != name]
    assert any(name in expr for expr in [*others, *(expr for title, expr in queries.queries() if title != name)])


# -- pages


def test_every_alert_has_a_page_and_every_page_an_alert():
    assert set(PAGES) == set(ALERTS)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_of_one_kind(name):
    text = PAGES[name].read_text(encoding="utf-8")
    rule = ALERTS[name]
    since = f"after {rule['for']}" if "for" in rule else "at once"
    assert text.startswith(f"# {name}\n\n**{rule['labels']['severity']}**, {since}. ")
    assert "**What users notice:**" in text
    assert re.findall(r"^## (.*)", text, re.MULTILINE) == ["Look first", "Causes, the likeliest first", "It resolves"]
    assert re.search(r"^## Look first\n\n {4}\S", text, re.MULTILINE), "no command"
    assert len(text.splitlines()) <= 40, "too long for three in the morning"


def test_list_of_alerts_says_what_the_rules_say():
    text = (ROOT / "docs/alerts.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| \[(\w+)\]\(alerts/(\w+)\.md\) \| (\w+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
    listed = {found[0]: found[1:] for found in row.findall(text)}
    assert set(listed) == set(ALERTS)
    for name, (page, severity, thresholds, since) in listed.items():
        rule = ALERTS[name]
        assert (page, severity, since) == (name, rule["labels"]["severity"], rule.get("for", "–"))
        assert set(re.findall(r"`(\w+)`", thresholds)) == set(re.findall(r"cistern:threshold:(\w+)", rule["expr"])), (
            name
        )


# -- dashboards


@pytest.mark.parametrize("name", queries.dashboards())
def test_dashboard_is_whole(name):
    dashboard = queries.dashboards()[name]
    known = {variable["name"] for variable in dashboard["templating"]["list"]} | {"__rate_interval"}
    panels = [panel for board, panel in queries.panels() if board == name]
    assert dashboard["uid"] == name and "datasource" in known
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in panels:
        assert panel["title"] and panel["targets"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert {word for target in panel["targets"] for word in re.findall(r"\$(\w+)", target["expr"])} <= known


@pytest.mark.parametrize("name", queries.dashboards())
def test_panels_do_not_overlap(name):
    taken = {}
    for panel in queries.dashboards()[name]["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


# Fields of Prometheus' annotations and of older variables, which Grafana reads and its model does not have.
BESIDE_THE_MODEL = {"definition", "titleFormat", "textFormat"}


def lost(ours, theirs, at=""):
    """Yield the paths of what is not there, or is something else, after Grafana's model has read and written it."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in ours.items():
            if name not in BESIDE_THE_MODEL:
                yield from lost(value, theirs.get(name), f"{at}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from lost(*pair, f"{at}[{number}]")
    elif ours != theirs:
        yield at


@pytest.mark.parametrize("name", queries.dashboards())
def test_grafanas_model_has_every_field(name):
    """A misspelt field, which Grafana would pass over in silence, is lost on the way through its own classes."""
    plugins.register_default_plugins()
    ours = queries.dashboards()[name]
    theirs = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(ours)))
    assert list(lost(ours, theirs)) == []
    panel = next(panel for panel in ours["panels"] if panel["type"] != "row")
    misspelt = {**ours, "panels": [{**panel, "fieldConfigs": {}, "options": {**panel["options"], "colourMode": 1}}]}
    theirs = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(misspelt)))
    assert list(lost(misspelt, theirs)) == [".panels[0].options.colourMode", ".panels[0].fieldConfigs"]


def test_series_of_a_query_are_found():
    expr = 'sum by (deployment) (rate(a_total{job="redis", x=~"b|c(d)"}[5m])) / on () group_left () level:b:max > 0'
    assert queries.selectors(expr) == ['a_total{job="redis", x=~"b|c(d)"}', "level:b:max"]
