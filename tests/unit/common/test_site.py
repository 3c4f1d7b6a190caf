"""Which hosts site.yml goes on with."""

import pytest
from ansible_collections.cistern.core.plugins.filter.site import NOBODY, site_due
from ansible_collections.cistern.core.plugins.plugin_utils.common.due import due

GROUPS = {"redis": ["a", "b", "c"], "redis_sentinel": ["a", "w"], "citus": ["x", "y"], "monitoring": ["m"]}
SAYS = {
    "a": {"redis_deployment": "cache", "ansible_host": "192.0.2.1"},
    "b": {"redis_deployment": "cache", "ansible_host": "192.0.2.2"},
    "c": {"redis_deployment": "sessions", "ansible_host": "192.0.2.2"},
    "w": {"ansible_host": "192.0.2.9"},
    "x": {"ansible_host": "192.0.2.11"},
    "y": {"ansible_host": "192.0.2.12"},
    "m": {"ansible_host": "192.0.2.21"},
}


class HostVars(dict):
    raw_get = dict.get


def observed(**differ):
    """Return hostvars after the question; `differ` are hosts and the parts that a run would change there."""
    results = {name: {"facts": {}, "due": {"part": False, **differ.get(name, {})}} for name in SAYS}
    return HostVars({name: {**says, "__observed": results[name]} for name, says in SAYS.items()})


def test_where_nothing_differs_no_play_has_a_host():
    assert {site_due(observed(), group, GROUPS) for group in ("redis:redis_sentinel", "citus", "monitoring")} == {
        NOBODY
    }


@pytest.mark.parametrize(
    ("differ", "pattern", "hosts"),
    [
        # the whole deployment, and what shares a machine with one of it
        ({"a": {"instance": True}}, "redis:redis_sentinel", "a,b,c"),
        ({"c": {"cache": True}}, "redis", "a,b,c"),
        ({"w": {"sentinel": True}}, "redis:redis_sentinel", "w"),
        ({"y": {"citus": True}}, "citus", "x,y"),
        ({"y": {"citus": True}}, "redis", NOBODY),
        # what Redis changes on a machine, its exporters have to see
        ({"a": {"instance": True}}, "redis:redis_sentinel:citus:monitoring", "a,b,c"),
        ({"m": {"monitoring": True}}, "monitoring", "m"),
    ],
)
def test_who_goes_on(differ, pattern, hosts):
    assert site_due(observed(**differ), pattern, GROUPS) == hosts


@pytest.mark.parametrize("result", [{"unreachable": True}, {"failed": True}, {}])
def test_a_host_that_told_nothing_goes_on(result):
    hostvars = observed()
    hostvars["m"]["__observed"] = result
    assert site_due(hostvars, "monitoring", GROUPS) == "m"


def test_a_cluster_of_which_a_node_is_out_of_reach_is_not_changed():
    """Nor by a run that is limited to others: hosts that were not asked do not count."""
    hostvars = observed(x={"citus": True})
    assert site_due(hostvars, "citus", GROUPS) == "x,y"
    hostvars["y"]["__observed"] = {"unreachable": True}
    assert site_due(hostvars, "citus", GROUPS) == NOBODY
    # what else runs on its machines goes on
    assert site_due(hostvars, "redis", {**GROUPS, "redis": ["a", "x"]}) == "x"
    del hostvars["y"]["__observed"]
    assert site_due(hostvars, "citus", GROUPS) == "x"


@pytest.mark.parametrize("hostvars", [{}, HostVars(SAYS)])
def test_without_that_question_a_play_has_its_groups(hostvars):
    assert site_due(hostvars, "redis:redis_sentinel", GROUPS) == "redis:redis_sentinel"


def test_a_play_without_hosts_gets_none():
    """An inventory may have a part of it all alone."""
    assert site_due(observed(a={"instance": True}), NOBODY, {**GROUPS, "all": list(SAYS)}) == NOBODY


def test_what_is_shared_is_followed_to_its_end():
    hosts = {
        "a": {"due": True, "shares": {1}},
        "b": {"due": False, "shares": {1, 2}},
        "c": {"due": False, "shares": {2}},
        "d": {"due": False, "shares": {3}},
    }
    assert due(hosts) == ["a", "b", "c"]


@pytest.mark.parametrize(("port", "hosts"), [(22, "m,x"), ("22", "m,x"), (2222, "x"), (23, "x")])
def test_an_address_is_one_machine_where_its_port_is_the_same(port, hosts):
    """Behind one address there may be several, each with a port of its own; without one it is that of SSH."""
    hostvars = observed(x={"citus": True})
    del hostvars["y"]["__observed"]
    hostvars["m"].update(ansible_host="192.0.2.11", ansible_port=port)
    assert site_due(hostvars, "monitoring:citus", GROUPS) == hosts


def test_a_host_without_an_address_is_a_machine_of_its_own():
    hostvars = HostVars({name: {"__observed": {"due": {"part": name == "a"}}} for name in "ab"})
    assert site_due(hostvars, "redis", GROUPS) == "a"
