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
    """`note`: what a reader should know all the same."""

    change: Change
    seconds: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """`unknown`: the write was sent and may or may not have been done; `written`: a part of it was;
    `moved`: live is not what the plan was made from, and nothing was sent; `gone`: what was deleted
    before it failed."""

    change: Change
    message: str
    hint: str = ""
    unknown: bool = False
    written: bool = False
    moved: bool = False
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    change: Change
    reason: str


Event: TypeAlias = Started | Done | Failed | Skipped


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to each change, in the order of the plan; `interrupted`: some were not started or not
    waited for. `bugs`: exceptions that nobody expected, to be raised once this was told. `tags`: names of
    those that were made, or may have been."""

    done: tuple[Done, ...]
    failed: tuple[Failed, ...]
    skipped: tuple[Skipped, ...]
    interrupted: bool = False
    bugs: tuple[Exception, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every change was made."""
        return not self.failed and not self.skipped

    @property
    def wrote(self) -> bool:
        """Whether something was written, or may have been."""
        some = any(failed.unknown or failed.written for failed in self.failed)
        return bool(self.done or self.tags) or some

    @property
    def touched(self) -> tuple[Change, ...]:
        """What was written, or may have been, in whole or in part."""
        doubtful = (f for f in self.failed if f.unknown or f.written)
        return (*(done.change for done in self.done), *(failed.change for failed in doubtful))

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return 130
        if self.whole:
            return 0
        if self.wrote:
            return 4
        return 3 if self.failed and all(failed.moved for failed in self.failed) else 1
