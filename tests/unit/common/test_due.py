"""Whether a run has something to do on a host, by what the host has told and what the roles say beside it."""

import copy

import pytest
from ansible_collections.cistern.core.plugins.action.observe import DUE
from deep_merge import deep_merge

HELD = {"version": "5:7.0.15-1", "hold": False}
OBSERVED = {
    "facts": {
        "packages": dict.fromkeys(("redis-server", "redis-tools", "redis-sentinel"), HELD),
        "differing_files": [],
    },
    "instance": {"differs": False},
    "sentinel": {"differs": False},
    "cache": {"differs": False},
    "exporters": {"differs": False},
    "node": {
        "differs": False,
        "facts": {"packages": {"postgresql-15": HELD, "citus": HELD}, "files": ["/start.conf"]},
        "tls": {"why": ""},
        "database": {
            "exists": True,
            "owner": "app",
            "role": {"login": True, "password": True},
            "extensions": {"citus": {"has": "13.0"}},
            "observers": ["exporter"],
        },
    },
    "cluster": {"differs": False},
    "tables": {"differs": False},
}
APT = {"version": "", "hold": False}
SERVER = {"packages": ["redis-server", "redis-tools"], "apt": APT}
ASKED = {
    "packages": SERVER,
    "instance": SERVER,
    "sentinel": {"packages": ["redis-sentinel"], "apt": APT},
    "node": {
        "state": "present",
        "start_file": "/start.conf",
        "apt": {"packages": ["postgresql-15", "citus"], "held": ["citus"], "hold": False},
        "role": "app",
        "observers": ["exporter"],
    },
    "cache": {"has_files": False},
    "exporters": {},
}
LACKS, OTHER = {"redis-server": None}, {"redis-server": {"version": "5:7.0.15-1", "hold": True}}


def due(name, observed=None, asked=None):
    found = deep_merge(copy.deepcopy(OBSERVED), observed or {})
    found["facts"]["packages"] = {name: each for name, each in found["facts"]["packages"].items() if each}
    found["node"]["facts"]["packages"] = {n: each for n, each in found["node"]["facts"]["packages"].items() if each}
    return bool(DUE[name](found, deep_merge(copy.deepcopy(ASKED[name]), asked or {})))


@pytest.mark.parametrize("name", DUE)
def test_a_host_that_is_as_it_should_be_is_not_due(name):
    assert due(name) is False


@pytest.mark.parametrize(
    ("name", "observed", "asked"),
    [
        ("packages", {"facts": {"packages": LACKS}}, {}),
        ("packages", {"facts": {"packages": OTHER}}, {}),
        ("packages", {"facts": {"differing_files": ["/etc/apt/x"]}}, {}),
        ("packages", {}, {"apt": {"version": "7.2"}}),
        ("packages", {}, {"apt": {"hold": True}}),
        ("instance", {"instance": {"differs": True}}, {}),
        ("instance", {"facts": {"packages": LACKS}}, {}),
        ("instance", {"facts": {"packages": OTHER}}, {}),
        ("instance", {"facts": {"differing_files": ["/etc/apt/x"]}}, {}),
        ("instance", {}, {"apt": {"version": "7.2"}}),
        ("instance", {}, {"apt": {"hold": True}}),
        ("sentinel", {"sentinel": {"differs": True}}, {}),
        ("sentinel", {"facts": {"packages": {"redis-sentinel": None}}}, {}),
        ("sentinel", {}, {"apt": {"version": "7.2"}}),
        ("cache", {"cache": {"differs": True}}, {}),
        ("cache", {}, {"has_files": True}),
        ("exporters", {"exporters": {"differs": True}}, {}),
        ("node", {"node": {"differs": True}}, {}),
        ("node", {"node": {"tls": {"why": "it has none"}}}, {}),
        ("node", {"node": {"facts": {"packages": {"citus": None}}}}, {}),
        ("node", {}, {"apt": {"hold": True}}),
        ("node", {"node": {"database": {"exists": False, "owner": None, "role": None, "extensions": {}}}}, {}),
        ("node", {"node": {"database": {"owner": "other"}}}, {}),
        ("node", {"node": {"database": {"role": {"login": False}}}}, {}),
        ("node", {"node": {"database": {"role": {"password": False}}}}, {}),
        ("node", {"node": {"database": {"extensions": {"citus": {"has": None}}}}}, {}),
        ("node", {"node": {"database": {"observers": []}}}, {}),
        ("node", {"cluster": {"differs": True}}, {}),
        ("node", {"tables": {"differs": True}}, {}),
        # its server still runs, or would with the next boot
        ("node", {}, {"state": "absent"}),
    ],
)
def test_what_makes_a_host_due(name, observed, asked):
    assert due(name, observed, asked) is True


def test_a_node_that_has_left_is_not_due_whatever_differs_there():
    observed = {"node": {"differs": True, "facts": {"files": []}}}
    assert due("node", observed, {"state": "absent"}) is False


def test_an_instance_that_differs_is_nothing_for_apt():
    assert due("packages", {"instance": {"differs": True}}) is False
