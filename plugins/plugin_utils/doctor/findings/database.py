"""What is wrong with the database behind the cache: what the .env reaches, and when certificates end. Pure."""

from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import seconds_text

DAY = 86400


def judge(case):
    """Yield findings."""
    for host, _want, state in case.having("app"):
        if state.get("database"):
            yield from _reached(case, host, state["database"])
    for host, _want, state in case.having("citus"):
        now = case.reported(host, "machine")["clock"]["now"]
        for path, certificate in state["certificates"].items():
            yield from _certificate(case, host, path, certificate, now)


def _reached(case, host, database):
    endpoint, evidence = database["endpoint"], {"why": database.get("why")}
    fix = case.play("app_env", limit=host)
    if not database["connects"]:
        if not _stopped(case):
            text = f"The application does not reach the database at {endpoint}."
            yield case.found("env-database-unreachable", host, text, evidence, f"nc -vz {endpoint}")
    elif database["tls"] == "refused":
        text = f"The application does not trust the certificate of the database at {endpoint}."
        yield case.found("env-database-certificate", host, text, evidence, fix)
    elif database["login"] != "accepted":
        text = f"The database at {endpoint} refuses what DATABASE_URL of the .env says."
        yield case.found("env-database-refused", host, text, evidence, fix)
    left = (database.get("ends") or 0) - case.reported(host, "machine")["clock"]["now"]
    # one that has ended is not trusted, which is said above
    if 0 < left < case.limits["certificate_days"] * DAY:
        text = f"The certificate that the database at {endpoint} shows to the application ends soon."
        fix = case.play("citus", "--tags citus_configure")
        yield case.found("env-database-certificate-ends", host, text, {"ends": f"in {seconds_text(left)}"}, fix)


def _stopped(case):
    """Whether the coordinator is known to be down, which is a finding of its own."""
    coordinator = (case.want["cluster"].get("coordinator") or {}).get("host")
    return (case.reported(coordinator, "citus") or {"unit": {"active": "active"}})["unit"]["active"] != "active"


def _certificate(case, host, path, certificate, now):
    # that of the CA is made by the operator, or lasts ten years
    fix = case.play("citus", "--tags citus_configure")
    if certificate["ends"] is None:
        why = "is no certificate" if certificate["exists"] else "is not there"
        yield case.found("certificate-missing", host, f"{path} {why}.", {"file": path}, fix)
        return
    left = certificate["ends"] - now
    if left <= 0:
        evidence = {"ended": f"{seconds_text(-left)} ago"}
        yield case.found("certificate-ended", host, f"The certificate {path} has ended.", evidence, fix)
    elif left < case.limits["certificate_days"] * DAY:
        evidence = {"ends": f"in {seconds_text(left)}"}
        yield case.found("certificate-ends", host, f"The certificate {path} ends soon.", evidence, fix)
