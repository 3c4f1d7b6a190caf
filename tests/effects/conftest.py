"""What a change does to a live deployment: the shipped playbook, run against the booted hosts of --ansible-inventory.

These tests change, break and reboot the hosts, which is why they ask for hosts of the lab.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import faults
import instances
import pytest

PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
# What makes the hosts of a scenario what its inventory says; all of site.yml takes twice the controller's time for it,
# and is what molecule converges and asks in the end.
PARTS = {"cache": "site", "citus": "citus", "monitoring": "site"}
# of a whole session; a run that is killed reads its file no more
MORE = tempfile.TemporaryDirectory(prefix="cistern-more-")


class Run:
    """A finished run of a playbook."""

    def __init__(self, code, output):
        self.code = code
        self.output = output
        self.changed = sum(map(int, re.findall(r"changed=(\d+)", output)))

    def steps(self, name):
        """Return the steps that were told of an instance; a note of what is not ours is none."""
        return re.findall(rf"^  {re.escape(name)}: (?!note: )(.*)$", self.output, re.MULTILINE)


class Playbook:
    """The shipped playbooks on the scenario's inventory; `more` are variables laid over it.

    Without a name it is `all`, which makes everything what the inventory says; `settled` says that it ran last, or
    before a check run that had nothing to say.
    """

    def __init__(self, inventory):
        self.inventory = inventory
        self.all = PARTS.get(Path(inventory).parent.name, "redis")
        self.settled = False

    def start(self, more=None, options=(), name=None):
        self.settled = False
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(instances.ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
        }
        command = [PLAYBOOK, f"playbooks/{name or self.all}.yml", "--inventory", self.inventory, *options]
        if more:
            with tempfile.NamedTemporaryFile("w", dir=MORE.name, suffix=".json", delete=False) as file:
                json.dump(more, file)
            command += ["--extra-vars", f"@{file.name}"]
        # a session of its own, so that the whole run can be killed
        return subprocess.Popen(
            command,
            cwd=instances.ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, more=None, options=(), fails=False, name=None):
        was_settled = self.settled
        process = self.start(more, options, name)
        output = process.communicate(timeout=300)[0]
        assert (process.returncode != 0) == fails, output
        run = Run(process.returncode, output)
        is_all = (name, more, list(options), fails) == (None, None, [], False)
        self.settled = is_all or (was_settled and "--check" in options and not run.changed)
        return run

    def check(self, more=None, options=(), name=None):
        """Return what a run would do."""
        return self.run(more, ["--check", "--diff", *options], name=name)

    def killed(self, more, task, after):
        """Start a run and kill it so many seconds after it has begun this task."""
        process = self.start(more)
        told = []
        for line in process.stdout:
            told.append(line)
            if re.match(rf"TASK \[.*{re.escape(task)}", line):
                time.sleep(after)
                assert process.poll() is None, f"the run had ended within {after} s"
                faults.kill_run(process)
                process.communicate()
                return
        process.wait()
        raise AssertionError(f"the run did not come to {task}:\n{''.join(told)}")


@pytest.fixture(scope="session")
def inventory(pytestconfig):
    path = pytestconfig.getoption("ansible_inventory")
    assert path, "which inventory? --ansible-inventory=molecule/<scenario>/inventory.yml"
    return str(Path(path).resolve())


@pytest.fixture(scope="session")
def everyone(inventory):
    """All instances, by name."""
    found = instances.read(inventory)
    assert all("lab_network" in instance.vars for instance in found.values()), (
        "these tests break hosts: they run on a lab only"
    )
    yield found
    instances.close(found)


@pytest.fixture(scope="session")
def playbook(inventory):
    return Playbook(inventory)


@pytest.fixture(autouse=True)
def as_the_inventory_says(playbook, everyone):
    """Each test starts from, and leaves behind, empty servers that are what the inventory says."""
    playbook.settled = False
    yield
    if not playbook.settled:
        playbook.run()
    for instance in everyone.values():
        if instance.redis().execute_command("ROLE")[0] == "master":
            instance.redis().flushall()
