"""What an operator's request drops from a cache: an event with its arguments, a family, or everything. Pure."""

from ansible_collections.cistern.core.plugins.module_utils.host.spelling import did_you_mean

VARIABLES = ("cache_invalidate", "event", "family", "flush")


def deployment(variable, value, policies):
    """Return (the deployment a verb is for, what is wrong): the one that is named, or the only one with families."""
    known = ", ".join(policies) or "none has key families"
    if not value and len(policies) == 1:
        return next(iter(policies)), None
    if value in policies:
        return value, None
    problem = f"there is no cache called {value}{did_you_mean(value, policies)}" if value else "is missing"
    return None, f"{variable}: {problem}; write a deployment with key families ({known})"


def request(variables, policies):
    """Return ({deployment, targets, flush}, errors); `variables` are the variables of the run by name."""
    ways = [name for name in ("event", "family", "flush") if variables.get(name)]
    if len(ways) != 1:
        given = " and ".join(ways)
        return None, [
            f"write one of event, family and flush, not {given}"
            if ways
            else "say what to drop: -e 'event=message_sent user1=7 user2=42', -e family=message, -e flush=<deployment>"
        ]
    name, wrong = deployment("cache_invalidate", variables.get("cache_invalidate") or variables.get("flush"), policies)
    if variables.get("flush") and (wrong or variables["flush"] != name):
        return None, [f"flush: drops every key; write the deployment as its confirmation ({', '.join(policies)})"]
    if wrong:
        return None, [wrong]
    policy = policies[name]
    if variables.get("flush"):
        return {"deployment": name, "targets": [], "flush": True}, []
    targets, errors = (_event if variables.get("event") else _family)(variables, policy)
    return {"deployment": name, "targets": targets, "flush": False}, errors


def _family(variables, policy):
    family = variables["family"]
    if family not in policy["families"]:
        near = did_you_mean(family, policy["families"])
        return [], [f"family: there is no {family}{near}; write one of {', '.join(policy['families'])}"]
    return [{"family": family, "pattern": policy["families"][family]["key"], "values": {}}], []


def _event(variables, policy):
    event, events = variables["event"], policy["events"]
    if event not in events:
        return [], [f"event: there is no {event}{did_you_mean(event, events)}; write one of {', '.join(events)}"]
    values, errors = {}, []
    for name in events[event]:
        value = variables.get(name)
        if value is None:
            errors.append(
                f"{name}: is missing; {event} has {', '.join(events[event])}. "
                f"Write {name}=..., or {name}='' to leave what needs it"
            )
        elif ":" in str(value):
            errors.append(f"{name}: {value} has a colon, which no key has in that place")
        elif str(value):
            values[name] = str(value)
    targets = [
        {"family": name, "pattern": pattern, "values": values}
        for name, family in policy["families"].items()
        for pattern in family["invalidated_by"].get(event) or ()
        # what an argument was left out for must not become all keys of the family
        if all(each in values for each in _arguments(pattern, events[event]))
    ]
    if not errors and not targets:
        errors.append(f"event: {event} drops nothing with these arguments")
    return targets, errors


def _arguments(pattern, arguments):
    return [name for name in arguments if f"{{{name}}}" in pattern]
