"""Whether the machines of a deployment take its names for the same, and for where its servers listen. Pure.

A target is a server that others reach by a name:
  name, host, machine   the name, the inventory host that it stands for, and that one's machine
  say, variable         the variable with the place where it was written, and its name
  bind                  addresses that the server listens on
  first                 whether a client takes the first address of a name and no other, as Redis does
  shared                whether it is reached from another machine too
What was asked is {host: {machine, names, own}}: `names` as in module_utils/host/names.py, `own` its addresses.
"""

import ipaddress

from ansible_collections.cistern.core.plugins.module_utils.host.claims.judge import EVERYWHERE, literal
from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import name_key
from ansible_collections.cistern.core.plugins.module_utils.host.names import SLOW


def problems(targets, observed):
    """Return [(refuse, sentence, hosts)], each sentence once."""
    found: dict = {}
    for target in targets:
        answers = _answers(target, observed)
        for refuse, text, hosts in [
            *_unknown(target, answers),
            *_loopback(target, answers, observed),
            *_differing(target, answers, observed),
            *_unheard(target, answers, observed),
        ]:
            # what breaks one of the servers of a name is refused, even if it is a risk for another
            found[text] = (refuse or found.get(text, (False, ()))[0], hosts)
    return [(refuse, text, hosts) for text, (refuse, hosts) in found.items()]


def _answers(target, observed):
    """Return {host: answer} of one host of each machine that was asked for the name."""
    found, seen = {}, set()
    # the host itself speaks for its machine
    for host in sorted(observed, key=lambda host: host != target["host"]):
        names = {name_key(name): answer for name, answer in observed[host]["names"].items()}
        if name_key(target["name"]) in names and observed[host]["machine"] not in seen:
            seen.add(observed[host]["machine"])
            found[host] = names[name_key(target["name"])]
    return found


def _unknown(target, answers):
    for host, answer in answers.items():
        if answer["why"] == SLOW:
            yield (
                False,
                f"{target['label']}: the resolver of {host} gives {answer['why']} for {target['name']}, which holds up "
                f"servers and runs; write {target['variable']} as an address, or put the name into its /etc/hosts",
                [host],
            )
        elif not answer["addresses"]:
            yield (
                True,
                f"{target['label']}: {host} cannot resolve {target['name']} ({answer['why']}); write "
                f"{target['variable']}: {_address(target, answers)} for {target['host']}, or make the name known to "
                f"{host}, in DNS or in /etc/hosts",
                [host],
            )


def _loopback(target, answers, observed):
    """A machine that takes a name for itself: its own, as Debian's installer writes it, or that of another."""
    for host, answer in answers.items():
        local = [address for address in answer["addresses"] if _is_loopback(address)]
        if not local:
            continue
        where = " (/etc/hosts)" if answer["in_hosts"] else ""
        out = "take the line out of /etc/hosts" if answer["in_hosts"] else "have its resolver say so too"
        if observed[host]["machine"] != target["machine"]:
            text = f"{host} resolves {target['name']}, which is {target['host']}, to its own {local[0]}{where}"
            yield True, f"{target['label']}: {text}; {out.replace('say so too', 'tell its address')}", [host]
        elif target["shared"]:
            instead = _address(target, answers, observed)
            out = out.replace("say so too", f"say {instead} too")
            yield (
                # a server that listens everywhere is reached there too
                not _listens(target, local[0], observed),
                f"{target['label']}: {host} resolves its own name {target['name']} to {local[0]}{where}, where no "
                f"other machine reaches it; write {target['variable']}: {instead}, or {out}",
                [host],
            )


def _address(target, answers, observed=None):
    """Return the address that is most likely meant: where it listens, what others take the name for, what it has."""
    others = [address for answer in answers.values() for address in answer["addresses"]]
    own = (observed or {}).get(target["host"], {}).get("own", [])
    for address in [*target["bind"], *others, *own]:
        if literal(address) and address not in EVERYWHERE and not _is_loopback(address):
            return address
    return "its address"


def _is_loopback(address):
    return literal(address) is not None and ipaddress.ip_address(literal(address)).is_loopback


def _differing(target, answers, observed):
    """A name that is not the same everywhere. Behind NAT that may be meant; the address of another host never is."""
    by_address: dict = {}
    for host, answer in answers.items():
        addresses = sorted(address for address in answer["addresses"] if not _is_loopback(address))
        if addresses:
            by_address.setdefault(", ".join(addresses), []).append(host)
    owners = _owners(observed)
    for addresses, hosts in by_address.items():
        for address in addresses.split(", "):
            owner = owners.get(address, target["machine"])
            if owner != target["machine"] and observed.get(target["host"]):
                whose = next(host for host in observed if observed[host]["machine"] == owner)
                resolve = "resolve" if len(hosts) > 1 else "resolves"
                text = f"{' and '.join(hosts)} {resolve} {target['name']} to {address}, which {whose} has"
                instead = _address({**target, "bind": [*target["bind"], *observed[target["host"]]["own"]]}, {})
                yield (
                    True,
                    f"{target['label']}: {text}; write {target['variable']}: {instead} for {target['host']}, or mend "
                    "the name, in DNS or in /etc/hosts",
                    hosts,
                )
                return
    if len(by_address) > 1:
        text = " and ".join(f"{addresses} on {', '.join(hosts)}" for addresses, hosts in by_address.items())
        yield (
            False,
            f"{target['label']}: {target['name']} is {text}; write {target['variable']} as an address, or make all of "
            "them know the same, in DNS or in /etc/hosts",
            sorted(answers),
        )


def _owners(observed):
    """Return {address: machine} of the addresses that one machine alone has: bridges are the same on many."""
    found: dict = {}
    for host in observed.values():
        for address in host["own"]:
            found.setdefault(address, set()).add(host["machine"])
    return {address: next(iter(machines)) for address, machines in found.items() if len(machines) == 1}


def _unheard(target, answers, observed):
    """A name of several addresses, or of one, at which its server does not listen."""
    here = observed.get(target["host"])
    if not here:
        return
    for host, answer in answers.items():
        # one that the machine does not have may be translated on the way to it
        local = [address for address in answer["addresses"] if address in here["own"]]
        heard = [address for address in local if _listens(target, address, observed)]
        if not local or heard == local:
            continue
        first_is_deaf = answer["addresses"][0] in local and answer["addresses"][0] not in heard
        breaks = not heard or target["first"] and first_is_deaf
        deaf = [address for address in local if address not in heard]
        if not breaks and not target["first"]:
            continue
        instead = heard[0] if heard else _address(target, {})
        risk = "" if breaks else ", and a resolver may tell of it first"
        yield (
            bool(breaks),
            f"{target['label']}: {host} resolves {target['name']} to {', '.join(answer['addresses'])}, and "
            f"{target['host']} does not listen on {', '.join(deaf)}{risk}; write {target['variable']}: {instead}, or "
            f"add {', '.join(deaf)} to {target['bind_variable']}",
            [host],
        )


def _listens(target, address, observed):
    family = ipaddress.ip_address(literal(address)).version
    for each in [str(each).lstrip("-") for each in target["bind"]]:
        if EVERYWHERE.get(each) == family or literal(each) == literal(address):
            return True
        if literal(each) is None:
            names = observed.get(target["host"], {}).get("names", {})
            # Redis listens on the first address of a name that is of IPv4
            if address in names.get(each, {"addresses": []})["addresses"] and (family == 4 or not target["first"]):
                return True
    return False


# -- the targets of an inventory


def of_redis(instances, sentinel_hosts, deployments, sentinel_bind, is_name, label_of):
    """Return the targets of the deployments that have replicas."""
    everyone = {each.name: each for each in [*sentinel_hosts, *instances]}
    found = []
    for deployment in deployments.values():
        members = [*deployment["nodes"], *deployment["sentinels"]]
        shared = len({everyone[member["host"]].machine for member in members}) > 1
        for index, member in enumerate(members):
            each, of_sentinel = everyone[member["host"]], index >= len(deployment["nodes"])
            if is_name(member["address"]):
                found.append(
                    {
                        "name": member["address"],
                        "host": each.name,
                        "machine": each.machine,
                        "label": label_of(each, "redis_address"),
                        "variable": "redis_address",
                        "bind": sentinel_bind(each) if of_sentinel else each.bind(),
                        "bind_variable": "redis_sentinel_bind" if of_sentinel else "redis_bind",
                        "first": True,
                        "shared": shared,
                    }
                )
    return found


def of_citus(nodes, citus_bind, is_name, label_of):
    return [
        {
            "name": node.address(),
            "host": node.name,
            "machine": node.machine,
            "label": label_of(node, "citus_address"),
            "variable": "citus_address",
            "bind": citus_bind(node),
            "bind_variable": "citus_bind",
            "first": False,
            "shared": len(nodes) > 1,
        }
        for node in nodes
        if is_name(node.address())
    ]
