"""The metrics of a walk, as the textfile collector of the node exporter reads them. Pure."""

OF_FAMILY = {
    "keys": ("cistern_cache_family_keys", "Keys of a family."),
    "bytes": ("cistern_cache_family_bytes", "Memory of the keys of a family, with their values."),
    "without_ttl": ("cistern_cache_family_keys_without_ttl", "Keys of a family that never expire."),
    "over_ttl": ("cistern_cache_family_keys_over_ttl", "Keys of a family that live longer than its policy says."),
}


def text(found, policy, now):
    """Return the file: `found` as survey returns it, its databases together; `now` in seconds since the epoch."""
    deployment = policy["deployment"]
    lines = []
    for field, (metric, about) in OF_FAMILY.items():
        lines += [f"# HELP {metric} {about}", f"# TYPE {metric} gauge"]
        for name in policy["families"]:
            value = sum(database["families"][name][field] for database in found["databases"])
            lines.append(f'{metric}{{deployment="{deployment}",family="{name}"}} {value}')
    scan = found["walk"]
    unknown = sum(database["unknown"]["keys"] for database in found["databases"])
    for metric, about, value in (
        ("cistern_cache_unknown_keys", "Keys that belong to no family.", unknown),
        ("cistern_cache_walk_keys", "Keys that the last walk saw.", scan["keys"]),
        ("cistern_cache_walk_seconds", "How long the last walk took.", scan["seconds"]),
        ("cistern_cache_walk_timestamp_seconds", "When the last walk ended.", int(now)),
    ):
        lines += [f"# HELP {metric} {about}", f"# TYPE {metric} gauge"]
        lines.append(f'{metric}{{deployment="{deployment}"}} {value}')
    return "\n".join(lines) + "\n"
