"""What is wanted of the PostgreSQL of a node, what there is, and what is done about it."""

from __future__ import annotations

import typing

from ansible_collections.cistern.core.plugins.module_utils.host.contract import FoundFile, UnitState, WantedFile


class Certificate(typing.TypedDict):
    # paths
    ca: str
    certificate: str
    key: str
    # the CAs that are trusted, and the one that signs
    ca_content: str
    authority: str
    names: list[str]
    days_left: int
    rotate: bool
    # empty where the CA has not been asked
    certificate_content: str


class Database(typing.TypedDict, total=False):
    name: str
    role: str
    password: str


class Request(typing.TypedDict):
    """As a module is told it."""

    version: str
    cluster: str
    data_dir: str
    port: int
    address: str
    addresses: list[str]
    nodes: int
    clients: int
    layers: list[dict]
    conf: WantedFile
    files: list[WantedFile]
    tls: Certificate
    database: Database
    password: str
    phase: str
    # packages that apt is about to replace
    upgrades: dict[str, dict]
    packages: list[str]
    other_files: list[str]
    claims: dict


class Want(Request):
    """With what this machine makes of it."""

    settings: dict[str, typing.Any]
    restart: bool


class CertificateState(typing.TypedDict):
    trusts: bool
    # why a new one is due, as a part of a sentence
    why: str


class Running(typing.TypedDict):
    # rows of pg_settings
    settings: dict[str, dict]
    version: str
    standby: bool


class _FoundDatabase(typing.TypedDict):
    exists: bool
    owner: str | None
    role: dict | None
    observers: list[str]


class FoundDatabase(_FoundDatabase, total=False):
    extensions: dict[str, dict]
    library: str


class Have(typing.TypedDict):
    facts: dict
    # of the installed server
    version: tuple[int, int] | None
    exists: bool
    files: dict[str, FoundFile | None]
    unit: UnitState
    tls: CertificateState
    free_bytes: int
    # None where the server does not answer
    running: Running | None
    database: FoundDatabase | None
    # what the installed server makes of settings that changed and that it takes at a start alone
    meant: dict[str, str]
    # what runs and what is installed
    versions: dict[str, tuple[str, str]]


class _Do(typing.TypedDict):
    do: str


class Step(_Do, total=False):
    path: str
    why: str | list[str]
