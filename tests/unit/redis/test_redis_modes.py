"""What a mode is stands once, so that a new one is a row of a table."""

import ast
from pathlib import Path

import pytest
from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
OWN = PLUGINS / "module_utils/redis/modes.py"


def literals(text):
    """Yield the line of each comparison of a mode with its name, and of each list of modes."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            names = {each.value for side in sides for each in ast.walk(side) if isinstance(each, ast.Constant)}
            # words of the source: a mode is called so by everybody
            asked = any("mode" in ast.unparse(side) for side in sides)
            if asked and names & set(modes.NAMES):
                yield node.lineno
        elif isinstance(node, (ast.Tuple, ast.List, ast.Set, ast.Dict)):
            parts = node.keys if isinstance(node, ast.Dict) else node.elts
            if len({each.value for each in parts if isinstance(each, ast.Constant)} & set(modes.NAMES)) > 1:
                yield node.lineno
        elif isinstance(node, ast.Constant) and node.value == modes.STANDALONE.name:
            yield node.lineno


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('if deployment["mode"] == "sentinel": pass', 1),
        ('if told.get("mode") in ("x", "replication"): pass', 1),
        ('wanted = {"sentinel": 1, "replication": 2}', 1),
        ('mode = values.get("redis_mode", "standalone")', 1),
        ('if kind == "sentinel": pass', 0),
        ("if modes.of(mode).has_sentinels: pass", 0),
    ],
)
def test_a_comparison_with_a_mode_is_found(text, found):
    assert len(list(literals(text))) == found


def test_nobody_else_knows_a_mode_by_its_name():
    files = [path for path in sorted(PLUGINS.rglob("*.py")) if path != OWN]
    assert [(path.name, line) for path in files for line in literals(path.read_text(encoding="utf-8"))] == []


def test_the_table_has_the_modes_of_the_variable():
    option = role_files.options("redis")["redis_mode"]
    assert option["choices"] == list(modes.NAMES) and option["default"] == modes.STANDALONE.name
    assert list(role_files.derived("redis")["__redis_mode_baseline"]) == list(modes.NAMES)


@pytest.mark.parametrize("name", ["", None, 5, [], {"sentinel": 1}, "Sentinel"])
def test_a_mode_that_there_is_not_is_nothing(name):
    assert modes.of(name) is modes.UNKNOWN and not any(modes.UNKNOWN)


def test_a_mode_is_found_by_its_name():
    assert [modes.of_deployment({"mode": name}).name for name in modes.NAMES] == list(modes.NAMES)


def test_the_baseline_of_a_server_is_the_guides():
    assert role_files.derived("redis")["__redis_baseline"] == {
        "timeout": 300,
        "maxmemory": "256mb",
        "maxmemory-policy": "allkeys-lru",
        "save": ["900 1", "300 10", "60 10000"],
        "loglevel": "notice",
        "protected-mode": True,
    }


def test_the_baseline_of_sentinel_is_what_its_page_says():
    """docs/redis-deployments.md shows it as the text of a monitor, docs/reliability.md measures with it."""
    baseline = role_files.derived("redis")["__redis_monitor_baseline"]
    text = (PLUGINS.parent / "docs/redis-deployments.md").read_text(encoding="utf-8")
    assert baseline == {"down-after-milliseconds": 5000, "failover-timeout": 60000, "parallel-syncs": 1}
    assert all(f"\n  {name}: {value}" in text for name, value in baseline.items())
