"""What an inventory says of monitoring: what is wrong with it, what each machine runs, and who is asked where.

Each file of cases/monitoring/inventory is one case: `all` are variables of every host, `hosts` what differs from the
usual four; `errors` are parts of the errors, in order.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.cistern.core.plugins.filter.monitoring import (
    monitoring_own_files,
    monitoring_refused,
    monitoring_shipped,
    monitoring_targets,
)
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from ansible_collections.cistern.core.plugins.plugin_utils.monitoring import inventory as monitoring_inventory
from ansible_collections.cistern.core.plugins.plugin_utils.monitoring.host import Host, reachable
from case_files import Cases
from deep_merge import deep_merge

ROOT = Path(__file__).resolve().parents[3]
CASES = Cases("monitoring/inventory", "all", "hosts", "errors", "hidden")
OPTIONS = role_files.options("monitoring")
THRESHOLDS = role_files.derived("monitoring")["__monitoring_thresholds_baseline"]
REDIS = {"deployment": "cache", "uri": "redis://127.0.0.1:6379", "max_clients": 10000, "snapshots": 1}
USUAL = {
    "redis1": {"fallback": "10.0.0.1", "instance": REDIS, "sentinel": "redis://127.0.0.1:26379"},
    "sessions1": {
        "fallback": "10.0.0.1",
        "instance": {**REDIS, "deployment": "sessions", "uri": "redis://127.0.0.1:6380"},
    },
    "db1": {"fallback": "10.0.0.2", "node": {"port": 5432, "database": "chat", "coordinates": True}},
    "watch1": {"fallback": "10.0.0.3", "watches": True},
}


def hosts(case):
    found = []
    for name, usual in deep_merge(USUAL, case.get("hosts", {})).items():
        values = {**case.get("all", {}), **usual.pop("values", {})} if "values" in usual else dict(case.get("all", {}))
        found.append(Host(name, (usual["fallback"], 22), values=values, origins={}, broken={}, **usual))
    return found


@CASES.each
def test_check(path):
    case = CASES.read(path)
    errors = monitoring_inventory.check(hosts(case), OPTIONS, THRESHOLDS)
    assert len(errors) == len(case["errors"]), errors
    for error, part in zip(errors, case["errors"], strict=True):
        assert part in error
    for word in case.get("hidden", []):
        assert word not in " ".join(errors)


def test_there_are_cases():
    assert len(CASES) >= 8


@pytest.mark.parametrize(
    ("number", "whom"), [(1, " [redis1]"), (2, ""), (4, "")], ids=["one host", "both of two", "all of several"]
)
def test_an_error_of_all_hosts_names_none(number, whom):
    all_hosts = hosts({"all": {"monitoring_bind": "localhost"}})[:number]
    assert monitoring_inventory.check(all_hosts, OPTIONS, THRESHOLDS) == [
        f"monitoring_bind: must be an address, not 'localhost'{whom}"
    ]


def test_targets_name_the_inventory_hosts():
    found = monitoring_inventory.targets(hosts({}), OPTIONS)
    assert found["redis"] == [
        {
            "targets": ["10.0.0.1:9121"],
            "labels": {"instance": name, "deployment": deployment, "__param_target": f"redis://127.0.0.1:{port}"},
        }
        for name, deployment, port in (("redis1", "cache", 6379), ("sessions1", "sessions", 6380))
    ]
    assert [each["labels"]["instance"] for each in found["sentinel"]] == ["redis1"]
    # one for a machine, without a deployment: what its files say of one would be renamed
    assert [each["labels"] for each in found["node"]] == [{"instance": name} for name in ("redis1", "db1", "watch1")]
    assert found["postgresql"] == [{"targets": ["10.0.0.2:9187"], "labels": {"instance": "db1", "deployment": "citus"}}]
    assert "redis" not in monitoring_inventory.targets([hosts({})[3]], OPTIONS)


def test_one_inventory_host_acts_for_its_machine():
    found = monitoring_inventory.runs(hosts({}), OPTIONS, ["sessions1", "watch1"])
    assert {name: each["is_owner"] for name, each in found.items()} == {
        "redis1": False,
        "sessions1": True,
        "db1": False,
        "watch1": True,
    }
    assert found["sessions1"]["redis"] == [f"redis://127.0.0.1:{port}" for port in (6379, 6380, 26379)]
    assert found["watch1"]["redis"] == [] and found["watch1"]["watches"]
    assert found["db1"]["postgresql"]["database"] == "chat"


def test_who_watches_acts_for_its_machine():
    """Its variables say who is told; those of another host of the machine do not."""
    both = [each._replace(machine=("m", 22), fallback="10.0.0.1") for each in hosts({}) if each.name != "db1"]
    for playing, acts in ((["redis1", "sessions1", "watch1"], "watch1"), (["watch1"], "watch1"), (["redis1"], None)):
        found = monitoring_inventory.runs(both, OPTIONS, playing)
        assert [name for name, each in found.items() if each["is_owner"]] == ([acts] if acts else [])
    assert monitoring_inventory.notes(both, ["redis1"]) == [
        "redis1: its machine watches, and is set up in a run with watch1"
    ]
    assert monitoring_inventory.notes(both, ["redis1", "watch1"]) == []


def test_the_exporter_may_go_to_the_servers_that_it_asks():
    [one, *_others] = hosts({})
    far = one._replace(instance={**REDIS, "uri": "redis://[2001:db8::5]:6379"}, sentinel="redis://198.51.100.13:26379")
    assert monitoring_inventory.runs([far], OPTIONS, [])["redis1"]["redis_hosts"] == ["198.51.100.13", "2001:db8::5"]
    assert monitoring_inventory.runs([one], OPTIONS, [])["redis1"]["redis_hosts"] == []


def test_a_second_postgresql_of_a_machine_is_told_of_and_no_target():
    [_redis1, _sessions1, first, _watch1] = hosts({})
    two = [first, first._replace(name="db2", node={**first.node, "port": 5433})]
    assert [each["labels"]["instance"] for each in monitoring_inventory.targets(two, OPTIONS)["postgresql"]] == ["db1"]
    assert monitoring_inventory.notes(two, ["db1", "db2"]) == [
        "db2: its PostgreSQL is not watched; the exporter of a machine asks one server"
    ]


def test_an_address_of_the_sixth_kind_is_in_brackets():
    [node] = [host._replace(fallback="2001:db8::1") for host in hosts({})[:1]]
    assert monitoring_inventory.runs([node], OPTIONS, [])["redis1"]["listen"]["node"] == "[2001:db8::1]:9100"


@pytest.mark.parametrize(
    ("listens", "asked"),
    [([], "127.0.0.1"), (["*"], "127.0.0.1"), (["::"], "[::1]"), (["-10.0.0.1", "::1"], "10.0.0.1")],
)
def test_where_a_server_is_asked(listens, asked):
    assert reachable(listens) == asked


def test_files_of_lists():
    assert [file["path"] for file in monitoring_targets({"b": [], "a": []}, "/t")] == ["/t/a.json", "/t/b.json"]
    [file] = monitoring_shipped(["/x/rules/own.yml"], "/r")
    assert (file["source"], file["path"], file["mode"]) == ("/x/rules/own.yml", "/r/own.yml", "0644")


def test_a_value_that_is_encrypted_by_itself_is_written_as_it_is_meant(tmp_path):
    vault = VaultLib([("default", VaultSecret(b"of the vault"))])
    sealed = vault.encrypt("of the mail server").decode().strip().replace("\n", "\n      ")
    template = ROOT / "roles/monitoring/templates/etc/prometheus/alertmanager.yml.j2"
    (tmp_path / "password").write_text("of the vault")
    (tmp_path / "play.yml").write_text(f"""
- hosts: localhost
  gather_facts: false
  vars:
    sealed: !vault |
      {sealed}
    __monitoring_alertmanager: {{receivers: [{{name: ops, email_configs: [{{auth_password: "{{{{ sealed }}}}"}}]}}]}}
  tasks:
    - ansible.builtin.template: {{src: {template}, dest: {tmp_path}/alertmanager.yml, mode: "0600"}}
""")
    command = [
        Path(sys.executable).with_name("ansible-playbook"),
        "-i",
        "localhost,",
        "-c",
        "local",
        tmp_path / "play.yml",
    ]
    command += ["--vault-password-file", tmp_path / "password"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [receiver] = yaml.safe_load((tmp_path / "alertmanager.yml").read_text())["receivers"]
    assert receiver["email_configs"] == [{"auth_password": "of the mail server"}]


@pytest.mark.parametrize(("sentences", "count"), [(["a"], "1 error."), (["a", "b"], "2 errors.")])
def test_what_is_in_the_way_is_counted(sentences, count):
    first, *told = monitoring_refused(sentences).splitlines()
    assert first.startswith(f"The inventory has {count} ") and told == [f"- {each}" for each in sentences]


def test_a_file_of_targets_is_what_prometheus_reads():
    entries = [{"targets": ["10.0.0.1:9100"], "labels": {"instance": "redis1"}}]
    [file] = monitoring_targets({"node": entries}, "/t")
    assert json.loads(file.pop("content")) == entries
    assert file == {"path": "/t/node.json", "owner": "root", "group": "root", "mode": "0644"}


def test_files_of_the_role_are_shipped():
    found = monitoring_own_files("rules/*.yml", "/r")
    names = sorted(path.name for path in (ROOT / "roles/monitoring/files/rules").glob("*.yml"))
    assert names and [file["path"] for file in found] == [f"/r/{name}" for name in names]
    assert all(Path(file["source"]).is_file() and file["mode"] == "0644" for file in found)


def test_a_sentinel_has_the_deployment_of_the_redis_beside_it():
    alone = hosts({})[0]._replace(instance=None)
    [target] = monitoring_inventory.targets([alone], OPTIONS)["sentinel"]
    assert target["labels"] == {"instance": "redis1", "__param_target": "redis://127.0.0.1:26379"}
    [target] = monitoring_inventory.targets(hosts({})[:1], OPTIONS)["sentinel"]
    assert target["labels"]["deployment"] == "cache"


def test_a_host_that_is_not_in_the_run_is_not_told_of():
    both = [each._replace(machine=("m", 22), fallback="10.0.0.1") for each in hosts({}) if each.name != "db1"]
    assert monitoring_inventory.notes(both, []) == []
    assert monitoring_inventory.notes(hosts({}), ["redis1"]) == []


def test_what_the_inventory_leaves_open_is_the_default():
    [host] = hosts({"all": {"monitoring_node_port": 9200, "monitoring_redis_port": None}})[:1]
    found = monitoring_inventory.runs([host], OPTIONS, ["redis1"])["redis1"]
    assert found["listen"] == {"node": "10.0.0.1:9200", "redis": "10.0.0.1:9121", "postgresql": "10.0.0.1:9187"}
    assert (found["is_owner"], found["watches"], found["postgresql"]) == (True, False, None)
