"""Each inventory of the repository: its playbooks parse, and it passes the check that contacts no host."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = sorted(path.name for path in ROOT.glob("inventories/*") if path.is_dir())
PLAYBOOKS = sorted(f"playbooks/{path.name}" for path in ROOT.glob("playbooks/*.yml"))


@pytest.fixture
def play(tmp_path):
    """Run playbooks with an inventory and the vaults' password; `contacted` says whether a host was asked anything."""
    password, ssh, mark = tmp_path / "password", tmp_path / "ssh", tmp_path / "contacted"
    password.write_text("cistern-example", encoding="utf-8")
    ssh.write_text(f"#!/bin/sh\ntouch {mark}\nexit 255\n", encoding="utf-8")
    ssh.chmod(0o755)

    def run(environment, *words):
        command = [
            Path(sys.executable).with_name("ansible-playbook"),
            "-i",
            f"inventories/{environment}",
            "--vault-password-file",
            password,
            *words,
        ]
        done = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "ANSIBLE_SSH_EXECUTABLE": str(ssh), "ANSIBLE_NOCOLOR": "1"},
        )
        done.contacted = mark.exists()
        return done

    return run


def test_the_environments_are_these():
    assert ENVIRONMENTS == ["dev", "lab", "production", "staging"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_syntax(play, environment):
    done = play(environment, "--syntax-check", *PLAYBOOKS)
    assert done.returncode == 0, done.stderr
    assert [name for name in PLAYBOOKS if f"playbook: {name}" not in done.stdout] == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("playbook", ["redis_check.yml", "citus_check.yml", "monitoring_check.yml"])
def test_inventory_passes_the_check(play, environment, playbook):
    if (environment, playbook) == ("dev", "monitoring_check.yml"):
        pytest.skip("dev is not watched")
    done = play(environment, f"playbooks/{playbook}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok=1" in done.stdout and "WARNING" not in done.stdout + done.stderr
    assert not done.contacted


WRONG = {
    "redis": (
        {"redis_config": {"maxmemroy": "1gb", "timeout": "soon"}, "redis_prot": 6379},
        ("has 3 errors", "did you mean maxmemory?", "timeout in redis_config", "did you mean redis_port?"),
    ),
    "citus": (
        {"citus_config": {"citus.shard_cuont": 8, "port": 1}, "citus_prot": 5432},
        ("has 3 errors", "did you mean citus.shard_count?", "write citus_port", "did you mean citus_port?"),
    ),
}


@pytest.mark.parametrize(
    ("environment", "playbook", "of"),
    [
        *((name, f"{of}_check.yml", of) for name in ENVIRONMENTS for of in WRONG),
        *(("dev", "site.yml", of) for of in WRONG),
    ],
)
def test_wrong_inventory_is_refused_before_a_host_is_contacted(play, environment, playbook, of):
    wrong, told = WRONG[of]
    before = os.times()
    done = play(environment, f"playbooks/{playbook}", "-e", json.dumps(wrong))
    after = os.times()
    assert done.returncode != 0 and not done.contacted
    assert [said for said in told if said not in done.stdout] == []
    # the processor time that the refusal takes, whatever else this machine does meanwhile
    assert after.children_user + after.children_system - before.children_user - before.children_system < 3


def test_a_host_that_is_contacted_is_noticed(play):
    done = play("dev", "playbooks/site.yml")
    assert done.returncode != 0 and done.contacted and "unreachable=1" in done.stdout
