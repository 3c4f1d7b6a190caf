"""What is wanted of an instance, what there is, and what is done about it."""

from __future__ import annotations

import typing

from ansible_collections.cistern.core.plugins.module_utils.host.contract import FoundFile, UnitState, WantedFile
from ansible_collections.cistern.core.plugins.module_utils.redis.contract import Deployment, NodeState, User, View
from ansible_collections.cistern.core.plugins.module_utils.redis.topology import Decision

# Values as CONFIG GET has them. Local users stand among them under "user NAME", with what the server makes of their
# rules.
Settings = dict[str, typing.Any]


class Want(typing.TypedDict):
    unit: str
    conf: WantedFile
    files: list[WantedFile]
    kernel: dict[str, typing.Any]
    addresses: list[str]
    port: int
    password: str
    # directives that a version cannot change while it runs: of each series, and of the one at hand where it is planned
    immutable: typing.Any
    # {other name: name}
    aliases: dict[str, str]
    users: list[User]
    deployment: Deployment
    sentinel_password: str
    phase: str
    restart: bool
    force_restart: bool
    patience: int
    playing: list[str]


class Have(typing.TypedDict):
    files: dict[str, FoundFile | None]
    unit: UnitState
    kernel: dict[str, str]
    container: bool
    # of the installed program, and of the one that runs
    version: str
    running_version: str | None
    # what redis.conf will mean, what the one on disk means, what runs
    wanted: Settings
    on_disk: Settings | None
    running: Settings | None
    keys: int
    databases: list[int]
    # whether there is data on disk
    stored: bool
    passwords: list[str | None]
    descriptors: int
    # what the server says of the last time that it wrote its data
    unsaved: dict[str, str]
    # whom the file makes it a replica of; '' for a primary, None where the file is not ours
    replicaof: str | None
    # its own part in the deployment, and what all of that is
    state: NodeState | None
    seen: View | None
    decision: Decision | None
    no_password: list[str]
    acl_file: str
    acl_default: dict | None
    wrong_default: bool
    risks: list[str]
    # addresses at which it answers without a password
    open: list[str]


class _Do(typing.TypedDict):
    do: str


class Step(_Do, total=False):
    path: str
    unit: str
    name: str
    to: str
    of: str
    # values of settings by name, or one of the kernel or of the deployment
    have: typing.Any
    want: typing.Any
    why: list[str]
    # of a file: the time that it keeps, and lines that are not as they are wanted yet
    modified: float
    replicaof: str
    appendonly: str
    carry: bool
