"""Tests the connections of sources and destinations: a few at a time, since each runs a connector.

Knows neither plans nor addresses; what a failed test means is decided by who asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import anyio

from reconciler.backends.protocol import Backend
from reconciler.core.diagnostics import ReconcilerError


@dataclass(frozen=True, slots=True)
class Verdict:
    """`failed`: the connector said no; `untested`: nobody could say. `message` is foreign text."""

    standing: Literal["succeeded", "failed", "untested"]
    message: str = ""
    hint: str = ""
    seconds: float = 0.0

    @property
    def succeeded(self) -> bool:
        return self.standing == "succeeded"

    @property
    def reason(self) -> str:
        """Why it is not good, as the end of a sentence about the actor."""
        if self.standing == "untested":
            return f"its connection could not be tested: {self.message}"
        said = f": {self.message}" if self.message else ""
        return f"its connection test failed{said}"


async def check_one(
    backend: Backend,
    kind: str,
    object_id: str,
    *,
    clean: Callable[[str], str] = str,
    clock: Callable[[], float] = time.monotonic,
) -> Verdict:
    """Never raises what the server refuses. `clean` takes secrets out of what the connector says."""
    began = clock()
    try:
        check = await backend.check(kind, object_id)
    except ReconcilerError as error:
        return Verdict("untested", error.message, error.hint, clock() - began)
    standing: Literal["succeeded", "failed"] = "succeeded" if check.succeeded else "failed"
    return Verdict(standing, clean(check.message), seconds=clock() - began)


async def check_all(
    backend: Backend,
    actors: Iterable[tuple[str, str]],
    *,
    parallel: int,
    emit: Callable[[tuple[str, str], Verdict], None] = lambda _actor, _verdict: None,
    clean: Callable[[str], str] = str,
    clock: Callable[[], float] = time.monotonic,
) -> Mapping[tuple[str, str], Verdict]:
    """(kind, id) → how it went, at most `parallel` at a time; each is also emitted as it comes."""
    slots = anyio.CapacityLimiter(parallel)
    found: dict[tuple[str, str], Verdict] = {}

    async def one(actor: tuple[str, str]) -> None:
        async with slots:
            found[actor] = await check_one(backend, *actor, clean=clean, clock=clock)
        emit(actor, found[actor])

    async with anyio.create_task_group() as group:
        for actor in dict.fromkeys(actors):
            group.start_soon(one, actor)
    return found
