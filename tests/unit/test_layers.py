"""Where a layer of settings may stand: one dictionary a level, since Ansible replaces it and does not merge."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
INVENTORIES = sorted(path.parent for name in ("hosts", "inventory") for path in ROOT.glob(f"*/*/{name}.yml"))
LEVELS = {"config": "everything", "group_config": "group", "host_config": "host"}
LAYERS = {f"{role}_{layer}": level for role in ("redis", "citus") for layer, level in LEVELS.items()}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def layers_in(values, level):
    return [(layer, level) for layer in LAYERS if layer in (values or {})]


def level_of(group):
    """An inventory has one Citus cluster, so the group of it is as wide as `all`."""
    return "everything" if group in ("all", "citus") else "group"


def inventory_layers(path):
    """(layer, level, file) of every layer in the files of one inventory; what a vault hides is not looked into."""
    for file in sorted(path.glob("*_vars/**/*")):
        if not file.is_file() or file.read_text(encoding="utf-8").startswith("$ANSIBLE_VAULT"):
            continue
        kind, name = file.relative_to(path).parts[:2]
        level = "host" if kind == "host_vars" else level_of(name.split(".")[0])
        yield from ((*each, file) for each in layers_in(load(file), level))
    for file in [*path.glob("hosts.yml"), *path.glob("inventory.yml")]:
        yield from ((*each, file) for each in in_groups(load(file)))


def in_groups(groups):
    for name, group in (groups or {}).items():
        group = group or {}
        yield from layers_in(group.get("vars"), level_of(name))
        for values in (group.get("hosts") or {}).values():
            yield from layers_in(values, "host")
        yield from in_groups(group.get("children"))


def test_layers_of_settings_stand_where_they_belong():
    found = [each for path in INVENTORIES for each in inventory_layers(path)]
    assert {"redis_config", "redis_group_config"} <= {layer for layer, _level, _file in found}
    wrong = [(layer, str(file.relative_to(ROOT))) for layer, level, file in found if level != LAYERS[layer]]
    assert wrong == []


@pytest.mark.parametrize("path", INVENTORIES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_inventory_replaces_its_own_widest_layer(path):
    """One in group_vars/all and one in group_vars/citus: Ansible takes the second alone."""
    found = [layer for layer, level, _file in inventory_layers(path) if level == "everything"]
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("all: {vars: {redis_config: {}}}", [("redis_config", "everything")]),
        ("all: {children: {redis: {children: {cache: {vars: {redis_config: {}}}}}}}", [("redis_config", "group")]),
        ("all: {children: {redis: {hosts: {one: {redis_host_config: {}}, two: }}}}", [("redis_host_config", "host")]),
        ("all: {children: {citus: {vars: {citus_config: {}}}}}", [("citus_config", "everything")]),
        (
            "all: {children: {citus: {children: {citus_worker: {vars: {citus_group_config: {}}}}}}}",
            [("citus_group_config", "group")],
        ),
    ],
)
def test_layers_are_found(text, layers):
    assert list(in_groups(yaml.safe_load(text))) == layers
