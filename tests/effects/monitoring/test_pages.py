"""Each command of an alert's page runs as it stands there, on the machine that the alert names."""

import os
import re
import shlex
import subprocess
import sys

import instances
import pytest

PAGES = instances.ROOT / "docs/alerts"
# What a host of the lab has not, and why.
ELSEWHERE = {
    "timedatectl timesync-status": "a container has the clock of its machine, and no service that sets it",
    "journalctl --boot -1": "the journal of the lab's hosts ends with their boot",
    "ping": "the image of the lab's hosts has no ping",
    "journalctl --dmesg": "a container does not read the journal of the kernel",
}
# A page is read while something is wrong; where all is well a unit that failed is not there, a line is not found.
NOTHING_FOUND = re.compile(r"\bgrep\b|--grep|systemctl status .* 2> /dev/null")


def commands():
    """Return {command: names of the pages that have it}, all of what stands below "Look first"."""
    found = {}
    for page in sorted(PAGES.glob("*.md")):
        for line in re.findall(r"^    (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            found.setdefault(re.sub(r"\s{2,}# .*$", "", line), []).append(page.stem)
    return found


ALL = commands()
PLAYBOOKS = [command for command in ALL if command.startswith("ansible-playbook ")]
ON_HOSTS = [command for command in ALL if command not in PLAYBOOKS]


@pytest.fixture(scope="module", autouse=True)
def in_use(playbook, everyone):
    """Something to look at: keys, and the application's .env."""
    playbook.run(name="app_env")
    [primary] = instances.primaries(everyone)
    for number in range(20):
        primary.redis().set(f"user_profile:{number}", "x")
    yield
    primary.redis().flushall()


@pytest.fixture(scope="module")
def hosts(machines, watch):
    """Where a command runs, by the beginning of its pages' names."""
    return {
        **dict.fromkeys(("Redis", "Cache", "Node"), machines["redis1"]),
        **dict.fromkeys(("Citus", "Postgresql"), machines["coordinator"]),
        **dict.fromkeys(("Alertmanager", "Prometheus", "Monitoring", "Watchdog"), watch),
    }


@pytest.mark.parametrize("command", ON_HOSTS)
def test_a_command_runs_on_its_host(hosts, watch, command):
    why = next((why for words, why in ELSEWHERE.items() if command.startswith(words)), None)
    if why:
        pytest.skip(why)
    page = ALL[command][0]
    host = next(host for name, host in hosts.items() if page.startswith(name))
    if command.startswith("promtool"):
        host = watch
    done = run(host, command)
    ended = (0, 1, 3, 4) if NOTHING_FOUND.search(command) else (0,)
    assert done.returncode in ended and not done.stderr.strip(), f"{page}: {done}"


def run(host, command):
    """Run a command with what its reader fills in: names, an address, the password in the environment.

    Not by sudo, which would write the password into the journal.
    """
    filled = command.replace("ssh <address> ", "").replace("<address>", host.address)
    filled = filled.replace("<deployment>", "cache").replace("<unit>", "redis-server")
    filled = filled.replace("<pattern of the family>", "user_profile:*")
    assert not re.search(r"<[a-z ]+>", filled), f"what stands for this? {filled}"
    if filled.startswith("psql"):
        filled = f"cd /; runuser -u postgres -- {filled}"
    password = host.vars.get("redis_sentinel_password" if "-p 26379" in filled else "redis_password", "")
    words = ["exec", "--env", "REDISCLI_AUTH", host.vars["lab_container"], "sh", "-c", filled]
    environment = {**os.environ, "REDISCLI_AUTH": password}
    return subprocess.run(
        [instances.ROOT / "lab/podman", *words], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", PLAYBOOKS)
def test_a_playbook_runs(inventory, command, tmp_path):
    words = shlex.split(command.replace("inventories/<environment>", inventory))
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", *words[1:], "-e", f"cache_report_dir={tmp_path}"],
        cwd=instances.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
