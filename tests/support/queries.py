"""Every query that Cistern ships: those of the rules, and those of the panels of the dashboards."""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "roles/monitoring/files"

WORDS = {"and", "or", "unless", "by", "on", "without", "ignoring", "bool", "offset", "group_left", "group_right"}
GROUPING = r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)"
SELECTOR = r"(?<![\w:\"$])([a-zA-Z_:][\w:]*)?(\{[^}]*\})?(?:\[[^\]]*\])?"


def rules():
    """The rules of Prometheus, each as it is written; `file` is the name of its file."""
    for path in sorted(FILES.glob("rules/*.yml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                yield {"file": path.stem, **rule}


def alerts():
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def records():
    return {rule["record"]: rule for rule in rules() if "record" in rule}


def dashboards():
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FILES.glob("dashboards/*.json"))}


def panels():
    """Pairs of a dashboard's name and a panel that asks something."""
    for name, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            if panel["type"] != "row":
                yield name, panel


def filled(expr):
    """A panel's query as Prometheus gets it with every variable at All."""
    expr = expr.replace("$__rate_interval", "5m")
    return re.sub(r"\$\w+", ".*", expr)


def queries():
    """Name and query of each recording rule and of each panel; an alert has an answer only while something is wrong."""
    for name, rule in records().items():
        yield name, rule["expr"]
    for name, panel in panels():
        for target in panel["targets"]:
            yield f"{name}: {panel['title']} {target['refId']}", filled(target["expr"])


def selectors(expr):
    """The series that an expression looks at: names with their braces."""
    bare = re.sub(GROUPING, " ", expr)
    kept = []
    for found in re.finditer(SELECTOR, bare):
        name, braces = found[1] or "", found[2] or ""
        rest = bare[found.end() :].lstrip()
        if not (name or braces) or (name in WORDS and not braces) or rest.startswith("(") or _in_string(bare, found):
            continue
        kept.append(name + braces)
    return list(dict.fromkeys(kept))


def _in_string(text, found):
    return text[: found.start()].count('"') % 2 == 1


def every_selector():
    """Each selector of all rules and panels, with the first that uses it."""
    users = {}
    for name, expr in [*queries(), *((name, rule["expr"]) for name, rule in alerts().items())]:
        for selector in selectors(expr):
            users.setdefault(selector, name)
    return users
