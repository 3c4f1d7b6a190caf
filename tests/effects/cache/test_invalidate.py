"""What is stale is dropped, at the primary, and nothing else."""

import faults
import pytest

EVENT = ["-e", "event=message_sent user1=7 user2=42"]
STALE = [
    "conversation:7:42:messages:50:0",
    "conversation:42:7:messages:50:100",
    "user_messages:7:50:0",
    "user_messages:42:50:0",
    "conversation_partners:7",
    "conversation_partners:42",
    "unread_count:42",
]
FRESH = [
    "conversation:7:4:messages:50:0",
    "conversation:77:42:messages:50:0",
    "conversation:7:421:messages:50:0",
    "user_messages:8:50:0",
    "unread_count:7",
    "user_profile:7",
    "message:7",
    "conversation:7",
]


@pytest.fixture
def cache(everyone):
    """The deployment `cache`, its primary first, with keys that a message makes stale and keys that it does not."""
    found = [everyone[name] for name in ("cache1", "cache2")]
    found.sort(key=lambda instance: instance.role() != "master")
    found[0].redis().mset(dict.fromkeys([*STALE, *FRESH], "x"))
    everyone["media1"].redis().set("unread_count:42", "x")
    return found


def invalidate(playbook, *words, cache="cache", fails=False, check=False):
    options = [*words, "-e", f"cache_invalidate={cache}", *(["--check"] if check else [])]
    return playbook.run(name="cache_invalidate", options=options, fails=fails)


def keys(instance):
    return set(instance.redis().scan_iter(count=1000))


def test_an_event_drops_what_it_makes_stale(cache, everyone, playbook):
    primary, replica = cache
    told = invalidate(playbook, *EVENT, check=True)
    assert keys(primary) == {*STALE, *FRESH}, "a check dropped something"
    run = invalidate(playbook, *EVENT)
    assert keys(primary) == set(FRESH) == keys(replica)
    assert run.steps(primary.name) == told.steps(primary.name) and len(run.steps(primary.name)) == len(STALE)
    assert "unread_count: drop 1 of unread_count:42: unread_count:42" in run.steps(primary.name)
    assert run.changed == 1 and run.steps(replica.name) == []
    assert everyone["media1"].redis().exists("unread_count:42"), "a key of another deployment is gone"
    assert invalidate(playbook, *EVENT).changed == 0


def test_a_family_is_dropped_in_bounded_batches(cache, playbook):
    primary, _replica = cache
    pipeline = primary.redis().pipeline(transaction=False)
    for number in range(20_000):
        pipeline.set(f"message:{number}", "x")
    # keys of any kind of bytes, and one that only looks like the family
    pipeline.set(b"message:\xff\x00 ", "x").set("message:1:2", "x")
    pipeline.execute()
    primary.redis().config_resetstat()
    run = invalidate(playbook, "-e", "family=message")
    assert "message: drop 20001 of message:{message_id}" in run.output
    assert keys(primary) == ({*STALE, *FRESH} | {"message:1:2"}) - {"message:7"}
    stats = primary.redis().info("commandstats")
    assert stats["cmdstat_unlink"]["calls"] >= 20_001 / 500
    assert not {"cmdstat_keys", "cmdstat_flushdb", "cmdstat_flushall", "cmdstat_del"} & set(stats)


def test_a_family_is_dropped_from_every_database(cache, playbook):
    primary, _replica = cache
    other = primary.redis(db=3)
    other.mset({"message:9": "x", "unread_count:9": "x"})
    try:
        told = invalidate(playbook, "-e", "family=message", check=True)
        assert other.dbsize() == 2, "a check dropped something"
        run = invalidate(playbook, "-e", "family=message")
        assert run.steps(primary.name) == told.steps(primary.name)
        assert "message: drop 1 of message:{message_id} in database 3: message:9" in run.steps(primary.name)
        assert other.keys() == ["unread_count:9"] and not primary.redis().exists("message:7")
    finally:
        other.flushdb()


def test_everything_needs_its_own_confirmation(cache, playbook):
    primary, replica = cache
    for request in ("flush=true", "flush=media"):
        refused = invalidate(playbook, "-e", request, fails=True)
        assert "as its confirmation" in refused.output
    assert keys(primary) == {*STALE, *FRESH}
    assert "FLUSHDB: drop all 15 keys" in invalidate(playbook, "-e", "flush=cache", check=True).output
    assert keys(primary) == {*STALE, *FRESH}
    assert invalidate(playbook, "-e", "flush=cache").changed == 1
    assert keys(primary) == set() == keys(replica)


def test_a_server_that_listens_on_its_own_machine_alone(cache, everyone, playbook):
    alone = everyone["media1"]
    assert invalidate(playbook, *EVENT, cache="media").steps("media1") == [
        "unread_count: drop 1 of unread_count:42: unread_count:42"
    ]
    assert keys(alone) == set() and keys(cache[0]) == {*STALE, *FRESH}


def test_a_wrong_request_touches_no_host(cache, playbook):
    primary, _replica = cache
    refused = invalidate(playbook, "-e", "event=mesage_sent", fails=True)
    assert "did you mean message_sent?" in refused.output and "Nothing was dropped" in refused.output
    assert keys(primary) == {*STALE, *FRESH}


def test_without_a_primary_nothing_is_dropped_and_the_run_fails(cache, playbook):
    primary, replica = cache
    faults.kill(primary, stays_down=True)
    try:
        failed = invalidate(playbook, *EVENT, fails=True)
    finally:
        faults.end(primary)
    assert "The cache could not be asked" in failed.output
    assert keys(replica) == {*STALE, *FRESH}
