"""Running a connection and testing an actor: the words that both APIs share.

Knows nothing of waiting, clocks or either wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

JobKind: TypeAlias = Literal["sync", "refresh", "clear"]
"""`clear` is also what the APIs call `reset` and `reset_connection`."""

Operation: TypeAlias = Literal[
    "check", "discover", "sync", "refresh", "clear", "clear-streams", "cancel", "jobs"
]
"""What a capability names; `clear-streams` is to clear some streams and not the others."""

RefreshMode: TypeAlias = Literal["merge", "truncate"]
"""Whether the rows of earlier syncs stay in the table until the refresh replaced them, or go at its end."""

ENDED: Final = frozenset({"succeeded", "failed", "cancelled"})
"""Statuses that no job leaves. All others (pending, queued, running, incomplete, unknown ones) may change."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job as the server told it. `kind` may be a word this version doesn't know, and `status` too.

    `started` and `updated` are epoch seconds; `rows`, `size` (bytes) are None where the API does not say;
    `failure` is the server's own text.
    """

    id: str
    connection_id: str
    kind: str
    status: str
    started: float | None = None
    updated: float | None = None
    rows: int | None = None
    size: int | None = None
    failure: str = ""

    @property
    def ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class Check:
    """A connection test. `message` is the connector's own text, often empty on success (CFG §3)."""

    succeeded: bool
    message: str = ""
