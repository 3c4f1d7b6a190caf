"""What is wanted of the Sentinel of a machine, what there is, and what is done about it."""

from __future__ import annotations

import typing

from ansible_collections.cistern.core.plugins.module_utils.host.contract import FoundFile, UnitState, WantedFile
from ansible_collections.cistern.core.plugins.module_utils.redis.contract import Node, User


class Watched(typing.TypedDict):
    """A deployment, as a Sentinel has it."""

    name: str
    mode: str
    quorum: int
    auth_pass: str
    settings: dict[str, typing.Any]
    initial: str
    nodes: list[Node]
    sentinels: list[Node]


class Want(typing.TypedDict):
    unit: str
    # everything but the monitors
    conf: WantedFile
    files: list[WantedFile]
    password: str
    # {option: path or ''}
    hooks: dict[str, str]
    me: str
    deployments: list[Watched]
    users: list[User]
    phase: str
    check: bool
    forget: bool
    playing: list[str]


class Have(typing.TypedDict):
    files: dict[str, FoundFile | None]
    unit: UnitState
    # of its file: the text, whether it is ours, whether it has never run
    text: str | None
    ours: bool
    first: bool
    # of the installed program, and of the one that runs
    version: str
    running_version: str | None
    settings: dict[str, list[str]]
    own: dict[str, str]
    # settings of each monitor
    monitors: dict[str, dict[str, str]]
    # digests that it accepts
    passwords: list[str]
    passwords_on_disk: list[str]
    # of each monitor: {kind: endpoints}, flags of the primary, why there is no quorum, {kind: endpoints out of reach}
    knows: dict[str, dict[str, list[str]]]
    flags: dict[str, list[str]]
    quorum: dict[str, str]
    lost: dict[str, dict[str, list[str]]]
    # {kind: endpoints} that the inventory has
    expected: dict[str, dict[str, set[str]]]
    # where each deployment's primary is, as far as it was asked; which must not be touched, and which nobody knows
    primaries: dict[str, str]
    blocked: dict[str, str]
    unknown: dict[str, str]
    no_password: list[str]
    users: dict[str, str]
    users_running: dict[str, str]
    users_on_disk: bool


class _Reason(typing.TypedDict):
    name: str


class Reason(_Reason, total=False):
    """Why it has to start anew."""

    have: str | None
    want: str


class Monitor(typing.TypedDict):
    name: str
    address: str
    port: str
    quorum: int
    set: dict[str, str]


class _Do(typing.TypedDict):
    do: str
    phase: str


class Step(_Do, total=False):
    path: str
    unit: str
    name: str
    address: str
    port: str
    quorum: int
    set: dict[str, str]
    have: dict[str, str | None]
    want: dict[str, str]
    why: list[Reason]
    endpoints: list[str]
    monitors: list[Monitor]
    modified: float
