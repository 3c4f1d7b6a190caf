"""The collection as an operator gets it: built, installed into an empty folder, used by playbooks of a few lines.

Nothing of the checkout is on any path: the inventory is a copy of the scenario's, and so are the keys of its hosts.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import instances
import pytest

BIN = Path(sys.executable).parent
SITE = "- name: Everything\n  ansible.builtin.import_playbook: cistern.core.site\n"
ROLE = """
- name: Redis
  hosts: debian13
  become: true
  gather_facts: false
  roles: [cistern.core.redis]
"""


class Installed:
    """A folder with the installed collection, an inventory, and a user who has nothing else."""

    def __init__(self, folder, inventory):
        self.folder, source = folder, Path(inventory).parent
        self.inventory = folder / "environments/lab"
        shutil.copytree(source, self.inventory)
        for kept in ("id_ed25519", "known_hosts"):
            target = folder / "lab/.state" / kept
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(instances.ROOT / "lab/.state" / kept, target)
        (folder / "lab/.state/id_ed25519").chmod(0o600)
        self.run("ansible-galaxy", "collection", "build", instances.ROOT, "--output-path", folder)
        [tarball] = folder.glob("*.tar.gz")
        # what it depends on is in .venv, a part of the package ansible
        self.run("ansible-galaxy", "collection", "install", tarball, "--no-deps", "-p", folder / "collections")

    def run(self, program, *words):
        environment = {
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_NOCOLOR": "1",
            # the output that shows the steps is the collection's too
            "ANSIBLE_STDOUT_CALLBACK": "cistern.core.steps",
        }
        done = subprocess.run(
            [BIN / program, *words],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def play(self, text, *words):
        playbook = self.folder / "own.yml"
        playbook.write_text(f"---\n{text.lstrip()}", encoding="utf-8")
        return self.run("ansible-playbook", "-i", self.inventory / "inventory.yml", playbook, *words)


@pytest.fixture(scope="module")
def installed(inventory, tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("operator"), inventory)


def test_nothing_of_the_checkout_is_used(installed):
    listed = installed.run("ansible-galaxy", "collection", "list", "cistern.core")
    assert str(installed.folder / "collections") in listed and str(instances.ROOT) not in listed
    links = [path for path in installed.folder.rglob("*") if path.is_symlink()]
    assert [path for path in links if Path(os.path.realpath(path)).is_relative_to(instances.ROOT)] == []


def test_site_changes_nothing_on_hosts_that_are_as_the_inventory_says(installed, everyone, playbook):
    playbook.run()
    output = installed.play(SITE)
    assert "changed=0" in output and "changed=1" not in output
    assert str(instances.ROOT) not in output


def test_a_role_changes_what_differs(installed, everyone):
    debian13 = everyone["debian13"]
    output = installed.play(ROLE, "--extra-vars", '{"redis_host_config": {"maxmemory": "77mb"}}')
    assert "set while running: maxmemory" in output and "debian12" not in output
    assert debian13.redis().config_get("maxmemory")["maxmemory"] == str(77 << 20)
    assert "changed=0" in installed.play(ROLE, "--extra-vars", '{"redis_host_config": {"maxmemory": "77mb"}}')
    # back to what the inventory says
    assert "set while running: maxmemory" in installed.play(ROLE)
