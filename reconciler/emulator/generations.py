"""Which server the emulator is: what Airbyte's releases answered differently, as one value each (CFG §0, §8).

Knows nothing of requests; a route or a rule asks the value it was started with.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

ErrorStyle = Literal["stack", "message", "error-id"]
"""A refusal shows its text and the server's stack (0.40), its text alone (up to 1.8), or only an id."""


@dataclass(frozen=True, slots=True)
class Generation:
    """`version` is what `instance_configuration/get` says. `absent` are globs of paths below `/api/v1` that
    this server doesn't know.

    `public_api`: whether `/api/public/v1` is served. `tokens`: client credentials; without them HTTP Basic
    asked for by a proxy. `page_size` of sources and destinations: None lists all at once.
    `tags`, `mappers`: of both APIs; where there are none they are ignored (PUB §11).
    `propagation`: columns and streams may follow the source. `rejects_unknown_fields`: the flag
    `platform.enable-strict-json-deserialization`.
    """

    version: str
    public_api: bool = True
    tokens: bool = True
    page_size: int | None = 20
    error_style: ErrorStyle = "error-id"
    rejects_unknown_fields: bool = False
    tags: bool = True
    mappers: bool = True
    refreshes: bool = True
    overwrite_dedup: bool = True
    propagation: bool = True
    geography: bool = False
    absent: frozenset[str] = frozenset()

    def serves(self, path: str) -> bool:
        return not any(fnmatch.fnmatchcase(path, glob) for glob in self.absent)


_TOKENS: Final = frozenset({"/applications/*"})
_TAGS: Final = frozenset({"/tags/*"})
_REFRESHES: Final = frozenset({"/connections/refresh", "/connections/clear*"})
_LISTING: Final = frozenset({"/workspaces/list"})
_LATE: Final = frozenset({"/*/get_with_metadata", "/connections/update_with_reason"})
_AFTER_OCTAVIA: Final = frozenset(
    {
        "/instance_configuration",
        "/workspaces/list_by_*",
        "/*/partial_update",
        "/*/list_paginated",
        "/*/upgrade_version",
        "/jobs/get_light",
        "/jobs/get_without_logs",
    }
)
"""What the server that octavia-cli was written for didn't have yet (CFG §0)."""

GENERATIONS: Final[Mapping[str, Generation]] = {
    "0.40": Generation(
        "0.40.32",
        public_api=False,
        tokens=False,
        page_size=None,
        error_style="stack",
        tags=False,
        mappers=False,
        refreshes=False,
        overwrite_dedup=False,
        propagation=False,
        geography=True,
        absent=_TOKENS | _TAGS | _REFRESHES | _LATE | _AFTER_OCTAVIA,
    ),
    "0.63": Generation(
        "0.63.0",
        public_api=False,
        tokens=False,
        page_size=None,
        error_style="message",
        tags=False,
        mappers=False,
        overwrite_dedup=False,
        geography=True,
        absent=_TOKENS | _TAGS | _LATE,
    ),
    "1.0": Generation(
        "1.0.0",
        page_size=None,
        error_style="message",
        tags=False,
        mappers=False,
        geography=True,
        absent=_TAGS | _LATE,
    ),
    "1.6": Generation("1.6.0", page_size=None, error_style="message"),
    "1.8": Generation("1.8.0", error_style="message", absent=_LISTING),
    "2.0": Generation("2.0.0", absent=_LISTING),
}
"""By the name that `emulator serve --generation` takes, oldest first."""

NEWEST: Final = GENERATIONS["2.0"]
