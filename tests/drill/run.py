#!/usr/bin/env python3
"""Break a Sentinel deployment in every way there is, under load, and count what is lost: `make drill`.

    tests/drill/run.py                          all events, a quarter of an hour; writes docs/reliability.md
    tests/drill/run.py switchover partition     some; only prints
    tests/drill/run.py --keep                   leaves the hosts, broken or whole
    tests/drill/run.py --list                   the events

Starts the hosts of molecule/redis_sentinel anew and provisions them. Each event is followed by a run of site.yml and
one with --check, and both must find nothing to do. Exits 1 when an event misses a limit.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "effects"))

import redis
import report
from conftest import Playbook
from deployment import Deployment
from events import EVENTS
from instances import ROOT

INVENTORY = ROOT / "molecule" / "redis_sentinel" / "inventory.yml"
NAME = "cache"
ERRORS = (AssertionError, redis.RedisError, OSError, subprocess.SubprocessError)


def hosts(verb, inventory):
    subprocess.run([sys.executable, ROOT / "lab" / "hosts.py", verb, "-i", inventory], check=True)


def happen(cache, event, problems):
    """Let an event happen, and see that it left a whole deployment that a run finds nothing to do in."""
    told = ""
    try:
        cache.load.wait_steady(3)
        told = event.happen(cache) or ""
    except ERRORS as error:
        problems.append(str(error) or repr(error))
        cache.end_faults()
    try:
        began = time.monotonic()
        cache.wait_whole()
        print(f"    whole after another {time.monotonic() - began:.1f} s", flush=True)
        cache.load.wait_steady()
        primary = cache.primary()
        again = cache.playbook.run()
        if again.changed:
            problems.append(f"the next run of site.yml changed {again.changed}:\n{again.output}")
        if cache.primary() is not primary:
            problems.append(f"the next run of site.yml made {cache.primary()} primary in place of {primary}")
        checked = cache.playbook.check()
        if checked.changed:
            problems.append(f"a --check afterwards would change {checked.changed}:\n{checked.output}")
        cache.load.wait_steady()
    except ERRORS as error:
        problems.append(str(error) or repr(error))
    return told


def measure(cache, event, down_after):
    """Return the figures of one event."""
    problems = []
    with cache.new_load() as load:
        told = happen(cache, event, problems)
    try:
        load.verify()
        load.forget()
    except ERRORS as error:
        problems.append(f"nobody could be asked what is lost: {error!r}")
    result = load.result()
    print(f"    {result.summary()}")
    return report.Figures(event, result, down_after, told, problems)


def drill(cache, names):
    """Return the figures of the events, in turn; a deployment that stays broken ends it."""
    cache.wait_whole()
    down_after = cache.settings()["down-after-milliseconds"] / 1000
    found = []
    for number, name in enumerate(names, 1):
        print(f"{time.strftime('%H:%M:%S')} {number} of {len(names)}: {EVENTS[name].title}", flush=True)
        figures = measure(cache, EVENTS[name], down_after)
        found.append(figures)
        for reason in figures.missed():
            print(f"    MISSED: {reason}")
        if figures.told:
            print(f"    {figures.told}")
        if cache.flaws():
            print("    the deployment stays broken; the events after it say nothing")
            break
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("events", nargs="*", metavar="event", help="; ".join(EVENTS))
    parser.add_argument("--inventory", type=Path, default=INVENTORY)
    parser.add_argument("--keep", action="store_true", help="leave the hosts")
    parser.add_argument("--list", action="store_true", help="only print the events")
    args = parser.parse_args()
    unknown = [name for name in args.events if name not in EVENTS]
    if unknown:
        parser.error(f"there is no event {unknown[0]}; there are {', '.join(EVENTS)}")
    if args.list:
        print("\n".join(f"{name:<22}{each.title}" for name, each in EVENTS.items()))
        return
    began = time.monotonic()
    names = args.events or list(EVENTS)
    hosts("down", args.inventory)
    hosts("up", args.inventory)
    try:
        playbook = Playbook(str(args.inventory.resolve()))
        playbook.run()
        cache = Deployment(args.inventory, NAME, playbook)
        found = drill(cache, names)
        settings = cache.settings() if len(found) == len(EVENTS) else None
    finally:
        if not args.keep:
            hosts("down", args.inventory)
    report.print_table(found)
    if settings:
        report.write_page(found, settings)
    missed = [each for each in found if each.missed()]
    print(f"\n{len(found)} of {len(names)} events, {len(missed)} missed; {(time.monotonic() - began) / 60:.0f} minutes")
    sys.exit(bool(missed) or len(found) < len(names))


if __name__ == "__main__":
    main()
