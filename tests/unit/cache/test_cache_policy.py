"""What the check says of key families: each file of cases/cache/policy is one case.

`says` are the variables of a deployment, or `hosts` those of each of its hosts; `errors` are the sentences, in
order; `cluster` is the Citus of the inventory. What the role makes of a policy is asked of its own variables.
"""

from pathlib import Path

import pytest
import role_vars
from ansible_collections.cistern.core.plugins.plugin_utils.cache import policy as cache_policy
from ansible_collections.cistern.core.plugins.plugin_utils.cache import warming as cache_warming
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from case_files import Cases

ROOT = Path(__file__).resolve().parents[3]
CASES = Cases("cache/policy", "says", "hosts", "origins", "cluster", "families", "errors")
DERIVED = role_files.derived("cache")
BASELINE = {name: DERIVED[f"__{name}_baseline"] for name in cache_policy.LAYERS}


def hosts_of(case):
    told = case.get("hosts") or {"a": case.get("says", {})}
    origins = {tuple(key.split(" ")): place for key, place in case.get("origins", {}).items()}
    return [cache_policy.Host(name, "cache", values, origins, {}) for name, values in told.items()]


def check(hosts, cluster=None):
    return cache_policy.check(hosts, role_files.options("cache"), BASELINE, cluster)


@CASES.each
def test_check(path):
    case = CASES.read(path)
    policies, errors = check(hosts_of(case), case.get("cluster"))
    assert errors == case.get("errors", [])
    for name, family in case.get("families", {}).items():
        found = policies["cache"]["families"][name]
        assert {key: found[key] for key in family} == family


def test_there_are_cases():
    assert len(CASES) >= 12


def test_the_baseline_is_the_guides():
    policies, errors = check(hosts_of({}))
    assert errors == []
    families = policies["cache"]["families"]
    assert len(families) == 10
    guide = {
        "user_profile:{user_id}",
        "user_username:{username}",
        "user_email:{email}",
        "message:{message_id}",
        "conversation:{user1}:{user2}:messages:{limit}:{offset}",
        "user_messages:{user_id}:{limit}:{offset}",
        "conversation_partners:{user_id}",
        "unread_count:{user_id}",
        "online_users",
        "user_online:{user_id}",
    }
    assert {family["key"] for family in families.values()} == guide
    assert policies["cache"]["ttls"] == {
        "CACHE_DEFAULT_TTL": 3600,
        "CACHE_USER_TTL": 1800,
        "CACHE_MESSAGE_TTL": 300,
        "CACHE_CONVERSATION_TTL": 600,
    }
    assert {family["ttl"] for family in families.values()} == set(policies["cache"]["ttls"].values())


def test_a_deployment_without_families_has_no_policy():
    assert check(hosts_of({"says": {"cache_families": None}})) == ({}, [])


CITUS = {"host": "db1", "port": 6432, "name": "chat", "ca": "/srv/ca.crt"}
BY_CITUS = {**CITUS, "sslmode": "verify-full", "sslrootcert": "/srv/ca.crt", "user": ""}
del BY_CITUS["ca"]


@pytest.mark.parametrize(
    ("own", "cluster", "found"),
    [
        ({"host": "db9"}, {}, {"host": "db9", "port": 5432, "sslmode": "require", "sslrootcert": "", "user": ""}),
        (None, CITUS, BY_CITUS),
        ({"host": "db1", "user": "reader"}, CITUS, {**BY_CITUS, "user": "reader"}),
        # another server than that of the inventory has another certificate too
        ({"host": "db9"}, CITUS, {"host": "db9", "port": 5432, "sslmode": "require", "sslrootcert": "", "user": ""}),
    ],
)
def test_where_queries_go(own, cluster, found):
    assert cache_warming.database({"cache_warm_database": own}, cluster) == found


# -- what the role makes of it

FILE, QUERY = {"file": "/srv/warm/a.jsonl"}, {"sql": "SELECT 1 AS id, 2 AS value"}


def means(name, *warms, **variables):
    """What a variable of the role means on a host whose families are filled so."""
    families = {
        f"f{n}": {"key": f"f{n}:{{id}}", "type": "string", "ttl": 60, "warm": warm} for n, warm in enumerate(warms)
    }
    place = {"deployment": "cache", "name": "", "addresses": ["127.0.0.1"], "port": 6379}
    known = {
        "groups": {},
        "inventory_hostname": "a",
        "redis_deployment": "cache",
        "role_path": str(ROOT / "roles/cache"),
        "__redis_observed": {"facts": {"programs": []}},
        "__cache_check": {
            "policies": {"cache": {"deployment": "cache", "families": families}},
            "instances": {"a": {**place, "at": {"address": "192.0.2.1", "port": 6379}}},
            "databases": {"a": {"host": "db1", "sslrootcert": "/srv/ca.crt"}},
        },
        **variables,
    }
    return role_vars.means("cache", name, known)


def test_numbers_of_the_command_line_are_numbers_to_the_programs():
    told = {"cache_warm_rate": "5000", "cache_warm_memory": "0.8", "cache_warm_query_seconds": "60"}
    job = means("__cache_warm_job", {**QUERY, "every": "1h"}, **told)
    assert (job["rate"], job["memory"], job["database"]["seconds"]) == (5000, 0.8, 60)
    assert means("__cache_metrics_job", None, cache_metrics_rate="100")["rate"] == 100


@pytest.mark.parametrize(
    ("warms", "needed"),
    # what the verbs need is there for any family
    [((), False), ((None,), True), ((QUERY,), True), ((FILE,), True), (({**FILE, "every": "1h"},), True)],
)
def test_the_host_is_asked_where_the_verb_needs_something_there(warms, needed):
    assert means("__cache_is_needed", *warms) == needed


def test_a_host_has_the_files_of_all_families():
    assert [each["family"] for each in means("__cache_warm_from_files", {**FILE, "every": "1h"}, FILE, QUERY)] == [
        "f0",
        "f1",
    ]
    assert any("jsonl" in path for path in means("__cache_sweep", QUERY))
    assert not any("jsonl" in path for path in means("__cache_sweep", QUERY, FILE))


def test_a_new_certificate_of_the_ca_restarts_the_watcher():
    files = means("__cache_warm_files", {**QUERY, "after": ["restart"]})
    read = {each["path"] for each in files if "/etc/cistern/" in each["path"]}
    assert len(read) == 3 and read <= set(means("__cache_warm_units", {**QUERY, "after": ["restart"]})[0]["files"])
