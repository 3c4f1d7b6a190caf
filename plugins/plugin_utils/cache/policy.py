"""What the inventory says of a cache: its key families laid over the baseline, and what is wrong with them. Pure.

A policy is {deployment, ttls, events, families}, as docs/cache.md describes it; each error is a sentence.
"""

import itertools
import re
import typing

from ansible_collections.cistern.core.plugins.module_utils.cache.key_patterns import Pattern, overlap
from ansible_collections.cistern.core.plugins.module_utils.host.spelling import did_you_mean
from ansible_collections.cistern.core.plugins.plugin_utils.app_env import dotenv as env
from ansible_collections.cistern.core.plugins.plugin_utils.cache import warming as cache_warming
from ansible_collections.cistern.core.plugins.plugin_utils.common import validation as variables
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import label_of

# Variables that lay keys over the baseline; those of one deployment are the same on all of its hosts.
LAYERS = ("cache_families", "cache_ttls", "cache_events")
TYPES = ("string", "hash", "list", "set", "zset", "stream", "any")
KEYS = {
    "description": "text",
    "key": "a key pattern, such as user_profile:{user_id}",
    "type": f"one of {', '.join(TYPES)}",
    "ttl": "seconds, or a name in cache_ttls",
    "jitter": "a percentage from 0 to 50",
    "invalidated_by": "a mapping of events to lists of patterns",
    "warm": "a mapping, or null",
}
LONGEST_JITTER = 50
NAME = r"[a-z][a-z0-9_]*"


class Host(typing.NamedTuple):
    """One host of a deployment: what the inventory says of its cache, and where."""

    name: str
    deployment: str
    values: dict
    origins: dict
    broken: dict


def check(hosts, options, baseline, cluster=None):
    """Return ({deployment: policy}, errors); a deployment whose cache_families is null has none.

    `baseline` is {cache_families, cache_ttls, cache_events}, each {name: what the guide says}; `cluster` is the Citus
    of the inventory, as cache_warming takes it.
    """
    found: dict = {}
    policies = {}
    for host in hosts:
        # null is a word of its own there: this deployment is no cache
        declared = {name: value for name, value in host.values.items() if (name, value) != ("cache_families", None)}
        for text in variables.problems(
            host._replace(values=declared), options, home="group_vars/<deployment>/cache.yml"
        ):
            found.setdefault(text, []).append(host.name)
    for deployment, group in itertools.groupby(sorted(hosts, key=_deployment), key=_deployment):
        members = list(group)
        for name in LAYERS:
            if any(each.values.get(name) != members[0].values.get(name) for each in members):
                text = f"{name}: differs between the hosts of {deployment}; write it once, into its group_vars"
                found.setdefault(text, []).extend(each.name for each in members)
        if "cache_families" in members[0].values and members[0].values["cache_families"] is None:
            continue
        policy = resolved(deployment, members[0].values, baseline)
        for text in problems(members[0], policy):
            found.setdefault(text, []).extend(each.name for each in members)
        for each in members:
            for text in [
                *cache_warming.pace_problems(each),
                *cache_warming.database_problems(each, policy, cluster or {}),
            ]:
                found.setdefault(text, []).append(each.name)
        policies[deployment] = policy
    return policies, [f"{text} [{', '.join(dict.fromkeys(names))}]" for text, names in found.items()]


def _deployment(host):
    return str(host.deployment)


def resolved(deployment, values, baseline):
    """Return the policy that these variables and the baseline make; what is wrong with it is told by `problems`."""
    merged = {name: {**baseline[name], **_mapping(values.get(name))} for name in LAYERS}
    ttls = _present(merged["cache_ttls"])
    # rules for an event that null takes away go with it
    gone = [name for name, arguments in merged["cache_events"].items() if arguments is None]
    families = {}
    for name, declared in _present(merged["cache_families"]).items():
        own = {**_mapping(baseline["cache_families"].get(name)), **declared} if isinstance(declared, dict) else {}
        ttl = own.get("ttl")
        by_name = isinstance(ttl, str) and ttl in ttls
        families[name] = {
            "description": "",
            "type": "any",
            "jitter": 0,
            "invalidated_by": {},
            "warm": None,
            **own,
            "ttl": ttls[ttl] if by_name else ttl,
            "ttl_name": ttl if by_name else None,
        }
        rules = families[name]["invalidated_by"]
        if isinstance(rules, dict):
            families[name]["invalidated_by"] = {event: rules[event] for event in rules if event not in gone}
    return {"deployment": deployment, "ttls": ttls, "events": _present(merged["cache_events"]), "families": families}


def _mapping(value):
    return value if isinstance(value, dict) else {}


def _present(merged):
    """Return what null has not taken away."""
    return {name: value for name, value in merged.items() if value is not None}


# -- what is wrong


def problems(host, policy):
    """Yield what is wrong with a policy, told with the places where this host's variables were written."""
    yield from _ttls(host, policy)
    yield from _events(host, policy)
    patterns: dict = {}
    for name, family in policy["families"].items():
        where = label_of(host, ("cache_families", name), f"{name} in cache_families")
        declared = _mapping(host.values.get("cache_families")).get(name)
        if declared is not None and not isinstance(declared, dict):
            yield f"{where}: must be a mapping with {', '.join(KEYS)}, or null"
            continue
        if not re.fullmatch(NAME, str(name)):
            yield f"{where}: must be small letters, digits and underscores"
        for text in _family(name, family, _mapping(declared), policy, patterns):
            yield f"{where}: {text}"
    for (name, one), (other_name, other) in itertools.combinations(patterns.items(), 2):
        key = overlap(one, other)
        if key is not None:
            where = label_of(host, ("cache_families", other_name), f"{other_name} in cache_families")
            yield f"{where}: {other.text} overlaps {one.text} of {name}, such as in {key}; change one of them"


def _ttls(host, policy):
    for name, value in policy["ttls"].items():
        where = label_of(host, ("cache_ttls", name), f"{name} in cache_ttls")
        wrong = env.wrong_name(name) or _wrong_seconds(value)
        if wrong:
            yield f"{where}: {wrong}"


def _events(host, policy):
    for name, arguments in policy["events"].items():
        where = label_of(host, ("cache_events", name), f"{name} in cache_events")
        fits = isinstance(arguments, list) and all(re.fullmatch(NAME, str(each)) for each in arguments)
        if not fits or not arguments or not re.fullmatch(NAME, str(name)):
            yield f"{where}: must be a list of arguments such as [user_id], names of small letters and underscores"


def _wrong_seconds(value):
    if isinstance(value, bool) or not isinstance(value, int):
        return f"must be a whole number of seconds, not {value!r}"
    return f"is {value}, with which no key would live; write at least 1" if value < 1 else None


def _family(name, family, declared, policy, patterns):
    for key in declared:
        if key not in KEYS:
            yield f"has no key {key!r}{did_you_mean(key, KEYS)}"
    if not isinstance(family.get("key"), str) or not family["key"]:
        yield "key is missing; write its pattern, such as user_profile:{user_id}"
    else:
        yield from _key(name, family["key"], patterns)
    if family["type"] not in TYPES:
        yield f"type must be {KEYS['type']}, not {family['type']!r}"
    if family["ttl"] is None:
        yield f"ttl is missing; write {KEYS['ttl']} ({', '.join(policy['ttls'])})"
    elif isinstance(family["ttl"], str):
        yield f"ttl: there is no {family['ttl']} in cache_ttls{did_you_mean(family['ttl'], policy['ttls'])}"
    elif not family["ttl_name"] and _wrong_seconds(family["ttl"]):
        yield f"ttl {_wrong_seconds(family['ttl'])}"
    jitter = family["jitter"]
    if isinstance(jitter, bool) or not isinstance(jitter, int) or not 0 <= jitter <= LONGEST_JITTER:
        yield f"jitter must be {KEYS['jitter']}, not {jitter!r}"
    yield from _invalidation(name, family["invalidated_by"], policy["events"], patterns)
    yield from cache_warming.problems(family, patterns.get(name))


def _key(name, key, patterns):
    try:
        pattern = Pattern(key)
    except ValueError as error:
        yield f"key {error}"
        return
    if any(kind == "any" for kind, _value in pattern.parts):
        yield "key has a *; write a placeholder such as {user_id} for what differs"
    elif re.search(r"\s", key):
        yield "key has a blank; write it without"
    elif len(set(pattern.names)) < len(pattern.names):
        yield "key has one placeholder twice; give each a name of its own"
    else:
        patterns[name] = pattern


def _invalidation(name, rules, events, patterns):
    if not isinstance(rules, dict):
        yield f"invalidated_by must be {KEYS['invalidated_by']}"
        return
    for event, texts in rules.items():
        if event not in events:
            yield f"invalidated_by: there is no event {event}{did_you_mean(event, events)}"
            continue
        if texts is not None and not (isinstance(texts, list) and all(isinstance(each, str) for each in texts)):
            yield f"invalidated_by {event}: must be a list of patterns"
            continue
        for text in texts or ():
            wrong = _rule(text, events[event], patterns.get(name))
            if wrong:
                yield f"invalidated_by {event}: {text} {wrong}"


def _rule(text, arguments, key):
    try:
        pattern = Pattern(text)
    except ValueError as error:
        return str(error)
    for name in pattern.names:
        if name not in arguments:
            meant = did_you_mean(name, arguments)
            return f"has the unknown placeholder {{{name}}}{meant}; it has {', '.join(arguments)}"
    if key and overlap(pattern, key) is None:
        return f"matches no key of {key.text}"
    return None
