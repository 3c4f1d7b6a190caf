"""The judgement of the doctor: every part's findings, the gravest first. Pure."""

from ansible_collections.cistern.core.plugins.plugin_utils import (
    doctor_application,
    doctor_database,
    doctor_hosts,
    doctor_memory,
    doctor_persistence,
    doctor_replication,
    doctor_server,
    doctor_service,
    doctor_speed,
    doctor_watch,
)
from ansible_collections.cistern.core.plugins.plugin_utils.doctor_case import SEVERITIES, Case

PARTS = (
    doctor_hosts,
    doctor_service,
    doctor_server,
    doctor_replication,
    doctor_watch,
    doctor_persistence,
    doctor_memory,
    doctor_speed,
    doctor_application,
    doctor_database,
)


def judge(want, evidence):
    """Return the findings, by severity, then by host in the order of the evidence."""
    case, order = Case(want, evidence), list(evidence)
    found = [finding for part in PARTS for finding in part.judge(case)]
    return sorted(found, key=lambda each: (SEVERITIES.index(each.severity), order.index(each.host)))
