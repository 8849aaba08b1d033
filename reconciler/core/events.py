"""What happens during an apply, as values: the executor's only output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from reconciler.core.plan import Change

INTERRUPTED: Final = "interrupted before it was started"


@dataclass(frozen=True, slots=True)
class Started:
    change: Change


@dataclass(frozen=True, slots=True)
class Done:
    change: Change
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """`unknown`: the write was sent and may or may not have been done."""

    change: Change
    message: str
    hint: str = ""
    unknown: bool = False
    written: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    change: Change
    reason: str


Event: TypeAlias = Started | Done | Failed | Skipped


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to each change, in the order of the plan; `interrupted`: some were not started."""

    done: tuple[Done, ...]
    failed: tuple[Failed, ...]
    skipped: tuple[Skipped, ...]
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return 130
        if not self.failed and not self.skipped:
            return 0
        wrote = bool(self.done) or any(
            failure.unknown or failure.written for failure in self.failed
        )
        return 4 if wrote else 1
