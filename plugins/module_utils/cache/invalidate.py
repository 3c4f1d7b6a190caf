"""Drop keys by pattern: SCAN finds them page by page, UNLINK takes them in batches, and nothing else is touched."""

from .key_patterns import Pattern

# Keys that the server looks at in one step of SCAN, and keys of one UNLINK: each is well under a millisecond.
PAGE = 1000
BATCH = 500
# Keys that a count remembers, 60 bytes each. A key that SCAN tells twice, as it may while the server makes its table
# smaller, counts twice beyond.
KEPT = 1_000_000


def found(client, target):
    """Yield lists of keys, at most BATCH long, that a target means: {pattern, values}.

    A pattern that stands for one key is asked for by its name; the keys of others are found by SCAN.
    """
    pattern = Pattern(target["pattern"])
    if not pattern.open_with(target["values"]):
        key = pattern.filled(target["values"]).encode()
        if client.exists(key):
            yield [key]
        return
    glob, regex = pattern.matcher(target["values"])
    cursor, waiting = 0, {}
    while True:
        cursor, keys = client.scan(cursor=cursor, match=glob, count=PAGE)
        # SCAN may tell a key twice
        waiting.update(dict.fromkeys(key for key in keys if regex.fullmatch(key)))
        while len(waiting) >= BATCH or (waiting and not cursor):
            batch = list(waiting)[:BATCH]
            for key in batch:
                del waiting[key]
            yield batch
        if not cursor:
            return


def count(client, target, earlier=()):
    """Return (how many keys a target means now, the first few of them), without those that `earlier` ones mean."""
    gone = [Pattern(each["pattern"]).matcher(each["values"])[1] for each in earlier]
    some: list = []
    seen: set = set()
    number = 0
    for batch in found(client, target):
        keys = [key for key in batch if hash(key) not in seen and not any(each.fullmatch(key) for each in gone)]
        seen.update(hash(key) for key in keys[: KEPT - len(seen)])
        number += len(keys)
        some = (some + keys)[:3]
    return number, some


def drop(client, target):
    """UNLINK the keys of a target. Returns (how many were there, the first few of them)."""
    some: list = []
    gone = 0
    for batch in found(client, target):
        gone += client.unlink(*batch)
        some = (some + batch)[:3]
    return gone, some
