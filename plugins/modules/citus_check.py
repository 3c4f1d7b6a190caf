#!/usr/bin/python
"""What ansible-doc says of the action citus_check, which runs on the controller and has no module."""

DOCUMENTATION = r"""
module: citus_check
short_description: Validate the inventory of a Citus cluster
description:
  - Runs on the controller, before a host is changed. All errors are reported at once.
  - Looks at all hosts of the groups C(citus_coordinator) and C(citus).
author: Cistern (@cistern)
version_added: 0.1.0
options:
  names:
    description:
      - The variable in which the verb of a removal is told what leaves, such as V(citus_remove). Those nodes are
        returned as absent.
    type: str
    default: ''
  machines:
    description: Whether what the hosts said of themselves counts too.
    type: bool
    default: false
  observed:
    description: The register in which they have said it, the result of M(cistern.core.observe).
    type: str
    default: __citus_observed
  upgrading:
    description: Whether the version is being changed. That of a host is then not compared with the inventory.
    type: bool
    default: false
"""
EXAMPLES = r"""
- name: Validate the inventory of Citus
  cistern.core.citus_check:
  register: __citus_check
  run_once: true
"""
RETURN = r"""
nodes:
  description: "The nodes, the coordinator first, each with C(host), C(address), C(port), C(state) and C(coordinates)."
  type: list
  elements: dict
  returned: success
coordinator: {description: The first of the nodes., type: dict, returned: success}
database: {description: The database of the application., type: str, returned: success}
role: {description: The role of the application., type: str, returned: success}
claims: {description: By host what its machine must have free., type: dict, returned: success}
"""
