"""Whether a run has something to do on a node, by what it observed there."""

import pytest
from ansible_collections.cistern.core.plugins.plugin_utils.citus import due as citus_due
from deep_merge import deep_merge

ARGS = {
    "state": "present",
    "start_file": "/etc/postgresql/17/citus/start.conf",
    "apt": {"packages": ["citus"], "held": ["citus"], "hold": True},
    "role": "chat_app",
    "observers": ["cistern_exporter"],
}
DATABASE = {
    "exists": True,
    "owner": "chat_app",
    "role": {"login": True, "password": True},
    "extensions": {"citus": {"has": "13.2-1"}},
    "observers": ["cistern_exporter"],
}
NODE = {
    "differs": False,
    "tls": {"why": ""},
    "facts": {"files": [], "packages": {"citus": {"hold": True}}},
    "database": DATABASE,
}


def due(change=None, args=None, **parts):
    return citus_due.is_due({"node": deep_merge(NODE, change or {}), **parts}, {**ARGS, **(args or {})})


def test_a_node_that_is_as_it_should_be_is_left_alone():
    assert due() is False
    assert due(cluster={"differs": False}, tables={}) is False


@pytest.mark.parametrize(
    "change",
    [
        {"differs": True},
        {"tls": {"why": "ends in 3 days"}},
        {"facts": {"packages": {"citus": {"hold": False}}}},
        {"database": {"exists": False}},
        {"database": {"owner": "postgres"}},
        {"database": {"role": None}},
        {"database": {"role": {"login": False}}},
        {"database": {"role": {"password": False}}},
        {"database": {"extensions": {"citus": {"has": None}}}},
        {"database": {"observers": []}},
        {"database": {"observers": ["another"]}},
    ],
    ids=str,
)
def test_each_difference_makes_a_node_due(change):
    assert due(change)


def test_a_database_without_the_extension_or_those_who_read_it_differs():
    assert citus_due.database_differs({**DATABASE, "extensions": {}}, "chat_app", [])
    assert not citus_due.database_differs({**DATABASE, "observers": []}, "chat_app", [])
    unknown = {name: value for name, value in DATABASE.items() if name != "observers"}
    assert citus_due.database_differs(unknown, "chat_app", ["cistern_exporter"])


@pytest.mark.parametrize(
    ("installed", "held", "hold", "differs"),
    [
        ({"citus": True, "postgresql": False}, ["citus"], True, False),
        # of the two packages one is missing
        ({"citus": True}, ["citus"], True, True),
        ({"citus": True, "postgresql": False}, ["citus", "postgresql"], True, True),
        ({"citus": True, "postgresql": False}, ["citus"], False, True),
        ({"citus": False, "postgresql": False}, ["citus", "postgresql"], False, False),
        # one that is on hold and is none of ours
        ({"citus": False, "postgresql": False, "other": True}, ["citus"], False, False),
    ],
)
def test_packages_that_are_missing_or_wrongly_held_differ(installed, held, hold, differs):
    installed = {name: {"hold": is_held} for name, is_held in installed.items()}
    apt = {"packages": ["citus", "postgresql"], "held": held, "hold": hold}
    assert citus_due.apt_differs(installed, apt) is differs


def test_those_that_are_wrongly_held_are_named():
    installed = {"a": {"hold": True}, "b": {"hold": False}, "c": {"hold": True}}
    assert citus_due.wrongly_held(installed, ["a", "b"], False) == ["a"]
    assert citus_due.wrongly_held(installed, ["a", "b"], True) == ["b"]


@pytest.mark.parametrize("part", ["cluster", "tables"])
def test_a_coordinator_is_due_for_what_all_nodes_have_in_common(part):
    assert due(**{part: {"differs": True}}) is True


def test_of_a_node_that_leaves_only_its_start_matters():
    leaves, starts = {"state": "absent"}, {"facts": {"files": [ARGS["start_file"]]}}
    assert due({"differs": True}, leaves) is False
    assert due({"facts": {"files": ["/etc/other"]}}, leaves) is False
    assert due(starts, leaves) is True
    assert due(starts) is False
