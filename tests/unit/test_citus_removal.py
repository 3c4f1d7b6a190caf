"""What the verb of a removal takes away, and which wishes it refuses."""

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
    ("wish", "gone"), [("db2", ["db2"]), ("chat", ["db1", "db2", "db3"]), ("db1", []), ("db9", []), ("", [])]
)
def test_what_leaves(wish, gone):
    assert citus_removal.leaving(cluster(), OPTIONS, wish) == gone


CHOICE = "write one of db2, db3, or chat for all of it"


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ("", f"citus_remove: is missing; {CHOICE}"),
        ("db1", f"citus_remove: db1 is the coordinator, which does not leave alone; {CHOICE}"),
        ("db9", f"citus_remove: db9 is no node of the cluster; {CHOICE}"),
    ],
)
def test_a_wrong_wish_is_refused(wish, says):
    assert list(citus_removal.problems(cluster(), OPTIONS, wish)) == [says]


@pytest.mark.parametrize("wish", ["db3", "chat"])
def test_a_right_wish_is_not(wish):
    assert list(citus_removal.problems(cluster(), OPTIONS, wish)) == []
