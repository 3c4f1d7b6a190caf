#!/usr/bin/env python3
"""Would the tests of the alerts notice a mistake? Makes one mistake at a time in the rules and runs them.

tests/alerts/mutants.py              every rule; takes a few minutes
tests/alerts/mutants.py redis cache  the rules of these files

A mutant changes one comparison, drops or doubles a `for`, leaves out a condition, or takes the wrong end of a group.
One that no test notices survives, is named, and makes the exit code 1.
"""

import copy
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
TESTS, RULES = ROOT / "tests/alerts", ROOT / "roles/monitoring/files/rules"
PROMTOOL = ROOT / "lab/.state/bin/promtool"
OTHER = {">": (">=", "<"), "<": ("<=", ">"), ">=": (">", "<"), "<=": ("<", ">"), "==": ("!=",), "!=": ("==",)}
CLAUSE = re.compile(r"\b(and|or|unless)\b")
ENDS = {"max": "min", "min": "max", "sum": "max", "count": "max"}


def expressions(text):
    """Each expression that is one mistake away, with what the mistake is."""
    bare = re.sub(r'"[^"]*"', lambda found: "x" * len(found[0]), text)  # nothing inside of a string is an operator
    for found in re.finditer(r"(?<![=!~<>])(>=|<=|==|!=|>|<)(?![=~])", bare):
        for other in OTHER[found[1]]:
            yield f"{found[1]} is {other}", text[: found.start()] + other + text[found.end() :]
    for found in re.finditer(r"\b(max|min|sum|count) by", bare):
        yield f"{found[1]} is {ENDS[found[1]]}", text[: found.start()] + ENDS[found[1]] + text[found.end(1) :]
    for begin, end in clauses(bare):
        yield f"without `{text[begin:end].strip()}`", text[:begin] + text[end:]


def clauses(bare):
    """Where each `and ...`, `or ...` and `unless ...` begins and ends: at the next one, or where its bracket closes."""
    for found in CLAUSE.finditer(bare):
        depth, end = 0, len(bare)
        for place in range(found.end(), len(bare)):
            depth += {"(": 1, ")": -1}.get(bare[place], 0)
            if depth < 0 or (depth == 0 and CLAUSE.match(bare, place)):
                end = place
                break
        yield found.start(), end


def mutants(groups):
    for number, rule in enumerate(groups[0]["rules"]):
        name = rule.get("alert") or rule["record"]
        for what, text in expressions(rule["expr"]):
            yield f"{name}: {what}", number, {**rule, "expr": text}
        if "for" in rule:
            value, unit = re.fullmatch(r"(\d+)([a-z]+)", rule["for"]).groups()
            yield f"{name}: without for", number, {key: rule[key] for key in rule if key != "for"}
            yield f"{name}: for is {int(value) * 2}{unit}", number, {**rule, "for": f"{int(value) * 2}{unit}"}


def tests_of(name):
    """The test files that load the rules of this name."""
    found = [path for path in TESTS.glob("*.yml") if f"files/rules/{name}.yml" in path.read_text(encoding="utf-8")]
    return [(path, yaml.safe_load(path.read_text(encoding="utf-8"))) for path in sorted(found)]


def alerts_of(test):
    return {case["alertname"] for case in test.get("alert_rule_test", [])}


def noticed(folder, name, groups, alert=None):
    """Whether a test fails. Of a mistake in an alert only its own cases can tell."""
    rules = folder / f"{name}.yml"
    rules.write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    for path, suite in tests_of(name):
        files = [str(rules) if file.endswith(f"/{name}.yml") else str(TESTS / file) for file in suite["rule_files"]]
        tests = [test for test in suite["tests"] if alert is None or alert in alerts_of(test)]
        if not tests:
            continue
        test = folder / f"test-{path.name}"
        test.write_text(
            yaml.safe_dump({**suite, "rule_files": files, "tests": tests}, sort_keys=False), encoding="utf-8"
        )
        if subprocess.run([PROMTOOL, "test", "rules", test], capture_output=True).returncode:
            return True
    return False


def main(names):
    survivors, made = [], 0
    for name in names or sorted(path.stem for path in RULES.glob("*.yml")):
        groups = yaml.safe_load((RULES / f"{name}.yml").read_text(encoding="utf-8"))["groups"]
        with tempfile.TemporaryDirectory() as folder:
            if noticed(Path(folder), name, groups):
                sys.exit(f"{name}: its tests fail as it is")
            for what, number, rule in mutants(groups):
                changed = copy.deepcopy(groups)
                changed[0]["rules"][number] = rule
                made += 1
                if not noticed(Path(folder), name, changed, rule.get("alert")):
                    survivors.append(f"{name}, {what}")
                    print(f"survives: {survivors[-1]}", flush=True)
    print(f"{made} mutants, {len(survivors)} survive")
    sys.exit(bool(survivors))


if __name__ == "__main__":
    main(sys.argv[1:])
