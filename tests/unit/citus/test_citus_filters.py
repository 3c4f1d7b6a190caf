"""What the filters of the citus role make of addresses, rules, packages and files."""

import pytest
from ansible_collections.cistern.core.plugins.filter import citus
from ansible_collections.cistern.core.plugins.plugin_utils.citus import node as citus_node
from ansible_collections.cistern.core.plugins.plugin_utils.citus import schema as citus_schema


def test_filters_are_those_of_the_file():
    filters = citus.FilterModule().filters()
    assert all(f"citus_{function.__name__.removeprefix('citus_')}" == name for name, function in filters.items())
    assert set(filters) >= {name for name in vars(citus) if name.startswith("citus_")}


@pytest.mark.parametrize(
    ("address", "network", "name"),
    [
        ("10.0.0.1", "10.0.0.1/32", "IP:10.0.0.1"),
        ("2001:db8::1", "2001:db8::1/128", "IP:2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1/128", "IP:2001:db8::1"),
        ("db.example.org", "db.example.org", "DNS:db.example.org"),
        ("worker1", "worker1", "DNS:worker1"),
    ],
)
def test_an_address_as_others_take_it(address, network, name):
    assert citus.citus_network(address) == network
    assert citus.citus_alternative_name(address) == name


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ({"user": "ops", "address": "10.0.0.0/8"}, "hostssl   all   ops   10.0.0.0/8   scram-sha-256"),
        # in the order of the columns, however it is written
        (
            {"options": "map=ops", "method": "cert", "address": "10.0.0.0/8", "user": "ops,dba", "database": "chat"},
            "hostssl   chat   ops,dba   10.0.0.0/8   cert   map=ops",
        ),
        ({"type": "local", "user": "ops", "method": "peer"}, "local   all   ops   peer"),
        ({"type": "host", "user": "all", "address": "all", "method": "reject"}, "host   all   all   all   reject"),
        ({"user": "ops", "address": None, "options": ""}, "hostssl   all   ops   scram-sha-256"),
    ],
)
def test_a_rule_is_a_line(rule, line):
    assert citus.citus_hba_line(rule) == line


PACKAGE = "postgresql-15-citus-13.2"


@pytest.mark.parametrize(
    ("installed", "version", "other"),
    [
        ({}, "13.2", ""),
        ({PACKAGE: "13.2.1.citus-1"}, "13.2", ""),
        ({PACKAGE: "13.2.1.citus-1"}, "13.2.1", ""),
        ({PACKAGE: "13.2.10.citus-1"}, "13.2.1", f"{PACKAGE} 13.2.10.citus-1"),
        ({PACKAGE: "13.2.1.citus-1"}, "13.2.2", f"{PACKAGE} 13.2.1.citus-1"),
        ({"postgresql-15-citus-12.1": "12.1.12.citus-1"}, "13.2", "postgresql-15-citus-12.1 12.1.12.citus-1"),
        ({"postgresql-15-citus": "14.4.0"}, "13.2", "postgresql-15-citus 14.4.0"),
        # of another PostgreSQL, or no Citus
        ({"postgresql-16-citus-12.1": "12.1.12.citus-1", "postgresql-15": "15.20"}, "13.2", ""),
        ({"postgresql-15-citus-tools": "1.0"}, "13.2", ""),
    ],
)
def test_another_version_is_told(installed, version, other):
    packages = {name: {"version": text, "hold": False} for name, text in installed.items()}
    values = {"citus_version": version, "postgresql_version": "15"}
    node = citus_node.Node("one", True, ("one", 22), values=values, origins={}, broken={})
    assert node.other_version(packages, citus_schema.options()) == other


def test_texts_of_certificates_end_with_one_line_break(tmp_path):
    (tmp_path / "trusted").mkdir()
    for name, text in {"trusted/b.crt": "B\n\n\n", "trusted/a.crt": "A", "trusted/c.key": "no", "ca.crt": "no"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert citus.citus_trusted(str(tmp_path)) == "A\nB\n"
    assert citus.citus_text_of(str(tmp_path / "trusted/a.crt")) == "A\n"
    assert citus.citus_trusted(str(tmp_path / "none")) == ""


def test_a_key_is_an_address_or_a_file_of_the_controller(tmp_path):
    (tmp_path / "key.asc").write_text("KEY", encoding="utf-8")
    for address in ("https://example.org/key", "http://example.org/key"):
        assert citus.citus_with_key({"key": address, "uri": "u"}) == {"key": address, "uri": "u", "key_url": address}
    assert citus.citus_with_key({"key": str(tmp_path / "key.asc")})["key_content"] == "KEY\n"


NODES = [
    {"host": "a", "address": "10.0.0.1", "port": 5432, "state": "present", "coordinates": True},
    {"host": "b", "address": "10.0.0.2", "port": 6432, "state": "absent", "coordinates": False},
]


def test_a_node_is_told_as_its_module_takes_it():
    assert citus.citus_endpoint(NODES[0]) == {"host": "a", "address": "10.0.0.1", "port": 5432}
    assert citus.citus_endpoint(NODES[1], state=True)["state"] == "absent"


@pytest.mark.parametrize(
    ("asked", "free"),
    [
        ({}, {}),
        ({"a": {"free_bytes": 7}}, {"10.0.0.1 5432": 7}),
        # one that could not be asked has a result, but no figure
        ({"a": {"free_bytes": 7}, "b": {"unreachable": True}}, {"10.0.0.1 5432": 7}),
        ({"a": {"free_bytes": 0}, "b": {"free_bytes": 9}}, {"10.0.0.1 5432": 0, "10.0.0.2 6432": 9}),
    ],
)
def test_space_is_known_of_the_hosts_that_were_asked(asked, free):
    hostvars = {name: {"__citus_observed": {"node": asked[name]}} if name in asked else {} for name in "ab"}
    assert citus.citus_free_bytes(NODES, hostvars) == free


def test_an_upgrade_is_what_changes():
    installed = {name: {"version": "13.2.1.citus-1"} for name in ("one", "two")}
    offered = ["one=13.2.2.citus-1", "two=13.2.1.citus-1", "three=15.20-0+deb12u1"]
    found = citus.citus_upgrades(offered, installed)
    assert found == {
        "one": {"has": "13.2.1.citus-1", "gets": "13.2.2.citus-1"},
        "three": {"has": "", "gets": "15.20-0+deb12u1"},
    }
    assert citus.citus_downgrades(found) == []


@pytest.mark.parametrize(
    ("has", "gets", "down"),
    [
        ("13.2.1.citus-1", "13.2.2.citus-1", False),
        ("13.2.9.citus-1", "13.2.10.citus-1", False),
        ("13.2.10.citus-1", "13.2.9.citus-1", True),
        ("17.11-1.pgdg24.04+1", "17.10-1.pgdg24.04+1", True),
        ("2:17.11-1", "2:17.11-2", False),
    ],
)
def test_a_downgrade_is_told(has, gets, down):
    assert bool(citus.citus_downgrades({"package": {"has": has, "gets": gets}})) is down


@pytest.mark.parametrize(
    ("results", "goes_on"),
    [
        ([{"due": {"node": False}}], False),
        ([{"due": {"node": False}}, {"due": {"node": True}}], True),
        # one that has told nothing, or not this
        ([None], True),
        ([{"due": {}}], True),
        ([{"unreachable": True}], True),
        ([], False),
    ],
)
def test_a_run_goes_on_where_something_is_to_do(results, goes_on):
    hostvars = {str(number): {"__citus_observed": result} for number, result in enumerate(results)}
    assert citus.citus_goes_on(list(hostvars), hostvars) is goes_on


def test_why_a_certificate_is_due():
    tls = {"a": {"why": "it ends in 3 days"}, "b": {"why": ""}, "c": {}}
    hostvars = {name: {"__citus_observed": {"node": {"tls": each}}} for name, each in tls.items()}
    hostvars |= {"d": {}, "e": {"__citus_observed": {"unreachable": True}}}
    assert citus.citus_certificates_due(list("abcde"), hostvars) == ["it ends in 3 days"]
    assert citus.citus_certificates_due(["b"], hostvars) == []
