#!/usr/bin/env python3
"""How fast a family is filled from a file: `python bench/warm.py --host HOST`, against any server whose keys may go.

The password comes from REDISCLI_AUTH. The keys of the family bench_warm are dropped before and after.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "collections"))

from ansible_collections.cistern.core.plugins.module_utils.cache.warm import job as warm_job  # noqa: E402 - as above

FAMILY = {"key": "bench_warm:{user_id}", "type": "string", "ttl": 1800, "jitter": 10}


def lines(path, count):
    with open(path, "w", encoding="utf-8") as file:
        for number in range(count):
            value = json.dumps({"id": number, "name": f"user{number}", "bio": "x" * 60})
            file.write(json.dumps({"user_id": number, "value": value}) + "\n")


def fill(job, folder, what):
    began, used = time.monotonic(), time.process_time()
    [report] = warm_job.run(job, folder)["reports"]
    seconds, of_it = time.monotonic() - began, time.process_time() - used
    done = report["written"] + report["kept"]
    assert report["state"] == "done", report
    print(f"{what}: {done} keys in {seconds:.1f} s, {done / seconds:,.0f} a second; {of_it:.1f} s of a core, ", end="")
    print(f"{done / of_it:,.0f} a second of it")


def drop(job, count):
    with warm_job.connect(job) as connection:
        for first in range(0, count, 1000):
            connection.call("UNLINK", *[f"bench_warm:{number}" for number in range(first, min(first + 1000, count))])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=6379)
    parser.add_argument("--lines", type=int, default=1_000_000)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cistern-bench-") as folder:
        path = os.path.join(folder, "rows.jsonl")
        lines(path, told.lines)
        job = {
            "host": told.host,
            "port": told.port,
            "password": os.environ.get("REDISCLI_AUTH", ""),
            "families": {"bench_warm": {**FAMILY, "warm": {"path": path}}},
            "database": {},
            "rate": 0,
            "memory": 0.9,
        }
        drop(job, told.lines)
        try:
            fill(job, folder, "an empty server")
            fill(job, folder, "a server that has them")
        finally:
            drop(job, told.lines)


if __name__ == "__main__":
    main()
