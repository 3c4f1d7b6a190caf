"""What is wanted of a server that leaves its machine, what there is of it, and what is done about it."""

from __future__ import annotations

import typing

from ansible_collections.cistern.core.plugins.module_utils.host.contract import UnitState
from ansible_collections.cistern.core.plugins.module_utils.redis.contract import Deployment
from ansible_collections.cistern.core.plugins.module_utils.redis.topology import Decision


class Want(typing.TypedDict):
    unit: str
    conf: str
    files: list[str]
    data: bool
    data_dir: str
    # as it will be without the instance
    deployment: Deployment
    password: str
    sentinel_password: str


class Have(typing.TypedDict):
    unit: UnitState
    files: list[str]
    data: list[str]
    decision: Decision | None


class Step(typing.TypedDict):
    do: str
    what: str
