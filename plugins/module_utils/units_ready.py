"""Whether a unit that was started answers: it itself, and not another program that has its port."""

import http.client
import re
import subprocess
import time
import urllib.request
from urllib.parse import urlsplit

from ansible_collections.cistern.core.plugins.module_utils import systemd

SECONDS = 60


def wait(unit, address):
    """Wait until the unit answers at an address of http; RuntimeError with its last words where it does not."""
    # a proxy in the host's environment is not asked for the host itself
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + SECONDS
    while True:
        try:
            with opener.open(address, timeout=5) as answer:
                answer.read()
            if _has_port(unit, urlsplit(address).port):
                return
            says = f"another program answers at {address}"
        except (OSError, http.client.HTTPException) as error:
            says = f"{address} says: {error}"
        if systemd.observe(unit)["active"] == "failed" or time.monotonic() > until:
            raise RuntimeError(f"{says}\n{systemd.last_words(unit)}")
        time.sleep(0.1)


def _has_port(unit, port):
    sockets = ["ss", "--no-header", "--listening", "--tcp", "--numeric", "--processes", f"sport = :{port}"]
    shown = subprocess.run(sockets, capture_output=True, text=True, check=False).stdout
    return str(systemd.observe(unit)["pid"]) in re.findall(r"pid=(\d+)", shown)
