#!/usr/bin/python
"""What ansible-doc says of the action cache_check, which runs on the controller and has no module."""

DOCUMENTATION = r"""
module: cache_check
short_description: Validate what the inventory declares of caches
description:
  - Runs on the controller, before a host is contacted. All errors are reported at once.
  - Looks at all hosts of the group C(redis), also where a run is limited to some of them.
  - A family that is filled from a file needs that file on the controller.
author: Cistern (@cistern)
version_added: 0.1.0
options: {}
"""
EXAMPLES = r"""
- name: Validate the key families of the inventory
  cistern.core.cache_check:
  register: __cache_check
  run_once: true
"""
RETURN = r"""
policies: {description: The policy of each deployment that has one., type: dict, returned: success}
instances:
  description: "By host its C(deployment), C(name), C(addresses) and C(port), and C(at), where the others reach it."
  type: dict
  returned: success
databases: {description: By host the database that its queries go to., type: dict, returned: success}
"""
