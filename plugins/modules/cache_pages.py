#!/usr/bin/python
"""What ansible-doc says of the action cache_pages, which runs on the controller and has no module."""

DOCUMENTATION = r"""
module: cache_pages
short_description: Put the report of a cache together, print it and write its pages
description:
  - Runs on the controller. Makes one report of what M(cistern.core.cache_report) has told of each host.
  - Writes C(<deployment>.json) and C(<deployment>.html). A check run writes no file.
author: Cistern (@cistern)
version_added: 0.1.0
options:
  policies: {description: The policies of M(cistern.core.cache_check)., type: dict, required: true}
  instances: {description: The instances of M(cistern.core.cache_check)., type: dict, required: true}
  deployment:
    description: The deployment that is meant. It may be empty where one alone has families.
    type: str
    required: true
  told: {description: By host what M(cistern.core.cache_report) has returned., type: dict, required: true}
  template: {description: The template of the page., type: str, required: true}
  dir: {description: The folder of the pages on the controller., type: path, required: true}
"""
EXAMPLES = r"""
- name: Write the report
  cistern.core.cache_pages:
    policies: "{{ __cache_check.policies }}"
    instances: "{{ __cache_check.instances }}"
    deployment: cache
    told: {cache1: "{{ hostvars.cache1.__cache_reported }}"}
    template: cache_report.html.j2
    dir: /srv/reports
  run_once: true
"""
RETURN = r"""
report: {description: The lines of the report., type: list, elements: str, returned: success}
"""
