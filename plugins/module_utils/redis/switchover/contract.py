"""What is wanted of a switchover, what its servers are, and what is done about it."""

from __future__ import annotations

import typing

from ansible_collections.cistern.core.plugins.module_utils.redis.contract import Deployment, View


class Want(typing.TypedDict):
    deployment: Deployment
    # the endpoint that shall be primary, None for the best
    target: str | None


class Have(View):
    primary: str | None
    settled: bool
    why: str


class _Do(typing.TypedDict):
    do: str


# at which Sentinel, and for which replica a moment is waited for; for whom a rival steps back
_By = typing.TypedDict("_By", {"by": str, "for": typing.Optional[str]}, total=False)


class Step(_Do, _By, total=False):
    endpoint: str
    of: str | None
    to: int
    setting: str
    priorities: dict[str, int]
    moment: _By | None
    # of these replicas
    among: list[str]
