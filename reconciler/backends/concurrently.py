"""Waiting for several calls at once. Knows nothing of what they do; limits are the transport's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio


async def concurrently(*calls: Callable[[], Awaitable[Any]]) -> tuple[Any, ...]:
    """The results in the order of the calls. The first failure cancels the rest and is raised bare, so
    that a caller sees an ApiError and no group of one."""
    results: list[Any] = [None] * len(calls)

    async def run(index: int, call: Callable[[], Awaitable[Any]]) -> None:
        results[index] = await call()

    try:
        async with anyio.create_task_group() as group:
            for index, call in enumerate(calls):
                group.start_soon(run, index, call)
    except BaseExceptionGroup as failed:
        first = failed.exceptions[0]
        raise first from first.__cause__
    return tuple(results)
