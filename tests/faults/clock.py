"""An event loop in which nobody waits: where all would sleep, the time jumps to the first who wakes up.

Polling for ten minutes, backing off and proxies that give up after ninety seconds take no time at all, and
happen in the order in which they would.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio

T = TypeVar("T")

BEGINNING = 1_700_000_000.0
"""Epoch seconds when a Time starts."""


class Time:
    """Goes on over several loops, so that a second run comes after the first."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        """What a clock on the wall says."""
        return BEGINNING + self.passed


class _Impatient(selectors.DefaultSelector):
    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        if not events and timeout is None:
            raise RuntimeError("everybody waits for something that nobody will do")
        if not events and timeout:
            self._time.passed += timeout
        return events


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, time: Time) -> None:
        super().__init__(_Impatient(time))
        self._passing = time

    def time(self) -> float:
        return self._passing.passed


def run(work: Callable[[], Awaitable[T]], time: Time) -> T:
    """For work without threads and sockets: neither would be waited for."""
    return anyio.run(work, backend_options={"loop_factory": lambda: _Loop(time)})
