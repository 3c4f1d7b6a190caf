"""The judges: two hosts of the lab with a real redis-server, unless CISTERN_ORACLE_HOSTS names others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = Path(__file__).with_name("inventory") / "hosts.yml"
# The packaged server would hold the port that most candidates want.
INSTALL = """
export DEBIAN_FRONTEND=noninteractive
install='apt-get install -qqy --no-install-recommends redis-server'
$install || { apt-get update -qq && $install; }
systemctl disable --quiet --now redis-server
"""


def lab(*words):
    subprocess.run([sys.executable, ROOT / "lab/hosts.py", *words, "-i", INVENTORY], check=True)


@pytest.fixture(scope="session", autouse=True)
def judges():
    """Start the hosts, install the server, and remove them at the end."""
    if os.environ.get("CISTERN_ORACLE_HOSTS"):
        yield
        return
    lab("up")
    for name in ("cistern-oracle-redis7", "cistern-oracle-redis8"):
        inside = [ROOT / "lab/podman", "exec", name, "sh", "-c", INSTALL]
        done = subprocess.run(inside, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    yield
    lab("down")
