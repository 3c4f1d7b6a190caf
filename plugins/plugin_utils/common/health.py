"""What is not whole at the end of a run, as sentences: of what each host reported of itself in that run. Pure.

A host's `registers` are the results of modules by the name that the roles give them. What was proven after a change
counts, else what was observed before: nothing has changed since.
"""

INSTANCE = ("__redis_proven", "__redis_asked")
SENTINEL = ("__redis_sentinel_proven", "__redis_sentinel_asked")
CLUSTER = ("__citus_joined",)
UNITS = ("__cache_installed", "__monitoring_configured")


def sentences(hosts):
    """Return the sentences about {host: registers}, each once."""
    found = []
    for host, registers in hosts.items():
        found += _of_instance(host, registers.get("redis_deployment"), _last(registers, INSTANCE))
        found += _of_sentinel(host, _last(registers, SENTINEL))
        found += [f"Citus: {text}" for text in _last(registers, CLUSTER) or []]
        found += [f"{host}: {text}" for name in UNITS for text in _last(registers, [name]) or []]
    return list(dict.fromkeys(found))


def _last(registers, names):
    return next((registers[name]["health"] for name in names if "health" in registers.get(name, {})), None)


def _of_instance(host, deployment, health):
    if not health:
        return []
    whole = [f"deployment {deployment}: {text}" for text in health["deployment"]]
    return whole + [f"{host}: {text}" for text in health["instance"]]


def _of_sentinel(host, health):
    return [f"deployment {name}: {host}: {text}" for name, texts in (health or {}).items() for text in texts]
