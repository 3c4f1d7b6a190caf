"""How the findings of the doctor are told: to people, and to programs. Pure."""

from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import SEVERITIES, count_text

VERSION = 1


def counts(findings):
    return {severity: sum(each.severity == severity for each in findings) for severity in SEVERITIES}


def summary(findings, evidence):
    """Return one sentence."""
    silent = [host for host, says in evidence.items() if "state" in says]
    asked = f"{count_text(len(evidence), 'host')} asked"
    number = counts(findings)
    parts = [f"{number['critical']} critical", *[count_text(number[each], each) for each in SEVERITIES[1:]]]
    said = ", ".join(parts) if findings else "nothing found"
    return f"{asked}{f', {len(silent)} silent' if silent else ''}: {said}."


def lines(findings, evidence):
    """Return the report, grouped by severity and host."""
    told = [summary(findings, evidence)]
    for severity in SEVERITIES:
        of_severity = [each for each in findings if each.severity == severity]
        told += ["", severity.upper()] if of_severity else []
        for host in dict.fromkeys(each.host for each in of_severity):
            of_host = [each for each in of_severity if each.host == host]
            deployment = next((each.deployment for each in of_host if each.deployment), "")
            told.append(f"  {host}{f' ({deployment})' if deployment else ''}")
            for each in of_host:
                told += _finding(each)
    return told


def _finding(each):
    yield f"    {each.id}: {each.says}"
    for name, value in each.evidence.items():
        if isinstance(value, list):
            yield f"      {name}:"
            yield from (f"        {line}" for line in value)
        else:
            yield f"      {name}: {value}"
    if each.mend:
        yield f"      mend: {each.mend}"


def document(findings, evidence, when):
    """Return what goes into the JSON file."""
    return {
        "version": VERSION,
        "time": when,
        "hosts": {host: says.get("state", "told") for host, says in evidence.items()},
        "counts": counts(findings),
        "findings": [each._asdict() for each in findings],
    }
