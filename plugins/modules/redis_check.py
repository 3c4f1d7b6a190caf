#!/usr/bin/python
"""What ansible-doc says of the action redis_check, which runs on the controller and has no module."""

DOCUMENTATION = r"""
module: redis_check
short_description: Validate the inventory of all Redis hosts
description:
  - Runs on the controller, before a host is changed. All errors are reported at once.
  - Looks at all hosts of the groups C(redis) and C(redis_sentinel), also where a run is limited to some of them.
author: Cistern (@cistern)
version_added: 0.1.0
options:
  names:
    description:
      - The variable from which a verb takes its deployment, such as V(redis_restart). That has to be one of the
        inventory.
      - What V(redis_remove) names is returned as leaving; the rest is checked and returned as it is without it.
    type: str
    default: ''
  machines:
    description:
      - Whether what the hosts said of themselves counts too.
    type: bool
    default: false
  observed:
    description: The register in which they have said it, the result of M(cistern.core.observe).
    type: str
    default: __redis_observed
  health:
    description: Where a run goes on with nobody, state what is not whole; whether that fails it.
    type: bool
"""
EXAMPLES = r"""
- name: Validate the inventory of Redis
  cistern.core.redis_check:
  register: __redis_check
  run_once: true
"""
RETURN = r"""
deployments:
  description:
    - By name the deployments, each with C(mode), C(nodes), C(sentinels), C(quorum), C(initial_primary) and C(initial),
      the endpoint of that.
  type: dict
  returned: success
sentinels:
  description: "By host of a Sentinel its C(address) and C(port) and the C(deployments) that it watches."
  type: dict
  returned: success
instances: {description: Hosts that are an instance., type: list, elements: str, returned: success}
due:
  description: With O(machines), the C(instances) and C(sentinels) that a run goes on with, and the hosts C(reached).
  type: dict
  returned: success
machines: {description: By host which instance acts for its machine., type: dict, returned: success}
leaving: {description: "The C(instances) and C(sentinels) that a removal takes away.", type: dict, returned: success}
health: {description: What is not whole., type: list, returned: "with O(health), where a run goes on with nobody"}
claims: {description: By host what its machine must have free., type: dict, returned: success}
"""
