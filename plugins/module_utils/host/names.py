"""What this machine takes host names for. Asks its resolver, and changes nothing."""

import socket
import threading
import time

from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import name_key

HOSTS = "/etc/hosts"
SECONDS = 3
SLOW = f"no answer within {SECONDS} s"


def resolve(names, seconds=SECONDS):
    """Return {name: {addresses, why, in_hosts}}; `addresses` in the order in which a program would try them.

    `why` says why there are none, `in_hosts` whether /etc/hosts has the name. All are asked at once, and none is waited
    for longer than so many seconds.
    """
    answers = {}

    def resolve_one(name):
        answers[name] = _resolve(name)

    # a thread that hangs must not keep the process from ending, as those of a pool would
    threads = [threading.Thread(target=resolve_one, args=(name,), daemon=True) for name in dict.fromkeys(names)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0, until - time.monotonic()))
    listed = in_hosts() if names else set()
    found = {name: answers.get(name, {"addresses": [], "why": SLOW}) for name in dict.fromkeys(names)}
    return {name: {**answer, "in_hosts": name_key(name) in listed} for name, answer in found.items()}


def _resolve(name):
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return {"addresses": [], "why": getattr(error, "strerror", None) or str(error)}
    return {"addresses": list(dict.fromkeys(answer[4][0] for answer in answers)), "why": ""}


def in_hosts():
    """Return the names of /etc/hosts."""
    try:
        with open(HOSTS, encoding="utf-8", errors="replace") as file:
            return {name_key(word) for line in file for word in line.partition("#")[0].split()[1:]}
    except OSError:
        return set()
