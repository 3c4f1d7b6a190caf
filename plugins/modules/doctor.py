#!/usr/bin/python
"""What ansible-doc says of the action doctor, which runs on the controller and has no module."""

DOCUMENTATION = r"""
module: doctor
short_description: Hold the evidence of all hosts together and tell what is wrong
description:
  - Runs on the controller. The evidence is the register C(__doctor_probed) of each host of the play, which
    M(cistern.core.doctor_probe) has made.
  - Changes nothing, and does not fail over what it finds.
author: Cistern (@cistern)
version_added: 0.1.0
options:
  deployments: {description: Those of M(cistern.core.redis_check)., type: dict, required: true}
  sentinels: {description: Those of M(cistern.core.redis_check)., type: dict, required: true}
  cluster: {description: What M(cistern.core.citus_check) returns; empty without Citus., type: dict, required: true}
  thresholds: {description: The limits by name., type: dict, required: true}
  json:
    description: The file on the controller that the findings are written to. None is written where it is empty.
    type: str
    required: true
"""
EXAMPLES = r"""
- name: Tell what is wrong
  cistern.core.doctor:
    deployments: "{{ __redis_check.deployments }}"
    sentinels: "{{ __redis_check.sentinels }}"
    cluster: {}
    thresholds: "{{ __doctor_thresholds }}"
    json: ''
  run_once: true
"""
RETURN = r"""
counts: {description: "How many findings are C(critical), C(warning) and C(note).", type: dict, returned: success}
summary: {description: The findings in one sentence., type: str, returned: success}
report: {description: The lines of the report., type: list, elements: str, returned: success}
"""
