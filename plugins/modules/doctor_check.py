#!/usr/bin/python
"""What ansible-doc says of the action doctor_check, which runs on the controller and has no module."""

DOCUMENTATION = r"""
module: doctor_check
short_description: Validate the variables of the doctor
description:
  - Runs on the controller, before a host is asked. All errors are reported at once.
  - Looks at the variables C(doctor_*) of all hosts of the play.
author: Cistern (@cistern)
version_added: 0.1.0
options:
  thresholds: {description: "The limits that there are, with their defaults.", type: dict, required: true}
"""
EXAMPLES = r"""
- name: Validate the variables of the doctor
  cistern.core.doctor_check:
    thresholds: "{{ __doctor_thresholds }}"
  run_once: true
"""
RETURN = r"""
{}
"""
