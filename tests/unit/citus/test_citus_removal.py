"""What the verb of a removal takes away, and which requests it refuses."""

import pytest
from ansible_collections.cistern.core.plugins.plugin_utils.citus import node as citus_node
from ansible_collections.cistern.core.plugins.plugin_utils.citus import removal as citus_removal
from ansible_collections.cistern.core.plugins.plugin_utils.citus import schema as citus_schema

OPTIONS = citus_schema.options()


def cluster():
    known = {"values": {"citus_database": "chat"}, "origins": {}, "broken": {}}
    return [
        citus_node.Node(name=name, coordinates=name == "db1", machine=(name, 22), **known)
        for name in ("db1", "db2", "db3")
    ]


@pytest.mark.parametrize(
    ("target", "gone"), [("db2", ["db2"]), ("chat", ["db1", "db2", "db3"]), ("db1", []), ("db9", []), ("", [])]
)
def test_what_leaves(target, gone):
    assert citus_removal.leaving(cluster(), OPTIONS, target) == gone


CHOICE = "write one of db2, db3, or chat for all of it"


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("", f"citus_remove: is missing; {CHOICE}"),
        ("db1", f"citus_remove: db1 is the coordinator, which does not leave alone; {CHOICE}"),
        ("db9", f"citus_remove: db9 is no node of the cluster; {CHOICE}"),
    ],
)
def test_a_wrong_request_is_refused(target, says):
    assert list(citus_removal.problems(cluster(), OPTIONS, target)) == [says]


@pytest.mark.parametrize("target", ["db3", "chat"])
def test_a_right_request_is_not(target):
    assert list(citus_removal.problems(cluster(), OPTIONS, target)) == []


def test_a_cluster_of_one_node_leaves_by_its_database():
    alone = cluster()[:1]
    assert citus_removal.leaving(alone, OPTIONS, "chat") == ["db1"]
    [told] = citus_removal.problems(alone, OPTIONS, "db9")
    assert "db9 is no node of the cluster" in told and "chat for all of it" in told


def test_where_there_is_no_cluster_nothing_leaves():
    assert citus_removal.leaving([], OPTIONS, "db2") == []
    assert list(citus_removal.problems([], OPTIONS, "db2")) == []


def test_a_name_of_nobody_leaves_nothing_where_there_are_nodes():
    assert citus_removal.leaving(cluster(), OPTIONS, None) == []
    assert list(citus_removal.problems(cluster(), OPTIONS, None)) == [f"citus_remove: is missing; {CHOICE}"]
