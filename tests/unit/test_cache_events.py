"""What an operator's wish drops: each file of cases/cache_events is one case, on the baseline of the guide.

`says` are the variables of the run; `targets` are family, pattern and values in a line, `errors` the sentences.
"""

from pathlib import Path

import pytest
import yaml
from ansible_collections.cistern.core.plugins.plugin_utils import cache_events, cache_policy, role_files

CASES = sorted(Path(__file__).parent.glob("cases/cache_events/*.yml"))
DERIVED = role_files.read("cache", "vars/main.yml")
BASELINE = {name: DERIVED[f"__{name}_baseline"] for name in cache_policy.LAYERS}
POLICY = cache_policy.resolved("cache", {}, BASELINE)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_wish(path):
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    policies = {name: {**POLICY, "deployment": name} for name in case.get("deployments", ["cache"])}
    wish, errors = cache_events.wish(case["says"], policies)
    assert errors == case.get("errors", [])
    if errors:
        return
    told = [
        f"{each['family']} {each['pattern']} " + " ".join(f"{name}={value}" for name, value in each["values"].items())
        for each in wish["targets"]
    ]
    assert [text.strip() for text in told] == case.get("targets", [])
    assert wish["flush"] == case.get("flush", False)


def test_there_are_cases():
    assert len(CASES) >= 10
