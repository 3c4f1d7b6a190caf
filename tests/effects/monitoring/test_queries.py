"""Every query of every rule and panel has an answer while the cache has keys of all families, and is read."""

import os
import subprocess
import sys
import threading

import instances

KEYS = {
    "user_profile:{}": 1800,
    "user_username:u{}": 1800,
    "user_email:u{}@example.com": 1800,
    "message:{}": 300,
    "conversation:{}:2:messages:50:0": 300,
    "user_messages:{}:50:0": 300,
    "conversation_partners:{}": 600,
    "unread_count:{}": 300,
    "user_online:{}": 3600,
}


def test_every_query_has_an_answer_under_load(everyone, inventory):
    cache = {name: each for name, each in everyone.items() if each.vars["redis_deployment"] == "cache"}
    [primary] = instances.primaries(cache)
    pipeline = primary.redis().pipeline(transaction=False)
    for pattern, seconds in KEYS.items():
        for number in range(200):
            pipeline.set(pattern.format(number), "x" * 100, ex=seconds)
    pipeline.set("online_users", "1,2", ex=3600).set("of:no:family", 1, ex=60).execute()
    ended = threading.Event()
    reader = threading.Thread(target=read, args=[primary.redis(), ended], daemon=True)
    reader.start()
    try:
        for each in cache.values():
            each.run("systemctl start cistern-cache-metrics-redis.service")
        asked = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "tests/testinfra/test_queries.py",
                f"--ansible-inventory={inventory}",
            ],
            cwd=instances.ROOT,
            env={**os.environ, "EVERY_PART": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        ended.set()
        reader.join()
        primary.redis().flushall()
    assert asked.returncode == 0, asked.stdout


def read(client, ended):
    """Look keys up, one in ten of which is not there."""
    number = 0
    while not ended.wait(0.01):
        number += 1
        client.get(f"user_profile:{number % 220}")
