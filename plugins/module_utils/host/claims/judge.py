"""What is in the way of what a run claims of a machine. Pure: claims and what there is are as in host/claims.py.

Each problem is a sentence: which variable, where it was written, what is there, what to do or to write instead.
"""

import ipaddress

from ansible_collections.cistern.core.plugins.module_utils.host.claims import unit_judge

# They listen for a container, in the unit of all containers.
PROXIES = ("docker-proxy", "rootlessport")
EVERYWHERE = {"*": 4, "0.0.0.0": 4, "::": 6, "::*": 6}


def problems(claims, found):
    """Return the sentences, in order; none where nothing was asked."""
    if not claims or not found:
        return []
    sentences = [*_clusters(claims, found), *_ports(claims, found), *_folders(claims, found), *_at_boot(claims, found)]
    sentences += [*_units(claims, found), *unit_judge.problems(claims, found), *_binds(claims, found)]
    sentences += [
        f"{claims['host']} lacks {each['path']}, which {each['made_by']} makes; run that first"
        for each in claims.get("needs", [])
        if each["path"] in found["lacks"]
    ]
    return list(dict.fromkeys(sentences))


# -- ports


def _ports(claims, found):
    clusters = {_unit_of(cluster) for cluster in found["clusters"]}
    for claim in claims["ports"]:
        for each in found["listeners"]:
            if each["port"] != int(claim["port"]) or not overlap(claim["addresses"], each["address"]):
                continue
            if _is_ours(each, claims) or (each["process"] or {}).get("unit") in clusters:
                continue
            text = f"{claim['label']}: port {each['port']} of {claims['host']} is served by {_server(each)}"
            yield f"{text}; {_way_out(each['process'], found, each['port'])}, or write another {claim['variable']}"
            break


def overlap(wanted, address):
    """Whether a server on these addresses is in the way of one that listens on another, or the other way round."""
    if address in EVERYWHERE:
        # :: takes the port of both families, unless it was told not to
        return address == "::" or any(_family(each) in (4, None) for each in wanted)
    for each in [str(each).lstrip("-") for each in wanted]:
        if each in EVERYWHERE and EVERYWHERE[each] == _family(address):
            return True
        # a name may stand for any
        if _family(each) is None or literal(each) == literal(address):
            return True
    return False


def literal(address):
    """Return an address in its one spelling, None for a name."""
    try:
        return str(ipaddress.ip_address(str(address).partition("%")[0]))
    except ValueError:
        return None


def _family(address):
    address = str(address).lstrip("-")
    return EVERYWHERE.get(address) or (ipaddress.ip_address(literal(address)).version if literal(address) else None)


def _is_ours(listener, claims):
    if listener["process"]:
        return listener["process"]["unit"] in claims["ours"]
    # of a process that cannot be seen the user is known, and the units that the user has
    return bool(set(listener["suspects"]) & set(claims["ours"]))


def _server(listener):
    process = listener["process"]
    return _who(process) if process else f"a process of {listener['user']} that cannot be seen"


def _who(process):
    """Return a process as an operator knows it: its unit, its program, its folder."""
    name = process["unit"] if process["unit"].endswith(".service") else f"process {process['pid']}"
    # as it was called: /usr/bin/redis-server of Debian is a link to a program of another name
    about = [process["name"] if process["name"].startswith("/") else process["program"] or process["name"]]
    if process["folder"] not in ("", "/"):
        about.append(f"data in {process['folder']}")
    return f"{name} ({', '.join(each for each in about if each)})" if any(about) else name


def _way_out(process, found, port=None):
    if not process:
        return "stop it"
    if process["program"].endswith(PROXIES):
        return f"stop the container that publishes it (docker ps --filter publish={port})"
    if process["unit"].endswith(".service"):
        text = f"stop and disable it (systemctl disable --now {process['unit']})"
    else:
        text = "stop it, and what starts it"
    shares = process["pid"] in [each["pid"] for each in found["servers"]]
    return f"{text} and move its data" if shares else text


# -- PostgreSQL


def _unit_of(cluster):
    version, _sep, name = cluster["name"].partition("/")
    return f"postgresql@{version}-{name}.service"


def _clusters(claims, found):
    """Two clusters of one port share their socket's folder, whatever addresses they listen on."""
    running = {(each["process"] or {}).get("unit") for each in found["listeners"]}
    ours = claims["clusters"] or []
    for cluster in found["clusters"]:
        runs, starts = _unit_of(cluster) in running, cluster["start"] == "auto"
        for claim in claims["ports"]:
            if cluster["name"] in ours or cluster["port"] != int(claim["port"]) or not (runs or starts):
                continue
            version, _sep, name = cluster["name"].partition("/")
            text = f"port {cluster['port']} of {claims['host']} belongs to the PostgreSQL cluster {cluster['name']}"
            text += f" (data in {cluster['folder']})" + ("" if runs else ", which does not run and starts at boot")
            older = [each.split("/")[0] for each in ours if each.split("/")[1] == name]
            if older:
                yield (
                    f"postgresql_version: {text}; a run brings no cluster to PostgreSQL {older[0]}: write '{version}', "
                    f"or another citus_cluster and {claim['variable']}"
                )
                continue
            yield (
                f"{claim['label']}: {text}; write another {claim['variable']}, or give that cluster another "
                f"(pg_conftool {version} {name} set port N; pg_ctlcluster {version} {name} restart), or drop it if "
                f"nobody needs its data (pg_dropcluster --stop {version} {name})"
            )


# -- folders and units


def _folders(claims, found):
    ports = {int(each["port"]) for each in claims["ports"]}
    known = {each["process"]["pid"] for each in found["listeners"] if each["process"] and each["port"] in ports}
    for claim in claims["folders"]:
        for process in found["servers"]:
            if process["unit"] in claims["ours"]:
                continue
            # a Sentinel works there, and has no data; one that has the port too has been told
            if process["is_sentinel"] or process["pid"] in known:
                continue
            yield (
                f"{claim['label']}: {claim['path']} of {claims['host']} is the folder of {_who(process)}; "
                f"{_way_out(process, found)}, or write another {claim['variable']}"
            )
            break


def _at_boot(claims, found):
    """What does not run has neither a socket nor a process, and comes with the next boot."""
    running = [each["unit"] for each in found["servers"]]
    running += [each["process"]["unit"] for each in found["listeners"] if each["process"]]
    for each in found["at_boot"]:
        if each["unit"] in running:
            continue
        claim = next((one for one in claims["folders"] if one["path"] == each["folder"]), None)
        what = f"the data in {each['folder']}"
        for one in claims["ports"]:
            if each["port"] == int(one["port"]) and any(
                overlap(one["addresses"], address) for address in each["addresses"]
            ):
                claim, what = one, f"port {each['port']}"
        if claim:
            yield (
                f"{claim['label']}: {what} of {claims['host']} is that of {each['unit']} ({each['program']} "
                f"{each['conf']}) too, which does not run and starts at boot; disable it (systemctl disable "
                f"{each['unit']}), or write another {claim['variable']}"
            )


def _units(claims, found):
    for claim in claims["units"]:
        file = found["units"].get(claim["unit"])
        if file and file["program"] != claim["program"]:
            yield (
                f"{claim['label']}: {claims['host']} has a unit file of its own, {file['path']}, which runs "
                f"{file['program'] or 'nothing'} in place of the {claim['unit']} of the package; stop what it runs "
                "and take the file away"
            )


# -- addresses


def _binds(claims, found):
    for claim in claims["binds"]:
        missing = [each for each in claim["addresses"] if each in found["unusable"]]
        if not missing:
            continue
        has = ", ".join(found["own"]) or "none but the loopback's"
        problem = f"{claim['label']}: {claims['host']} has no address {' and no '.join(missing)} (it has {has})"
        instead = [_instead(each, found["own"]) if each in missing else each for each in claim["addresses"]]
        instead = [each for each in dict.fromkeys(instead) if each]
        text = f"[{', '.join(instead or ['127.0.0.1'])}]" if claim["is_list"] else (instead or ["one that it has"])[0]
        yield f"{problem}; write {claim['variable']}: {text}"


def _instead(address, own):
    same = [each for each in own if _family(address) in (_family(each), None)]
    return same[0] if same else None
