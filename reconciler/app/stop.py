"""What somebody may ask of a run under way, by Ctrl-C. Knows no signals and no output."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio


@dataclass(slots=True)
class Stop:
    """First to start nothing more, then to wait for nothing. `on_giving_up`: what that is called."""

    on_giving_up: str = "giving up."
    requested: bool = False
    given_up: bool = False
    finishing: bool = True
    scope: anyio.CancelScope | None = field(default=None, repr=False)

    def press(self) -> None:
        """Once to finish what is in flight, where something can be; then to give up."""
        if self.finishing and not self.requested:
            self.requested = True
            return
        self.requested = self.given_up = True
        if self.scope is not None:
            self.scope.cancel()

    @property
    def says(self) -> str:
        """What becomes of it now."""
        return (
            self.on_giving_up if self.given_up else "finishing what is in flight; again: give up."
        )

    @contextmanager
    def abandonable(self, *, finishing: bool) -> Iterator[anyio.CancelScope]:
        """What runs inside can be given up."""
        self.finishing, self.scope = finishing, anyio.CancelScope()
        try:
            yield self.scope
        finally:
            self.scope = None


Interrupts: TypeAlias = Callable[[Stop], AbstractAsyncContextManager[None]]
"""Surrounds what can be interrupted, and presses the Stop."""


@asynccontextmanager
async def never(_stop: Stop) -> AsyncIterator[None]:
    yield
