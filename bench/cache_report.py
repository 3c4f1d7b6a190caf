#!/usr/bin/env python3
"""What the walk of a report costs: `python bench/cache_report.py`, on the hosts of molecule/cache, whose keys go.

Fills the deployment `cache` with a million keys, walks its replica once from begin to end, and then asks both servers
for keys, one after the other, in rounds with a walk and rounds without. The replica and the walk have one core
together; the primary and the client have another, as far as the machine has two. So that other work on the machine is
not measured, the servers and the client go before all else on it, and the walk next (SCHED_RR, as root alone).

    molecule converge -s cache; python bench/cache_report.py
"""

import argparse
import contextlib
import datetime
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "collections")]

import instances  # noqa: E402 - the line above makes both found
from ansible_collections.cistern.core.plugins.plugin_utils.cache import policy as cache_policy  # noqa: E402 - as above
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files  # noqa: E402 - as above

INVENTORY = ROOT / "molecule/cache/inventory.yml"
SHAPES = {"user_profile:%d": 1800, "message:%d": 300, "user_messages:%d:50:0": 300, "unread_count:%d": 300}
SHAPES["conversation:%d:7:messages:50:0"] = 300
LIMIT_SECONDS, LIMIT_LATENCY = 60, 0.05

# What a host runs: the package of the walk, told on its standard input what to walk; a second line stops it.
WALKER = """
import json, os, select, sys, time
sys.path.insert(0, "/tmp/cistern-bench")
from cistern.cache import client as connection, key_patterns as keys
from cistern.cache.inspect import key_stats as tally, walk
job = json.loads(sys.stdin.readline())
os.nice(10)
client = connection.connect(job["addresses"], job["port"], job["password"])
walked = walk.Scan(client, job["rate"])
begun = time.perf_counter()
count = tally.Tally(job["policy"], keys.Families(job["policy"]))
for page in walked.pages_of(client):
    count.add(page)
    if select.select([sys.stdin], [], [], 0)[0] and sys.stdin.readline():
        break
walked.seconds = walked.seconds or time.perf_counter() - begun
print(json.dumps({"keys": walked.keys, "seconds": walked.seconds, "pages": walked.pages, "busy": walked.busy,
                  "processor": time.process_time()}))
"""


def packed(*words):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Client:
    """An application that asks for one key after the other."""

    def __init__(self, instance):
        self.socket = socket.create_connection((instance.address, instance.vars["redis_port"]), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert self.ask(packed("AUTH", instance.vars["redis_password"])) == b"+OK\r\n"

    def ask(self, command):
        self.socket.sendall(command)
        return self.socket.recv(4096)

    def insert(self, commands):
        self.socket.sendall(commands + packed("ECHO", "the end"))
        answers = b""
        while not answers.endswith(b"the end\r\n"):
            answers = answers[-40:] + self.socket.recv(1 << 20)


def fill(client, count):
    kinds = list(SHAPES.items())
    for first in range(0, count, 20_000):
        commands = []
        for number in range(first, min(first + 20_000, count)):
            shape, _lives = kinds[number % len(kinds)]
            # long enough for the whole bench
            commands.append(packed("SET", shape % number, "x" * 100, "EX", 7200 + number % 600))
        client.insert(b"".join(commands))


def prefer(instance, name, priority):
    """Let processes of this name on the host of an instance go before others, in the machine's own scheduling group."""
    listing = [str(ROOT / "lab/podman"), "top", instance.vars["lab_container"], "hpid", "comm"]
    for line in subprocess.run(listing, capture_output=True, text=True, check=True).stdout.splitlines()[1:]:
        pid, command = line.split()[:2]
        if command == name:
            with contextlib.suppress(OSError):
                Path("/sys/fs/cgroup/cpu/cgroup.procs").write_text(pid, encoding="ascii")
            os.sched_setscheduler(int(pid), os.SCHED_RR if priority else os.SCHED_OTHER, os.sched_param(priority))


class Walker:
    """A walk on the host of an instance."""

    def __init__(self, instance, policy, rate):
        lab, name = str(ROOT / "lab/podman"), instance.vars["lab_container"]
        subprocess.run([lab, "exec", name, "mkdir", "-p", "/tmp/cistern-bench/cistern"], check=True)
        subprocess.run(
            [lab, "cp", ROOT / "plugins/module_utils/cache", f"{name}:/tmp/cistern-bench/cistern/"], check=True
        )
        self.command = [lab, "exec", "-i", name, "taskset", "-c", "0", "python3", "-c", WALKER]
        self.job = {"addresses": instance.vars["redis_bind"], "port": instance.vars["redis_port"], "policy": policy}
        self.job |= {"password": instance.vars["redis_password"], "rate": rate}
        self.process, self.instance = None, instance

    def start(self):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(self.command, text=True, **pipes)
        self.process.stdin.write(json.dumps(self.job) + "\n")
        self.process.stdin.flush()
        time.sleep(0.5)
        prefer(self.instance, "python3", 1)

    def end(self, stop=False):
        if stop:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        return json.loads(self.process.communicate(timeout=600)[0])


def measure(clients, count, seconds):
    """Return {name: seconds of each answer}; the servers take turns."""
    kinds, took = list(SHAPES), {name: [] for name in clients}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for name, client in clients.items():
            number = random.randrange(count)
            command = packed("GET", kinds[number % len(kinds)] % number)
            asked = time.perf_counter()
            answer = client.ask(command)
            took[name].append(time.perf_counter() - asked)
            assert answer.startswith(b"$100\r\n"), answer
    return took


def rounds(walker, clients, told):
    """Return {(name, walks): [seconds of each answer of a round]}; each round is one with a walk and one without."""
    found, walked = {(name, walks): [] for name in clients for walks in (True, False)}, []
    for number in range(told.rounds):
        for walks in (True, False) if number % 2 else (False, True):
            if walks:
                walker.start()
                time.sleep(1)
            for name, took in measure(clients, told.keys, told.seconds).items():
                found[name, walks].append(took)
            if walks:
                walk = walker.end(stop=True)
                walked.append(walk["keys"] / walk["seconds"])
            time.sleep(0.5)
    return found, statistics.median(walked)


def policy():
    derived = role_files.derived("cache")
    baseline = {name: derived[f"__{name}_baseline"] for name in cache_policy.LAYERS}
    return cache_policy.resolved("cache", {}, baseline)


def usec(values, share=None):
    ordered = sorted(values)
    return 1e6 * (statistics.fmean(ordered) if share is None else ordered[int(share * (len(ordered) - 1))])


def shown(name, with_walk, without):
    """Print a line and return how much longer an answer takes on the mean: the median of the rounds."""
    ratios = [
        statistics.fmean(one) / statistics.fmean(other) - 1 for one, other in zip(with_walk, without, strict=True)
    ]
    one, other = ([each for took in rounds for each in took] for rounds in (with_walk, without))
    cells = [f"{usec(values, share):.0f}" for share in (None, 0.5, 0.99) for values in (other, one)]
    added = statistics.median(ratios)
    print(f"| {name} | {len(one) + len(other):,} | " + " | ".join(cells) + f" | {100 * added:+.1f} % |")
    return added


@contextlib.contextmanager
def room(servers):
    """Memory for the keys, and a core for each server."""
    before = [each.redis().config_get("maxmemory")["maxmemory"] for each in servers.values()]
    last = os.cpu_count() - 1
    for each, core in zip(servers.values(), (last, 0), strict=True):
        each.redis().config_set("maxmemory", "2gb")
        each.run(f"taskset --all-tasks --cpu-list --pid {core} {each.pid()}")
        prefer(each, "redis-server", 2)
    try:
        yield
    finally:
        for each, limit in zip(servers.values(), before, strict=True):
            prefer(each, "redis-server", 0)
            each.run(f"taskset --all-tasks --cpu-list --pid 0-{last} {each.pid()}")
            each.redis().config_set("maxmemory", limit)
        servers["primary"].redis().flushall(asynchronous=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=4)
    told = parser.parse_args()
    found = {name: each for name, each in instances.read(INVENTORY).items() if name.startswith("cache")}
    roles = {"primary" if each.role() == "master" else "replica": each for each in found.values()}
    servers = {name: roles[name] for name in ("primary", "replica")}
    os.sched_setaffinity(0, {os.cpu_count() - 1})
    clients = {name: Client(each) for name, each in servers.items()}
    with room(servers):
        servers["primary"].redis().flushall(asynchronous=True)
        fill(clients["primary"], told.keys)
        servers["primary"].redis(socket_timeout=90).execute_command("WAIT", 1, 60000)
        walker = Walker(servers["replica"], policy(), told.rate)
        walker.start()
        walk = walker.end()
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(2))
        answers, rate = rounds(walker, clients, told)
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    instances.close(found)
    print(f"{datetime.date.today()}, {os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}, Redis ", end="")
    print(f"7.0, {told.rounds} rounds of {told.seconds:.0f} s, {rate:,.0f} keys a second in those with a walk")
    print(f"{walk['keys']:,} keys in {walk['seconds']:.1f} s, {walk['keys'] / walk['seconds']:,.0f} a second; ", end="")
    print(
        f"of the server {walk['busy']:.1f} s, {1e6 * walk['busy'] / walk['pages']:.0f} us a page; of the walk ", end=""
    )
    print(f"{walk['processor']:.1f} s\n")
    print("| client at | answers | mean | with a walk | median | with a walk | 99 % | with a walk | added |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    added = [shown(name, answers[name, True], answers[name, False]) for name in clients]
    sys.exit(walk["seconds"] > LIMIT_SECONDS or max(added) > LIMIT_LATENCY)


if __name__ == "__main__":
    main()
