#!/usr/bin/python
"""What ansible-doc says of the action health, which runs on the controller and has no module."""

DOCUMENTATION = r"""
module: health
short_description: State what is not whole at the end of a run
description:
  - Runs on the controller. Takes what the hosts of the play were asked anyway; no host is contacted.
author: Cistern (@cistern)
version_added: 0.1.0
options:
  strict: {description: Whether what is not whole fails the run. It is a warning otherwise., type: bool, default: false}
"""
EXAMPLES = r"""
- name: State what is not whole
  cistern.core.health:
    strict: true
  run_once: true
"""
RETURN = r"""
health: {description: "What is not whole, as sentences.", type: list, elements: str, returned: always}
"""
