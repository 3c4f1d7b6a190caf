"""A controller with the newest ansible-core, on the Python of Debian 13: it does and says what the locked one does."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import faults
import instances
import pytest
import yaml
from ansible.release import __version__ as locked

HOST = "newest1"
# Raised by hand, lest a release of somebody else turns a run red.
NEWEST = "ansible-core==2.21.5"
# What unit tests need besides: what requirements.in names for them, and the collections of that release.
OF_THE_TESTS = (
    *("ansible>=14,<15", "cryptography", "grafana-foundation-sdk", "mkdocs-material", "antsibull-changelog"),
    *("psycopg[binary]", "pytest", "pytest-testinfra", "python-dotenv", "redis"),
)
TREE = ["ansible.cfg", "collections", "playbooks", "plugins", "roles", "templates", "molecule/shared"]
LAB = ["lab/connection.yml", "lab/.state/id_ed25519", "lab/.state/known_hosts"]
# What this machine's pip is told of its index goes for that of the host, but for what names a path of this machine.
OF_PIP = ("index-url", "extra-index-url", "proxy", "trusted-host", "timeout", "default-timeout")
OF_THE_NETWORK = ("http_proxy", "https_proxy", "no_proxy")


def settings_of_pip():
    """Return what this machine's pip is told, by the name of the option."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    pairs = [line.split("=", 1) for line in listed.stdout.splitlines() if "=" in line]
    return {name.rsplit(".", 1)[-1]: value.strip("'\"") for name, value in pairs}


def environment(told):
    """Return the variables that make pip on the host reach what it reaches here."""
    known = {name: value for name in OF_THE_NETWORK for value in [os.environ.get(name)] if value}
    for option in OF_PIP:
        words = [word for word in told.get(option, "").split() if not word.startswith(("file:", "/"))]
        if words:
            known[f"PIP_{option.upper().replace('-', '_')}"] = " ".join(words)
    return {**known, **({"PIP_CERT": "/opt/controller/ca.pem"} if "cert" in told else {})}


class Controller:
    """The host: `play` runs a playbook of the copied tree."""

    def __init__(self, container, inventory):
        self.container = container
        self.inventory = inventory
        self.of_pip = {}

    def run(self, command, **variables):
        options = [word for pair in variables.items() for word in ("--env", "=".join(pair))]
        return faults.podman("exec", *options, self.container, "sh", "-ec", command)

    def copy(self, paths):
        packed = subprocess.run(["tar", "--create", *paths], cwd=instances.ROOT, capture_output=True, check=True).stdout
        command = [instances.ROOT / "lab/podman", "exec", "--interactive", self.container]
        subprocess.run([*command, "tar", "--extract", "--directory", "/opt/controller"], input=packed, check=True)

    def play(self, name, *options):
        words = ["/opt/controller/venv/bin/ansible-playbook", f"playbooks/{name}.yml", "-i", self.inventory, *options]
        return self.run(f"cd /opt/controller && {shlex.join(words)} || true", ANSIBLE_NOCOLOR="1")


@pytest.fixture(scope="module")
def controller(inventory):
    path = Path(inventory).relative_to(instances.ROOT)
    network = yaml.safe_load(Path(inventory).read_text(encoding="utf-8"))["all"]["vars"]["lab_network"]
    found = Controller(f"cistern-{network}-{HOST}", str(path))
    found.run("mkdir -p /opt/controller")
    found.copy([*TREE, *LAB, str(path.parent)])
    found.run("apt-get update -q && apt-get install -qy --no-install-recommends python3-venv openssh-client")
    told = settings_of_pip()
    if "cert" in told:
        faults.podman("cp", told["cert"], f"{found.container}:/opt/controller/ca.pem")
    found.run("python3 -m venv /opt/controller/venv")
    found.of_pip = environment(told)
    found.run(f"/opt/controller/venv/bin/pip install --quiet {NEWEST}", **found.of_pip)
    return found


def test_it_is_newer_than_the_one_that_is_locked(controller):
    newest = controller.run("/opt/controller/venv/bin/ansible --version").split("core ")[1].split("]")[0]
    assert [int(part) for part in newest.split(".")[:2]] > [int(part) for part in locked.split(".")[:2]]


def test_it_changes_nothing_that_is_right_and_warns_of_nothing(controller):
    told = controller.play("site")
    assert "changed=0" in told and not re.findall("(?:changed|failed|unreachable)=[1-9]", told), told
    assert "WARNING" not in told and "DEPRECATION" not in told, told


def test_it_changes_what_differs_once(controller, everyone):
    request = ["--extra-vars", '{"redis_host_config": {"slowlog-max-len": 77}}', "--limit", "redis1"]
    assert "set while running: slowlog-max-len" in controller.play("redis", *request)
    assert everyone["redis1"].redis().config_get("slowlog-max-len") == {"slowlog-max-len": "77"}
    assert "changed=0" in controller.play("redis", *request)
    assert "changed=1" in controller.play("redis", "--limit", "redis1")


def test_it_tells_where_a_mistake_stands(controller):
    """The line that a value came from is known to ansible-core alone, and how it says so is its own affair."""
    path = f"{Path(controller.inventory).parent}/wrong.yml"
    controller.run(f"cd /opt/controller && echo 'all: {{vars: {{redis_prot: 1}}}}' > {path}")
    assert f"redis_prot ({path}:1): there is no such variable" in controller.play("redis", "-i", path)
    controller.run(f"rm /opt/controller/{path}")


def test_the_unit_tests_pass_with_it(controller):
    """The last one here: until then the controller has ansible-core alone, without any other collection."""
    controller.run(f"/opt/controller/venv/bin/pip install --quiet {shlex.join(OF_THE_TESTS)}", **controller.of_pip)
    listed = subprocess.run(["git", "ls-files"], cwd=instances.ROOT, capture_output=True, text=True, check=True)
    controller.copy(listed.stdout.splitlines())
    told = controller.run(
        "cd /opt/controller && . venv/bin/activate && pytest tests/unit -q -p no:cacheprovider || true"
    )
    assert re.search(r"^\d{4} passed", told.splitlines()[-1]) and " failed" not in told.splitlines()[-1], told
