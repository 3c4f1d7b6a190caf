"""A client on the host of a primary that is cut off: it goes on writing to that address, whatever becomes of it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import faults
import instances
from write_ledger import Write


class Stale:
    """The load program in the network of one host, until the block ends; afterwards `found` is its account."""

    def __init__(self, node):
        self.node = node
        self.found = None

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="cistern-drill-")
        self.account = Path(self.folder.name) / "account.json"
        self.process = subprocess.Popen(
            [
                *faults.in_network_of(self.node, environment=["REDIS_PASSWORD"]),
                sys.executable,
                instances.ROOT / "tests" / "support" / "load.py",
                f"--address={self.node.address}:{self.node.vars['redis_port']}",
                "--writers=2",
                "--rate=60",
                f"--json={self.account}",
            ],
            env={**os.environ, "REDIS_PASSWORD": self.node.vars["redis_password"]},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *error):
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=60)[1]
        if error[0] is None:
            assert self.account.exists(), f"the client on {self.node} left no account: {said}"
            self.found = json.loads(self.account.read_text(encoding="utf-8"))
        self.folder.cleanup()

    def writes(self):
        return [Write(**each) for each in self.found["writes"]]
