"""What the keys of a cache say, judged: times to live, keys of no family, big values, types. Pure."""

from ansible_collections.cistern.core.plugins.plugin_utils.cache.formatting import count, plural, seconds, share, size

THRESHOLDS = {
    "without_ttl_share": 0.01,  # of the keys of a family
    "over_ttl_share": 0.01,
    "unknown_share": 0.01,  # of all keys
    "big_bytes": 100 << 10,
    "mean_bytes": 10 << 10,
    "collection_bytes": 1 << 20,
}


def findings(report, limits):
    for database in report["databases"]:
        where = f" of database {database['db']}" if len(report["databases"]) > 1 else ""
        yield from _families(database, where, limits)
        yield from _unknown(database, where, limits)
        yield from _big(database, where, limits)


def _finding(name, severity, title, evidence, do):
    return {"id": name, "severity": severity, "title": title, "evidence": evidence, "do": do, "host": ""}


def _such_as(family, what):
    samples = family["samples"].get(what, [])
    return f", such as {samples[0]}" if samples else ""


def _families(database, where, limits):
    with_keys = {name: family for name, family in database["families"].items() if family["keys"]}
    without, over, types = [], [], []
    for name, family in with_keys.items():
        keys = family["keys"]
        if family["without_ttl"] > limits["without_ttl_share"] * keys:
            text = f"{count(family['without_ttl'])} of {count(keys)} ({share(family['without_ttl'], keys)})"
            without.append(f"{name}: {text}{_such_as(family, 'without_ttl')}")
        if family["over_ttl"] > limits["over_ttl_share"] * keys:
            text = f"{count(family['over_ttl'])} of {count(keys)} live longer than {seconds(family['ttl'])}"
            over.append(f"{name}: {text}{_such_as(family, 'over_ttl')}")
        if family["wrong_type"]:
            kinds = ", ".join(f"{count(n)} {kind}" for kind, n in family["types"].items() if kind != family["type"])
            types.append(f"{name}: {kinds} in place of {family['type']}{_such_as(family, 'wrong_type')}")
    if without:
        do = [
            "Write each key with its time to live in one command: SET key value EX seconds.",
            "SET without EX takes away the time that a key had.",
            "Drop those that are there: playbooks/cache_invalidate.yml -e family=<name>.",
        ]
        yield _finding("ttl_missing", "high", f"Keys{where} never expire: they leak memory", without, do)
    if over:
        do = [
            "Let the application take its times from the .env (playbooks/app_env.yml writes CACHE_*).",
            "Or review the time in cache_ttls, where the longer one is right.",
        ]
        yield _finding("ttl_over", "medium", f"Keys{where} live longer than the policy says", over, do)
    if types:
        do = ["Write one type a family, or say type: any in cache_families. A wrong type makes commands fail."]
        yield _finding("types", "medium", f"Keys{where} have another type than the policy says", types, do)


def _unknown(database, where, limits):
    unknown = database["unknown"]
    if not unknown["keys"] or unknown["keys"] <= limits["unknown_share"] * database["keys"]:
        return
    keys = f"{plural(unknown['keys'], 'key')} ({share(unknown['keys'], database['keys'])}, {size(unknown['bytes'])})"
    evidence = [f"{keys}, {count(unknown['without_ttl'])} of them without a time to live"]
    evidence += [f"{count(each['keys'])} like {each['pattern']}" for each in unknown["patterns"][:3]]
    do = [
        "Write the families that are missing into cache_families, with their times to live.",
        "Keys of a release that is gone, or of another application: drop them, or give it a deployment of its own.",
    ]
    yield _finding("unknown", "medium", f"Keys{where} belong to no family", evidence, do)


def _big(database, where, limits):
    parts = {**database["families"], "no family": database["unknown"]}
    values, grown = [], []
    for name, part in parts.items():
        if not part["keys"]:
            continue
        mean, most = part["bytes"] / part["keys"], part["biggest"][0]
        if most["bytes"] >= limits["big_bytes"] or mean >= limits["mean_bytes"]:
            values.append(f"{name}: {most['key']} has {size(most['bytes'])}, the mean is {size(mean)}")
        kinds = set(part.get("types", {})) - {"string"}
        if kinds and most["bytes"] >= limits["collection_bytes"] and part["without_ttl"]:
            grown.append(f"{name}: {most['key']} has {size(most['bytes'])} ({', '.join(sorted(kinds))})")
    if values:
        do = [
            "Cache what is shown and not the whole object; smaller pages; JSON in place of pickle.",
            "Compress what stays big, such as with zstd: the network and the memory gain, a processor pays.",
        ]
        yield _finding("big_values", "medium", f"Values{where} are big to serialise and to send", values, do)
    if grown:
        do = [
            "Bound collections where they are written: LTRIM, ZREMRANGEBYRANK, XADD MAXLEN.",
            "Give the key a time to live, so that it begins anew.",
        ]
        yield _finding("leak", "high", f"Collections{where} grow without end", grown, do)
