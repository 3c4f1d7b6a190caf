"""What the module cache_warm tells an operator. Pure."""


def line(reports):
    """Return how far a filling is, on one line."""
    now = next((report for report in reports if report["state"] == "filling"), None)
    ended = sum(report["state"] not in ("filling", "waiting") for report in reports)
    if not now:
        return f"{ended} of {len(reports)} families done" if reports else "begins"
    counts = f"{now['from'] + now['read']} rows read, {now['written']} keys written, {now['kept']} were there"
    return f"{ended} of {len(reports)} families done; {now['family']}: {counts}"


def planned(job, counts, files):
    """Return what a run would fill, a line a family."""
    return [_planned(job, job["families"][each["family"]], each, files) for each in counts if not each["why"]]


def replaced(job, counts):
    """Whether a run would write keys of a family that are there already."""
    warm = job["families"][counts["family"]]["warm"]
    return warm.get("existing") == "replace" and counts["missing"] < counts["probed"]


def _planned(job, family, counts, files):
    warm = family["warm"]
    if warm.get("sql"):
        database = job["database"]
        source = (
            f"{database['host']} port {database['port']}, database {database['name']}: {' '.join(warm['sql'].split())}"
        )
    else:
        source = files.get(counts["family"], warm["path"])
    rows = f"{'' if counts['certain'] else 'about '}{counts['rows']} rows"
    shortest = family["ttl"] - family["ttl"] * family["jitter"] // 100
    lives = f"{family['ttl']} s" if shortest == family["ttl"] else f"{shortest} to {family['ttl']} s"
    pace = f"at most {job['rate']} a second" if job["rate"] else "without a limit of their rate"
    missing = f"{counts['missing']} of the first {counts['probed']} keys are not there"
    missing += ", the others are replaced" if replaced(job, counts) else ""
    return f"fill {counts['family']} with {rows} ({missing}), which live {lives}, {pace}, from {source}"
