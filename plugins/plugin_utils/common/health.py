"""What is not whole at the end of a run, as sentences: of what each host reported of itself in that run. Pure.

A host's `registers` are the results of modules by the name that the roles give them. What was proven after a change
counts, else what was observed before: nothing has changed since.
"""

# Registers, and the part of each that has the health; the last that was made comes first.
INSTANCE = (
    ("__redis_proven", None),
    ("__redis_restarted", None),
    ("__redis_configured", None),
    ("__redis_observed", "instance"),
    ("__observed", "instance"),
)
SENTINEL = (
    ("__redis_sentinel_proven", None),
    ("__redis_sentinel_observed", "sentinel"),
    ("__redis_observed", "sentinel"),
    ("__observed", "sentinel"),
)
CLUSTER = (("__citus_joined", None), ("__citus_observed", "cluster"), ("__observed", "cluster"))
UNITS = (
    (("__cache_installed", None), ("__observed", "cache")),
    (("__monitoring_configured", None), ("__observed", "exporters")),
)


def sentences(hosts):
    """Return the sentences about {host: registers}, each once."""
    found = []
    for host, registers in hosts.items():
        found += _of_instance(host, registers.get("redis_deployment"), _last(registers, INSTANCE))
        found += _of_sentinel(host, _last(registers, SENTINEL))
        found += [f"Citus: {text}" for text in _last(registers, CLUSTER) or []]
        found += [f"{host}: {text}" for sources in UNITS for text in _last(registers, sources) or []]
    return list(dict.fromkeys(found))


def result(found, strict):
    """Return what a task says of these sentences: warnings or, where they are to fail the run, its failure."""
    if not found or not strict:
        return {"health": found, "warnings": found}
    lines = ["Not everything is whole, and health_strict is set.", *[f"- {text}" for text in found]]
    return {"failed": True, "health": found, "msg": "\n".join(lines)}


def _last(registers, sources):
    results = (registers.get(name) or {} for name, _part in sources)
    parts = [result if part is None else result.get(part) or {} for result, (_name, part) in zip(results, sources)]
    return next((part["health"] for part in parts if "health" in part), None)


def _of_instance(host, deployment, health):
    if not health:
        return []
    whole = [f"deployment {deployment}: {text}" for text in health["deployment"]]
    return whole + [f"{host}: {text}" for text in health["instance"]]


def _of_sentinel(host, health):
    return [f"deployment {name}: {host}: {text}" for name, texts in (health or {}).items() for text in texts]
