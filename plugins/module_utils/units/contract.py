"""What is wanted of units, what there is, and what is done about it."""

from __future__ import annotations

import typing

from ansible_collections.cistern.core.plugins.module_utils.host.contract import FoundFile, UnitOfAnyKind, WantedFile


class Unit(typing.TypedDict):
    name: str
    files: list[str]
    reloads: list[str]
    ready: str
    absent: bool


class Check(typing.TypedDict):
    command: list[str]
    files: list[str]


class Want(typing.TypedDict):
    files: list[WantedFile]
    users: list[str]
    units: list[Unit]
    sweep: list[str]
    where: str | None
    mark: str | None
    checks: list[Check]
    waits: bool
    packages: list[str]
    claims: dict


class State(UnitOfAnyKind):
    reloaded: float


class Have(typing.TypedDict):
    files: dict[str, FoundFile | None]
    users: list[str]
    units: dict[str, State]
    # paths that are there and that `sweep` means
    swept: list[str]
    # before the first run: where files of somebody else are set aside
    aside: dict[str, str]


class _Do(typing.TypedDict):
    do: str


_For = typing.TypedDict("_For", {"for": str}, total=False)


class Step(_Do, _For, total=False):
    path: str
    to: str
    unit: str
    file: WantedFile
