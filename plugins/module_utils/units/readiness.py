"""Whether a unit that was started answers: it itself, and not another program that has its port."""

import http.client
import time
import urllib.request

from ansible_collections.cistern.core.plugins.module_utils.host import systemd

SECONDS = 60
# A program that does not get its port has ended long before. Whose a socket is, root may not ask in every container.
STAYS = 0.5


def wait(unit, address):
    """Wait until the unit answers at an address of http; RuntimeError with its last words where it does not."""
    # a proxy in the host's environment is not asked for the host itself
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + SECONDS
    while True:
        try:
            with opener.open(address, timeout=5) as answer:
                answer.read()
            if _stays(unit):
                return
            message = f"another program answers at {address}"
        except (OSError, http.client.HTTPException) as error:
            message = f"{address} says: {error}"
        if systemd.observe(unit)["active"] == "failed" or time.monotonic() > until:
            raise RuntimeError(f"{message}\n{systemd.last_words(unit)}")
        time.sleep(0.1)


def _stays(unit):
    before = systemd.observe(unit)
    time.sleep(STAYS)
    now = systemd.observe(unit)
    return now["active"] == "active" and now["pid"] == before["pid"]
