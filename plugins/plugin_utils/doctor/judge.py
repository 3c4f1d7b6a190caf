"""The judgement of the doctor: every part's findings, the gravest first. Pure."""

from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import SEVERITIES, Case
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings import access as doctor_server
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings import application as doctor_application
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings import database as doctor_database
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings import hosts as doctor_hosts
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings import memory as doctor_memory
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings import performance as doctor_speed
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings import persistence as doctor_persistence
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings import replication as doctor_replication
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings import sentinel as doctor_watch
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.findings import services as doctor_service

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
