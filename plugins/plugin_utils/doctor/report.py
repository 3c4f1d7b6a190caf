"""How the findings of the doctor are reported: to people, and to programs. Pure."""

from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import SEVERITIES, count_text

VERSION = 1
# What the JSON file calls a field otherwise.
NAMES = {"message": "says", "fix": "mend"}


def counts(findings):
    return {severity: sum(each.severity == severity for each in findings) for severity in SEVERITIES}


def summary(findings, evidence):
    """Return one sentence."""
    silent = [host for host, state in evidence.items() if "state" in state]
    hosts = f"{count_text(len(evidence), 'host')} asked"
    number = counts(findings)
    parts = [f"{number['critical']} critical", *[count_text(number[each], each) for each in SEVERITIES[1:]]]
    total = ", ".join(parts) if findings else "nothing found"
    return f"{hosts}{f', {len(silent)} silent' if silent else ''}: {total}."


def lines(findings, evidence):
    """Return the report, grouped by severity and host."""
    found = [summary(findings, evidence)]
    for severity in SEVERITIES:
        of_severity = [each for each in findings if each.severity == severity]
        found += ["", severity.upper()] if of_severity else []
        for host in dict.fromkeys(each.host for each in of_severity):
            of_host = [each for each in of_severity if each.host == host]
            deployment = next((each.deployment for each in of_host if each.deployment), "")
            found.append(f"  {host}{f' ({deployment})' if deployment else ''}")
            for each in of_host:
                found += _finding(each)
    return found


def _finding(each):
    yield f"    {each.id}: {each.message}"
    for name, value in each.evidence.items():
        if isinstance(value, list):
            yield f"      {name}:"
            yield from (f"        {line}" for line in value)
        else:
            yield f"      {name}: {value}"
    if each.fix:
        yield f"      mend: {each.fix}"


def document(findings, evidence, when):
    """Return what goes into the JSON file."""
    return {
        "version": VERSION,
        "time": when,
        "hosts": {host: state.get("state", "told") for host, state in evidence.items()},
        "counts": counts(findings),
        "findings": [_entry(each) for each in findings],
    }


def _entry(each):
    """Return a finding under the names that programs read."""
    return {NAMES.get(name, name): value for name, value in each._asdict().items()}
