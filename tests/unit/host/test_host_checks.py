"""What is said where a machine has what a run claims of it: each file of cases/host/checks is one case.

`redis`, `sentinels`, `citus` and `watched` are inventory hosts with what the inventory `says` of each, its `machine`,
and what was `found` there, laid over a machine that has nothing; one without was not asked. `errors` and `warnings` are
the sentences, in order. `origins` are variables that were written in hosts.yml:1.
"""

from ansible_collections.cistern.core.plugins.module_utils.host.claims import judge
from ansible_collections.cistern.core.plugins.plugin_utils.citus import node as citus_node
from ansible_collections.cistern.core.plugins.plugin_utils.citus import schema as citus_schema
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from ansible_collections.cistern.core.plugins.plugin_utils.host import checks as host_checks
from ansible_collections.cistern.core.plugins.plugin_utils.host import claims as host_claims
from ansible_collections.cistern.core.plugins.plugin_utils.monitoring import host as monitoring_host
from ansible_collections.cistern.core.plugins.plugin_utils.redis import deployments as redis_deployments
from ansible_collections.cistern.core.plugins.plugin_utils.redis import instance as redis_instance
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema
from case_files import Cases

CASES = Cases("host/checks", "redis", "citus", "watched", "sentinels", "errors", "warnings")
NOTHING = {
    **dict.fromkeys(("listeners", "servers", "at_boot", "unusable", "own", "lacks", "clusters"), []),
    **dict.fromkeys(("units", "overrides", "names"), {}),
}
FOUND = {
    "listeners": {"port": 6379, "address": "0.0.0.0", "user": "redis", "suspects": [], "process": None},
    "servers": {
        "pid": 7,
        "program": "/usr/bin/redis-server",
        "name": "",
        "is_sentinel": False,
        "folder": "/",
        "unit": "",
    },
    "clusters": {"name": "15/main", "port": 5432, "folder": "/var/lib/postgresql/15/main", "start": "auto"},
}
PASSWORD = "long enough for all"


def found(reported):
    reported = {**NOTHING, **reported}
    for what, usual in FOUND.items():
        reported[what] = [{**usual, **each} for each in reported[what]]
    for each in reported["listeners"]:
        each["process"] = each["process"] and {**FOUND["servers"], **each["process"]}
    usual = {"addresses": [], "why": "", "in_hosts": False}
    reported["names"] = {name: {**usual, **answer} for name, answer in reported["names"].items()}
    return reported


def of(kind, name, host, **more):
    values = {"redis_deployment": "cache", "redis_password": PASSWORD, **(host.get("says") or {})}
    return kind(
        name=name,
        machine=(host.get("machine", name), 22),
        values=values,
        origins=dict.fromkeys(host.get("origins", []), "hosts.yml:1"),
        broken={},
        **more,
    )


def claims_of_redis(case):
    """Return (claims, instances, hosts of Sentinels, deployments)."""
    usual = {"baseline": {}, "mode_baseline": {}}
    made = {
        group: [of(redis_instance.Instance, name, host, **usual) for name, host in case.get(group, {}).items()]
        for group in ("redis", "sentinels")
    }
    instances, options = made["redis"], redis_schema.options()
    everyone = {each.name: each for each in instances}
    sentinel_hosts = [everyone.get(each.name, each) for each in made["sentinels"]]
    deployments = redis_deployments.replicated(redis_deployments.deployments(instances, sentinel_hosts, options))
    claims = host_claims.of_redis(instances, sentinel_hosts, deployments, options)
    return claims, instances, sentinel_hosts, deployments


def of_redis(case, reported):
    claims, *hosts = claims_of_redis(case)
    return host_checks.of_redis(claims, reported, *hosts)


def claims_of_citus(case):
    nodes = [of(citus_node.Node, name, host, coordinates=False) for name, host in case["citus"].items()]
    return host_claims.of_citus(nodes, citus_schema.options()), nodes


def of_citus(case, reported):
    claims, nodes = claims_of_citus(case)
    return host_checks.of_citus(claims, reported, nodes)


def claims_of_monitoring(case):
    parts = ("watches", "instance", "sentinel", "node", "fallback")
    hosts = [
        of(monitoring_host.Host, name, host, **{part: host[part] for part in parts if part in host})
        for name, host in case["watched"].items()
    ]
    return host_claims.of_monitoring(hosts, role_files.options("monitoring"))


def of_monitoring(case, reported):
    claims = claims_of_monitoring(case)
    return [text for host in reported for text in judge.problems(claims[host], reported[host])], []


def test_there_are_cases():
    assert len(CASES) >= 25


@CASES.each
def test_case(path):
    case = CASES.read(path)
    groups = {"redis": of_redis, "citus": of_citus, "watched": of_monitoring}
    judged = next(each for group, each in groups.items() if group in case)
    hosts = {name: host for group in (*groups, "sentinels") for name, host in (case.get(group) or {}).items()}
    reported = {name: found(host["found"]) for name, host in hosts.items() if "found" in host}
    assert judged(case, reported) == (case.get("errors", []), case.get("warnings", []))


class HostVars(dict):
    raw_get = dict.get


def test_what_a_host_told_is_found_in_its_register_or_in_a_part_of_it():
    hostvars = HostVars(a={"told": {"facts": {"of": "all"}, "redis": {"facts": {"of": "redis"}}}}, b={})
    assert host_checks.facts_of(hostvars, "a", "told") == {"of": "all"}
    assert host_checks.facts_of(hostvars, "a", "told", "redis") == {"of": "redis"}
    assert host_checks.facts_of(hostvars, "a", "told", "citus") == {} == host_checks.facts_of(hostvars, "b", "told")


def test_of_those_that_claim_something_the_ones_that_answered_are_told():
    hostvars = HostVars(
        a={"told": {"facts": {"host": {"own": []}}}},
        b={"told": {"facts": {}}},
        c={"told": {"redis": {"facts": {"host": {"own": ["10.0.0.3"]}}}}},
        d={"told": {"facts": {"host": {"own": []}}}},
        e={},
    )
    asked = dict.fromkeys("abce", {})
    assert host_checks.observed(asked, hostvars, "told") == {"a": {"own": []}}
    assert host_checks.observed(asked, hostvars, "told", "redis") == {"c": {"own": ["10.0.0.3"]}}


def test_nothing_is_claimed_where_nothing_was_asked():
    assert judge.problems({}, {}) == []


# -- what is claimed


def brief(claims):
    """Return of the claims of a host what is looked for on its machine."""
    return {
        "ours": claims["ours"],
        "ports": {each["variable"]: (each["port"], each["addresses"]) for each in claims["ports"]},
        "folders": [each["path"] for each in claims["folders"]],
        "units": {each["unit"]: each.get("conf") for each in claims["units"]},
        "binds": {each["label"]: (each["addresses"], each["is_list"]) for each in claims["binds"]},
        "names": claims["names"],
    }


def test_what_an_instance_and_a_sentinel_claim():
    own = {"redis_instance": "x", "redis_config": {"tls-port": 6390, "bind-source-addr": "10.0.0.1"}}
    shared = {"redis_mode": "sentinel"}
    claims, *_hosts = claims_of_redis(
        {
            "redis": {
                "a": {
                    "says": {
                        **shared, **own, "redis_address": "a.net",
                        "redis_bind": ["127.0.0.1", "-10.0.0.9", "-c.net", "*", "::*", "b.net", "localhost"],
                    }
                },
                "b": {
                    "machine": "a",
                    "says": {
                        **shared, "redis_address": "10.0.0.2", "redis_deployment": "b", "redis_data_dir": "/srv/b",
                    },
                },
                "d": {"says": {"redis_deployment": "d", "redis_address": "d.net", "redis_bind": ["127.0.0.1"]}},
            },
            "sentinels": {
                "a": {},
                "c": {"says": {"redis_address": "10.0.0.3", "redis_sentinel_port": 26380}},
            },
        }
    )  # fmt: skip
    ours = ["redis-sentinel.service", "redis-server.service", "redis-server@x.service"]
    bind = ["127.0.0.1", "-10.0.0.9", "-c.net", "*", "::*", "b.net", "localhost"]
    found = {host: brief(each) for host, each in claims.items()}
    assert found["a"] == {
        "ours": ours,
        "ports": {
            "redis_port": (6379, bind),
            "tls-port": (6390, bind),
            "redis_sentinel_port": (26379, ["127.0.0.1", "a.net"]),
        },
        "folders": ["/var/lib/redis/x"],
        "units": {
            "redis-server@x.service": "/etc/redis/redis-x.conf", "redis-sentinel.service": "/etc/redis/sentinel.conf",
        },
        "binds": {
            "bind-source-addr in redis_config": (["10.0.0.1"], False),
            # what is marked with - may be missing, and everywhere is no address
            "redis_bind": (["127.0.0.1", "b.net", "localhost"], True),
            "redis_sentinel_bind": (["127.0.0.1", "a.net"], True),
        },
        "names": ["a.net", "b.net"],
    }  # fmt: skip
    assert found["b"] == {
        "ours": ours,
        "ports": {"redis_port": (6379, ["127.0.0.1", "10.0.0.2"])},
        "folders": ["/srv/b"],
        "units": {"redis-server.service": "/etc/redis/redis.conf"},
        "binds": {"redis_bind": (["127.0.0.1", "10.0.0.2"], True)},
        "names": ["a.net"],
    }
    assert found["c"] == {
        "ours": ["redis-sentinel.service"],
        "ports": {"redis_sentinel_port": (26380, ["127.0.0.1", "10.0.0.3"])},
        "folders": [],
        "units": {"redis-sentinel.service": "/etc/redis/sentinel.conf"},
        "binds": {"redis_sentinel_bind": (["127.0.0.1", "10.0.0.3"], True)},
        "names": ["a.net"],
    }
    # one alone has nobody who would look for it
    assert found["d"]["names"] == []


def test_a_host_that_runs_nothing_of_redis_claims_nothing():
    claims, *_hosts = claims_of_redis({"redis": {"a": {}}, "sentinels": {"s": {"says": {"redis_deployment": "cache"}}}})
    assert list(claims) == ["a"]


def test_what_a_node_of_citus_claims():
    says = {"postgresql_version": "17", "citus_port": "5433"}
    claims, _nodes = claims_of_citus(
        {
            "citus": {
                "a": {
                    "machine": "m",
                    "says": {**says, "citus_address": "a.net", "citus_bind": ["10.0.0.1", "*", "c.net"]},
                },
                "b": {
                    "machine": "m",
                    "says": {**says, "citus_address": "10.0.0.2", "citus_cluster": "b", "citus_data_dir": "/srv/b"},
                },
                "c": {"says": {**says, "citus_address": "gone.net", "citus_node_state": "absent"}},
            }
        }
    )
    ours = ["postgresql@17-citus.service", "postgresql@17-b.service"]
    assert {host: brief(each) for host, each in claims.items()} == {
        "a": {
            "ours": ours,
            "ports": {"citus_port": (5433, ["10.0.0.1", "*", "c.net"])},
            "folders": ["/var/lib/postgresql/17/citus"],
            "units": {"postgresql@17-citus.service": None},
            "binds": {"citus_bind": (["10.0.0.1", "c.net"], True)},
            "names": ["a.net", "c.net"],
        },
        "b": {
            "ours": ours,
            "ports": {"citus_port": (5433, ["127.0.0.1", "10.0.0.2"])},
            "folders": ["/srv/b"],
            "units": {"postgresql@17-b.service": None},
            "binds": {"citus_bind": (["127.0.0.1", "10.0.0.2"], True)},
            "names": ["a.net"],
        },
    }
    assert claims["a"]["clusters"] == claims["b"]["clusters"] == ["17/citus", "17/b"]


def test_a_node_that_is_alone_is_looked_for_by_nobody():
    alone = {"citus_address": "a.net", "citus_bind": ["10.0.0.1"]}
    claims, _nodes = claims_of_citus({"citus": {"a": {"says": alone}}})
    assert claims["a"]["names"] == []


def test_what_the_monitoring_claims():
    node = "prometheus-node-exporter.service"
    exporters = {
        "monitoring_node_port": (9100, ["10.0.0.1"]), "monitoring_redis_port": (9121, ["10.0.0.1"]),
        "monitoring_postgresql_port": (9187, ["10.0.0.1"]),
    }  # fmt: skip
    claims = claims_of_monitoring(
        {
            "watched": {
                "a": {"machine": "m", "fallback": "10.0.0.1", "sentinel": True},
                "b": {"machine": "m", "fallback": "10.0.0.1", "node": True},
                "c": {"fallback": "10.0.0.3"},
                "d": {"fallback": "10.0.0.4", "watches": True, "says": {"monitoring_bind": "10.0.0.5"}},
            }
        }
    )
    found = {host: brief(each) for host, each in claims.items()}
    assert found["a"]["ports"] == found["b"]["ports"] == exporters
    assert found["a"]["ours"] == [node, "prometheus-redis-exporter.service", "prometheus-postgres-exporter.service"]
    assert found["c"]["ports"] == {"monitoring_node_port": (9100, ["10.0.0.3"])}
    assert found["c"]["binds"] == {"monitoring_address": (["10.0.0.3"], False)}
    assert found["d"]["ports"] == {
        "monitoring_node_port": (9100, ["10.0.0.4"]),
        "monitoring_prometheus_port": (9090, ["10.0.0.5"]),
        "monitoring_alertmanager_port": (9093, ["10.0.0.5"]),
    }
    assert found["d"]["binds"] == {
        "monitoring_address": (["10.0.0.4"], False),
        "monitoring_bind": (["10.0.0.5"], False),
    }
    assert found["d"]["ours"] == [node, "prometheus.service", "prometheus-alertmanager.service"]
    made_by = {host: [each["path"] for each in claim["needs"]] for host, claim in claims.items()}
    assert made_by == {"a": ["/etc/cistern/cistern-exporter.password"], "b": made_by["a"], "c": [], "d": []}
