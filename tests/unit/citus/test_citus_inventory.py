"""What the check says of an inventory: each file of cases/citus/inventory is one case.

`hosts` gives each node its variables, its `machine`, what was written where (`origins`), what cannot be evaluated
(`broken`) and what it `lacks`; `common` are variables of all of them. The first host is the coordinator, or those in
`coordinators`. `errors` and `warnings` are the sentences, in order.
"""

import pytest
from ansible_collections.cistern.core.plugins.plugin_utils.citus import inventory as citus_inventory
from ansible_collections.cistern.core.plugins.plugin_utils.citus import node as citus_node
from ansible_collections.cistern.core.plugins.plugin_utils.citus import schema as citus_schema
from case_files import Cases

HOST = ("says", "machine", "origins", "broken", "lacks")
CASES = Cases("citus/inventory", "common", "coordinators", "errors", "warnings", hosts=HOST)
USUAL = {"citus_password": "long enough for all", "citus_clients": ["192.0.2.0/24"]}
# No series has lost a setting yet.
GONE = {"citus.gone_setting": {"until": "13.1"}}


def nodes(case):
    hosts = case.get("hosts") or {}
    coordinators = case.get("coordinators", list(hosts)[:1])
    found = []
    for name, host in hosts.items():
        host = host or {}
        values = {**USUAL, **case.get("common", {}), **host.get("says", {})}
        found.append(
            citus_node.Node(
                name=name,
                coordinates=name in coordinators,
                machine=(host.get("machine", name), 22),
                values={variable: value for variable, value in values.items() if variable not in host.get("lacks", [])},
                origins={key_of(words): "hosts.yml:1" for words in host.get("origins", [])},
                broken=host.get("broken", {}),
            )
        )
    return found


def key_of(words):
    """A variable, or a setting in one of the layers: `citus_config work_mem`."""
    return tuple(words.split()) if " " in words else words


def test_there_are_cases():
    assert len(CASES) >= 25


@CASES.each
def test_check(path):
    case = CASES.read(path)
    known = {**citus_schema.settings(), **GONE}
    errors, warnings = citus_inventory.check(nodes(case), citus_schema.options(), known)
    assert errors == case.get("errors", [])
    assert warnings == case.get("warnings", [])


@pytest.mark.parametrize("variable", sorted(citus_schema.options()))
@pytest.mark.parametrize(
    "value", [None, 5, -1.5, True, "", "words", [], [None], [[]], {}, {"a": None}, {1: 2}], ids=repr
)
def test_a_value_of_any_type_is_told_or_taken(variable, value):
    hosts = {"a": {"says": {variable: value}}, "b": {"says": {variable: value}}}
    errors, _warnings = citus_inventory.check(nodes({"hosts": hosts}), citus_schema.options(), citus_schema.settings())
    assert all(isinstance(text, str) for text in errors)
    kinds = {"str": str, "path": str, "dict": dict, "list": list, "bool": bool, "int": int}
    kind = kinds[citus_schema.options()[variable]["type"]]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        assert any(text.startswith(f"{variable}: must be ") for text in errors)


@pytest.mark.parametrize("value", [None, 5, True, "", [], [None], {}, {1: 2}], ids=repr)
@pytest.mark.parametrize("key", ["work_mem", "citus.shard_count", "port", 1, None, True, "shared_preload_libraries"])
def test_a_setting_of_any_type_is_told_or_taken(key, value):
    hosts = {"a": {"says": {"citus_config": {key: value}}}}
    errors, _warnings = citus_inventory.check(nodes({"hosts": hosts}), citus_schema.options(), citus_schema.settings())
    plain = value is None or isinstance(value, (bool, int, str)) or value == []
    assert bool(errors) == (not plain or key not in ("work_mem", "citus.shard_count"))


@pytest.mark.parametrize("spec", [None, 5, "", [], {}, {1: 2}, {"type": []}, {"type": "local", 1: {}}], ids=repr)
def test_a_table_of_any_type_is_reported(spec):
    hosts = {"a": {"says": {"citus_tables": {"messages": spec, 1: spec}}}}
    errors, _warnings = citus_inventory.check(nodes({"hosts": hosts}), citus_schema.options(), citus_schema.settings())
    assert [text for text in errors if text.startswith("citus_tables: messages ")]


def test_an_installed_place_is_told_with_its_defaults():
    [coordinator, worker] = nodes({"hosts": {"a": {"machine": "10.0.0.1"}, "b": {"says": {"citus_port": 6432}}}})
    options = citus_schema.options()
    assert coordinator.endpoint(options) == {
        "host": "a",
        "coordinates": True,
        "address": "10.0.0.1",
        "port": 5432,
        "state": "present",
    }
    assert (worker.endpoint(options)["coordinates"], worker.endpoint(options)["port"]) == (False, 6432)


@pytest.mark.parametrize(
    ("version", "takes"),
    [
        ("12.0.1", ["14", "15"]),
        ("12.1", ["14", "15", "16"]),
        ("12.1.12", ["14", "15", "16"]),
        ("13.0.5", ["15", "16", "17"]),
        ("13.4", ["15", "16", "17"]),
        ("14.2", ["16", "17", "18"]),
        ("15.0", None),
    ],
)
def test_postgresql_that_a_citus_takes(version, takes):
    assert citus_schema.takes(version) == takes
