"""Time Cistern beside a shell script, pyinfra and peer roles: first run, unchanged run, one changed directive.

    make bench                            1, 4 and 8 hosts, 3 under Sentinel, 3 with Citus, 32 on 8 machines, the lab
    BENCH_HOSTS="1 4" make bench          other numbers of hosts, up to 8; sentinel, citus, many, site for the others
    BENCH_REPEAT=3 make bench             how often each unchanged and changed run is timed (5); first runs take a third
    BENCH_PEERS=~/roles make bench        each folder in ~/roles is a role that is timed too

All take turns within one round, so whatever else the machine does falls on all of them; the table shows medians.
Each contender has hosts of its own, made anew before every first run. After each run the servers are asked for
their values, which is not timed: who is fast and wrong is out. `ping` is `ansible all -m ping -b` on Cistern's hosts.
A whole run writes bench/results.json and the table of docs/performance.md; any other only prints.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import contenders as field
import redis
import report

HOSTS_PY = field.ROOT / "lab" / "hosts.py"
ALL_HOSTS = field.INVENTORY / "all.yml"
WHOLE = [1, 4, 8]
KINDS = ["sentinel", "citus"]
WIDE = ["many", "site"]
# maxmemory goes to and fro between these two
SMALL, BIG = "128mb", "192mb"
BYTES = {SMALL: 128 << 20, BIG: 192 << 20}


def need_pyinfra():
    """bench/.venv from bench/requirements.lock, when it is missing or was made from another lock."""
    lock = field.BENCH / "requirements.lock"
    venv = field.BENCH / ".venv"
    stamp = venv / ".made-from"
    wanted = lock.read_text() + sys.version
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("making bench/.venv for pyinfra", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "-qq", "--require-hashes", "--no-deps", "-r", lock], check=True)
    stamp.write_text(wanted)


def lab(verb, hosts):
    """`lab/hosts.py up` or `down` for these hosts."""
    field.write_json(
        ALL_HOSTS,
        {
            "all": {
                "vars": {"lab_network": "bench", "lab_subnet": f"{field.SUBNET}.0/24"},
                "hosts": {name: {"ansible_host": address} for name, address in hosts.items()},
            }
        },
    )
    subprocess.run([sys.executable, HOSTS_PY, verb, "-i", ALL_HOSTS], check=True, stdout=subprocess.DEVNULL)


def fresh_hosts(everyone, count):
    """New hosts for everyone. Their package lists count as new, so that no first run waits for a mirror."""
    hosts = {name: address for each in everyone for name, address in each.hosts(count).items()}
    lab("down", hosts)
    lab("up", hosts)

    def touch(name):
        podman = [field.ROOT / "lab" / "podman", "exec", f"cistern-bench-{name}"]
        subprocess.run([*podman, "touch", "/var/lib/apt/lists"], check=True)

    with ThreadPoolExecutor() as pool:
        list(pool.map(touch, hosts))


def look(contender, count, maxmemory):
    """The identities of its servers, once every one has the wanted maxmemory; a new identity is a restart."""
    if not contender.can_change:
        return None
    identities = []
    for name, address in contender.hosts(count).items():
        with redis.Redis(address, password=field.PASSWORD, socket_timeout=5) as server:
            try:
                has = int(server.config_get("maxmemory")["maxmemory"])
                identities.append(server.info("server")["run_id"])
            except redis.RedisError as error:
                raise field.RunFailed(f"after a run of {contender.name}, {name} does not answer: {error}") from error
        if has != BYTES[maxmemory]:
            raise field.RunFailed(
                f"after a run of {contender.name}, {name} has maxmemory {has}, not {BYTES[maxmemory]}"
            )
    return identities


class Bench:
    """The times of everyone, and who restarted a server."""

    def __init__(self, everyone):
        self.everyone = everyone
        self.seconds = {}
        self.restarted = set()
        self.failed = {}
        self.identities = {}

    def round(self, case, count, maxmemory, label):
        """Everyone runs once, in turn."""
        print(f"{label:<44}", end="", flush=True)
        for each in self.everyone:
            if each.name in self.failed or case not in each.cases or (case == "change" and not each.can_change):
                continue
            try:
                seconds = each.run(count, maxmemory)
                now = look(each, count, maxmemory)
            except (field.RunFailed, subprocess.TimeoutExpired) as error:
                self.failed[each.name] = str(error)
                print(f"  {each.name} FAILED", end="", flush=True)
                continue
            if case != "first" and now != self.identities.get(each.name, now):
                self.restarted.add((each.name, case))
            self.identities[each.name] = now
            self.seconds.setdefault((each.name, count, case), []).append(seconds)
            print(f"  {each.name} {seconds:.2f}", end="", flush=True)
        print(flush=True)

    def three(self, repeat):
        """Unchanged runs of three hosts, of each kind in turn."""
        print("3 hosts: new hosts", flush=True)
        fresh_hosts(self.everyone, 3)
        self.round("first", 3, SMALL, "3 hosts of each kind, first run")
        for turn in range(repeat):
            self.round("unchanged", 3, SMALL, f"3 hosts of each kind, unchanged {turn + 1} of {repeat}")

    def many(self, repeat):
        """Unchanged runs of 8 and of 32 inventory hosts, both on 8 machines, and a ping of the same."""
        print("32 hosts on 8 machines: new hosts", flush=True)
        fresh_hosts(self.everyone[:1], 8)
        self.everyone[0].run(32, SMALL)
        for turn in range(repeat):
            for count in (8, 32):
                self.round("unchanged", count, SMALL, f"{count} hosts on 8 machines, {turn + 1} of {repeat}")

    def site(self, repeat):
        """Unchanged runs of site.yml on the lab, and a ping of the same."""
        print("the lab: make up", flush=True)
        with (field.STATE / "up.log").open("wb") as log:
            subprocess.run([field.ROOT / "lab" / "up"], check=True, stdout=log, stderr=subprocess.STDOUT)
        for turn in range(repeat):
            self.round("unchanged", 8, SMALL, f"the lab, unchanged {turn + 1} of {repeat}")

    def size(self, count, repeat):
        """All rounds with so many hosts."""
        hosts = f"{count} host{'s' if count > 1 else ''}"
        firsts = -(-repeat // 3)
        for turn in range(firsts):
            print(f"{hosts}: new hosts", flush=True)
            fresh_hosts(self.everyone, count)
            self.round("first", count, SMALL, f"{hosts}, first run {turn + 1} of {firsts}")
        now, other = SMALL, BIG
        for turn in range(repeat):
            self.round("unchanged", count, now, f"{hosts}, unchanged {turn + 1} of {repeat}")
            now, other = other, now
            self.round("change", count, now, f"{hosts}, maxmemory {now} {turn + 1} of {repeat}")


def main():
    words = os.environ.get("BENCH_HOSTS", "1 4 8 sentinel citus many site").split()
    sizes = [int(word) for word in words if word.isdigit()]
    repeat = int(os.environ.get("BENCH_REPEAT", "5"))
    peers = os.environ.get("BENCH_PEERS", "")
    if not words or {*words} - {*map(str, range(1, 9)), *KINDS, *WIDE} or repeat < 1:
        sys.exit("bench: BENCH_HOSTS are numbers from 1 to 8, sentinel, citus, many, site; BENCH_REPEAT is 1 or more")
    if peers and not Path(peers).is_dir():
        sys.exit(f"bench: BENCH_PEERS names {peers}, which is no folder")
    field.STATE.mkdir(exist_ok=True)
    everyone = field.all_contenders(peers)
    bench, three = Bench(everyone), Bench(field.of_three(words))
    many, site = Bench(field.of_many()), Bench(field.of_site())
    start = time.monotonic()
    try:
        need_pyinfra()
        for count in sizes:
            bench.size(count, repeat)
        if {*words} & {*KINDS}:
            three.three(repeat)
        if "many" in words:
            many.many(repeat)
        if "site" in words:
            site.site(repeat)
    except subprocess.CalledProcessError as error:
        sys.exit(f"bench: `{' '.join(map(str, error.cmd))}` failed")
    finally:
        lab(
            "down",
            {
                name: address
                for each in [*everyone, *three.everyone, *many.everyone[:1]]
                for name, address in each.hosts(8).items()
            },
        )
    bench.failed |= three.failed | many.failed | site.failed
    results = report.results(
        {"runs": bench, "three": three, "many": many, "site": site}, sizes, repeat, time.monotonic() - start
    )
    whole = words == [*map(str, WHOLE), *KINDS, *WIDE] and not bench.failed
    report.write(results, field.BENCH / "results.json" if whole else field.STATE / "results.json", whole)
    for message in bench.failed.values():
        print(message, file=sys.stderr)
    # the acceptance comes last, where it is read
    missed = not report.accepted(results)
    sys.exit(1 if missed or bench.failed else 0)


if __name__ == "__main__":
    main()
