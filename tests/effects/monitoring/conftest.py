"""The machines of the scenario, and who is told of an alert: a server on this machine, where the receiver is said."""

import http.server
import json
import threading
import time
from urllib.parse import urlsplit

import monitoring
import pytest


@pytest.fixture(autouse=True)
def as_the_inventory_says():
    """Each test here leaves its machines in order, by a run of its own where it has to."""


@pytest.fixture(scope="session")
def machines(inventory, everyone):
    return monitoring.read(inventory)


@pytest.fixture(scope="session")
def watch(machines):
    [found] = [machine for machine in machines.values() if machine.watches]
    return found


class Receiver:
    """Keeps what Alertmanager tells: (when, status, labels) of each alert."""

    def __init__(self, url, secret):
        told, place = [], urlsplit(url)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                posted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == place.path and self.headers["Authorization"] == f"Bearer {secret}":
                    told.extend((time.monotonic(), each["status"], each["labels"]) for each in posted["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_words):
                pass

        self.told = told
        self.server = http.server.ThreadingHTTPServer((place.hostname, place.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, status, seconds, since=0, **labels):
        """Wait until it was told of an alert with these labels, after a moment. Returns all labels of it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for at, told, found in list(self.told):
                if at >= since and told == status and labels.items() <= found.items():
                    return found
            time.sleep(0.2)
        raise AssertionError(f"not told within {seconds} s: {status} {labels}; told: {self.told}")


@pytest.fixture(scope="session")
def receiver(watch):
    [config] = watch.vars["monitoring_receivers"][0]["webhook_configs"]
    found = Receiver(config["url"], config["http_config"]["authorization"]["credentials"])
    yield found
    found.server.shutdown()
