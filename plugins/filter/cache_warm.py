"""Filters of the warming of a cache. As in env.py, each imports itself what it alone needs."""

import functools
from pathlib import Path

from ansible_collections.cistern.core.plugins.module_utils.host.spelling import did_you_mean
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files

# What runs on hosts, as a module or as a program of its own.
BESIDE = ("host/__init__.py", "host/atomic.py", "host/endpoint.py", "redis/__init__.py", "redis/resp.py")
PROGRAMS = Path(role_files.__file__).resolve().parents[2] / "module_utils"
# What the program that fills asks a server; what it may write is in the families that are filled.
COMMANDS = "+ping +info +role +exists +del +set +hset +rpush +sadd +zadd +pexpire +evalsha +script|load"


def cache_warmed(families, data=None):
    """Return the families that are warmed; with `data`, each of a file has the path where that lies on its host."""
    found = {name: family for name, family in families.items() if family["warm"]}
    if data is None:
        return found
    return {
        name: {**family, "warm": {**family["warm"], "path": f"{data}/{name}.jsonl"}} for name, family in found.items()
    }


def cache_by_itself(families):
    """Return the warmed families that a host fills without an operator: from a timer, after a restart or failover."""
    return {name: each for name, each in families.items() if each["warm"].get("every") or each["warm"].get("after")}


def cache_warm_files(families):
    """Return [{family, file}] of those that are filled from a file."""
    return [{"family": name, "file": each["warm"]["file"]} for name, each in families.items() if "file" in each["warm"]]


def cache_warm_rules(declared):
    """Return what the user of the program that fills may do, as ACL SETUSER spells it; '' where nothing is warmed."""
    if not declared:
        return ""
    from ansible_collections.cistern.core.plugins.module_utils.cache.key_patterns import Pattern
    from ansible_collections.cistern.core.plugins.plugin_utils.cache import policy as cache_policy

    derived = role_files.derived("cache")
    baseline = {name: derived[f"__{name}_baseline"] for name in cache_policy.LAYERS}
    families = cache_warmed(cache_policy.resolved("", {"cache_families": declared}, baseline)["families"])
    keys = sorted({Pattern(family["key"]).matcher({})[0] for family in families.values()})
    return " ".join([*(f"~{key}" for key in keys), COMMANDS]) if keys else ""


def cache_warm_request(policies, deployment, names):
    """Return {deployment, families, errors} of what an operator wants filled; `names` are divided by commas."""
    known = {name: cache_warmed(policy["families"]) for name, policy in policies.items()}
    known = {name: families for name, families in known.items() if families}
    deployment = deployment or (next(iter(known)) if len(known) == 1 else "")
    if deployment not in known:
        if not known:
            text = "No deployment has a family with `warm`; write how one is filled into cache_families"
        elif deployment:
            text = f"cache_warm: {deployment} has no family with `warm`{did_you_mean(deployment, known)}"
        else:
            text = f"cache_warm: is missing; write the deployment, one of {', '.join(known)}"
        return {"deployment": "", "families": {}, "errors": [text]}
    families = known[deployment]
    wanted = [name.strip() for name in str(names).split(",") if name.strip()] or list(families)
    errors = [
        f"cache_warm_families: {deployment} does not warm {name}; write one or more of {', '.join(families)}"
        for name in wanted
        if name not in families
    ]
    chosen = {name: families[name] for name in wanted if name in families}
    return {"deployment": deployment, "families": chosen, "errors": errors}


def cache_warm_has_queries(families):
    """Whether any of the families is filled by a query."""
    return any("sql" in family["warm"] for family in families.values())


def cache_warm_timers(families, file):
    """Return the file of the timer of each family that is filled again and again; `file` is as for any of them."""
    return [
        {
            **file,
            "path": file["path"].replace("FAMILY", name),
            "vars": {"__cache_timer": {"family": name, "every": each["warm"]["every"]}},
        }
        for name, each in families.items()
        if each["warm"].get("every")
    ]


def cache_unit_of(file):
    """Return the unit of a file, which a change of that file restarts."""
    return {"name": file["path"].rpartition("/")[2], "files": [file["path"]]}


@functools.cache
def cache_package(folder):
    """Return the files of the programs as they go below a folder of a host: the package, and what it imports."""
    own = {"owner": "root", "group": "root", "mode": "0644"}
    files = [*sorted(PROGRAMS.glob("cache/**/*.py")), *(PROGRAMS / name for name in BESIDE)]
    return [{"source": str(file), "path": f"{folder}/{file.relative_to(PROGRAMS)}", **own} for file in files]


def cache_warm_watched(families):
    """Whether any of the families is filled after a restart or a failover."""
    return any(family["warm"].get("after") for family in families.values())


class FilterModule:
    def filters(self):
        filters = (
            cache_warm_has_queries,
            cache_warm_files,
            cache_warm_rules,
            cache_warm_timers,
            cache_warm_watched,
            cache_warm_request,
        )
        return {each.__name__: each for each in (cache_by_itself, cache_package, cache_unit_of, cache_warmed, *filters)}
