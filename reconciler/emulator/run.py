"""What one run of the emulator remembers beside its store: its requests, the rules in force, writes that
come late, and which tokens are void. All of it ends with the process."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from reconciler.emulator.chaos import Counted, Rule

MAX_REQUESTS: Final = 10_000
"""How many of the latest requests are remembered."""


@dataclass(slots=True)
class Seen:
    """One request to Airbyte's paths. `status` is None while it is under way, and where no answer came."""

    index: int
    method: str
    path: str
    status: int | None = None
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LateWrite:
    """Due before the request of this index, or before the first one at or after this time."""

    due: float
    commit: Callable[[], Awaitable[None]]
    due_at: float = math.inf

    def is_due(self, index: float, now: float) -> bool:
        return self.due <= index or self.due_at <= now


@dataclass(slots=True)
class Run:
    rules: list[Counted] = field(default_factory=list)
    requests: deque[Seen] = field(default_factory=lambda: deque(maxlen=MAX_REQUESTS))
    late: list[LateWrite] = field(default_factory=list)
    token_generation: int = 0
    """Tokens of an earlier one are void."""
    _count: int = 0

    def obey(self, rules: Iterable[Rule]) -> None:
        """These rules instead of those in force; counting starts anew."""
        self.rules = [Counted(rule) for rule in rules]

    def note(self, method: str, path: str) -> Seen:
        self._count += 1
        seen = Seen(self._count, method, path)
        self.requests.append(seen)
        return seen

    async def catch_up(self, index: float = math.inf, now: float = math.inf) -> int:
        """Carries out the late writes that are due before the request of this index at this time."""
        due = [write for write in self.late if write.is_due(index, now)]
        self.late = [write for write in self.late if not write.is_due(index, now)]
        for write in due:
            await write.commit()
        return len(due)
