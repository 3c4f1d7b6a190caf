"""What the check says of an inventory: each file of cases/redis_inventory is one case.

`hosts` gives each instance its variables, its `machine` and, when it was asked, `facts`; `errors` and `warnings` are
the sentences, in order.
"""

from pathlib import Path

import pytest
import yaml
from ansible_collections.cistern.core.plugins.plugin_utils import redis_inventory, redis_schema

CASES = sorted(Path(__file__).parent.glob("cases/redis_inventory/*.yml"))
BASELINE = yaml.safe_load((redis_schema.ROLE / "vars/main.yml").read_text(encoding="utf-8"))["__redis_baseline"]
USUAL = {"redis_deployment": "cache", "redis_password": "long enough for all"}
FACTS = {"memory_mb": 4096, "container": False, "packages": {}, "offered": ""}


def instances(case):
    found = []
    for name, host in case["hosts"].items():
        values = {**USUAL, **host.get("says", {})}
        found.append(
            redis_inventory.Instance(
                name=name,
                machine=(host.get("machine", name), 22),
                values={variable: value for variable, value in values.items() if value != "absent"},
                origins=dict.fromkeys(host.get("origins", []), "hosts.yml:1"),
                broken=host.get("broken", {}),
                baseline=BASELINE,
                facts={**FACTS, **host["facts"]} if "facts" in host else None,
            )
        )
    return found


def test_there_are_cases():
    assert len(CASES) >= 15


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_check(path):
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    errors, warnings = redis_inventory.check(instances(case), redis_schema.options(), redis_schema.load())
    assert errors == case.get("errors", [])
    assert warnings == case.get("warnings", [])


def test_one_instance_acts_for_its_machine():
    case = {
        "hosts": {
            "a": {"machine": "m"},
            "b": {"machine": "m", "says": {"redis_instance": "two", "redis_config": {"tcp-backlog": 9000}}},
            "c": {"says": {"redis_instance": "three"}},
        }
    }
    told = redis_inventory.machines(instances(case), ["a", "b", "c"])
    assert {name: entry["lead"] for name, entry in told.items()} == {"a": True, "b": False, "c": True}
    assert {name: entry["unnamed"] for name, entry in told.items()} == {"a": True, "b": True, "c": False}
    assert {name: entry["tcp_backlog"] for name, entry in told.items()} == {"a": 9000, "b": 9000, "c": 511}
    # with --limit b, it acts, and the neighbour still counts
    told = redis_inventory.machines(instances(case), ["b"])
    assert {name: entry["lead"] for name, entry in told.items()} == {"a": False, "b": True, "c": False}
    assert told["b"]["unnamed"] is True
