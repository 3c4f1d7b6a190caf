"""A Sentinel as the doctor sees it: its unit, its file, and what it knows of each deployment. Reads only."""

from ansible_collections.cistern.core.plugins.module_utils.doctor import resp as doctor_resp
from ansible_collections.cistern.core.plugins.module_utils.doctor import service as doctor_unit
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel import observe as redis_sentinel_state
from ansible_collections.cistern.core.plugins.module_utils.redis.topology import endpoint_key


def observe(want, sockets):
    """Return what there is of a Sentinel; no secret is in it."""
    unit = doctor_unit.observe(want["unit"], want["log"])
    file = doctor_unit.conf(want["conf"])
    text = file.pop("text")
    file["problem"] = ""
    if any(args is None for _name, args, _line in redis_conf.directives(text)):
        file["problem"] = "a quote is not closed"
    found = {
        "unit": unit,
        "file": file,
        "sockets": [each for each in sockets if each["port"] == want["port"] or each["pid"] == unit["pid"] > 0],
        "endpoints": {},
        "installed": redis_sentinel_state.installed_version(),
        "login": "",
        "answers": False,
        "why": "",
        "monitors": {},
    }
    passwords = list(dict.fromkeys([want["password"], redis_conf.value(text, "requirepass", "")]))
    for address in want["addresses"]:
        found["endpoints"][f"{address} {want['port']}"] = doctor_resp.observe(
            found, address, want["port"], passwords, _read_state
        )
    return found


def _read_state(connection: doctor_resp.Connection):
    read = doctor_resp.info(connection.call("INFO"))
    monitors = {}
    for entry in connection.call("SENTINEL", "MASTERS"):
        master = doctor_resp.pairs(entry)
        name = master["name"]
        try:
            quorum = [True, connection.call("SENTINEL", "CKQUORUM", name)]
        except doctor_resp.Refused as error:
            quorum = [False, str(error)]
        monitors[name] = {
            "primary": endpoint_key(master["ip"], master["port"]),
            "flags": master["flags"].split(","),
            "quorum": int(master["quorum"]),
            "ckquorum": quorum[0],
            "ckquorum_says": quorum[1],
            "replicas": _known(connection.call("SENTINEL", "REPLICAS", name)),
            "sentinels": _known(connection.call("SENTINEL", "SENTINELS", name)),
        }
    return {"version": read.get("redis_version", ""), "tilt": read.get("sentinel_tilt") == "1", "monitors": monitors}


def _known(entries):
    """Return {endpoint: flags} of the replicas or the other Sentinels that it knows."""
    known = map(doctor_resp.pairs, entries)
    return {endpoint_key(each["ip"], each["port"]): each["flags"].split(",") for each in known}
