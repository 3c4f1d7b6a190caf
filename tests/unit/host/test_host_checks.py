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


def of_redis(case, reported):
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
    return host_checks.of_redis(claims, reported, instances, sentinel_hosts, deployments)


def of_citus(case, reported):
    nodes = [of(citus_node.Node, name, host, coordinates=False) for name, host in case["citus"].items()]
    return host_checks.of_citus(host_claims.of_citus(nodes, citus_schema.options()), reported, nodes)


def of_monitoring(case, reported):
    parts = ("watches", "instance", "sentinel", "node", "fallback")
    hosts = [
        of(monitoring_host.Host, name, host, **{part: host[part] for part in parts if part in host})
        for name, host in case["watched"].items()
    ]
    claims = host_claims.of_monitoring(hosts, role_files.options("monitoring"))
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


def test_nothing_is_claimed_where_nothing_was_asked():
    assert judge.problems({}, {}) == []
