"""What the check says of key families: each file of cases/cache_policy is one case.

`says` are the variables of a deployment, or `hosts` those of each of its hosts; `errors` are the sentences, in
order; `cluster` is the Citus of the inventory.
"""

from pathlib import Path

import pytest
import yaml
from ansible_collections.cistern.core.plugins.plugin_utils import cache_policy, role_files

CASES = sorted(Path(__file__).parent.glob("cases/cache_policy/*.yml"))
DERIVED = role_files.read("cache", "vars/main.yml")
BASELINE = {name: DERIVED[f"__{name}_baseline"] for name in cache_policy.LAYERS}


def hosts_of(case):
    told = case.get("hosts") or {"a": case.get("says", {})}
    origins = {tuple(key.split(" ")): place for key, place in case.get("origins", {}).items()}
    return [cache_policy.Host(name, "cache", values, origins, {}) for name, values in told.items()]


def check(hosts, cluster=None):
    return cache_policy.check(hosts, role_files.options("cache"), BASELINE, cluster)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_check(path):
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
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
