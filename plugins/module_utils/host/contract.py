"""What planners are told of files and units: the shapes that domains share."""

from __future__ import annotations

import typing


class File(typing.TypedDict):
    path: str
    owner: str
    group: str
    mode: str


class WantedFile(File, total=False):
    # a folder has none
    content: str | None
    secret_content: str | None
    absent: bool
    unit: bool
    manager: bool
    unless_container: bool


class FoundFile(typing.TypedDict):
    kind: str
    text: str | None
    owner: str
    group: str
    mode: str
    mtime: float


class _Unit(typing.TypedDict):
    load: str
    active: str
    enabled: str
    # systemd has not read its files yet
    reload: bool


class UnitState(_Unit):
    pid: int
    # in seconds since the epoch, 0 if not running
    started: float
    # the program on disk is another one than the one that runs, as after an upgrade
    replaced: bool


class UnitOfAnyKind(_Unit):
    since: float
