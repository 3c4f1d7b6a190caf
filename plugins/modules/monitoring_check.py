#!/usr/bin/python
"""What ansible-doc says of the action monitoring_check, which runs on the controller and has no module."""

DOCUMENTATION = r"""
module: monitoring_check
short_description: Validate what the inventory declares of monitoring
description:
  - Runs on the controller, before a host is contacted. All errors are reported at once.
  - Looks at all hosts of the groups C(redis), C(redis_sentinel), C(citus) and C(monitoring).
author: Cistern (@cistern)
version_added: 0.1.0
options: {}
"""
EXAMPLES = r"""
- name: Validate the inventory of monitoring
  cistern.core.monitoring_check:
  register: __monitoring_check
  run_once: true
"""
RETURN = r"""
machines: {description: By host what its machine runs., type: dict, returned: success}
claims: {description: By host what its machine must have free., type: dict, returned: success}
targets: {description: "By job its targets, each with C(targets) and C(labels).", type: dict, returned: success}
prometheus_addresses:
  description: Addresses of the hosts that run Prometheus.
  type: list
  elements: str
  returned: success
deployments:
  description: "What alerts have to know of each deployment, such as its number of C(replicas) and C(sentinels)."
  type: list
  elements: dict
  returned: success
instances:
  description: "The Redis instances, each with C(host), C(deployment), C(uri), C(max_clients) and C(snapshots)."
  type: list
  elements: dict
  returned: success
families:
  description: "Key families, each with C(deployment), C(family) and C(ttl)."
  type: list
  elements: dict
  returned: success
"""
