"""Reading the newest jobs of a list, whichever API pages it. Knows neither wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from reconciler.core.jobs import Job

PAGE: Final = 100


async def newest(page: Callable[[int, int], Awaitable[list[Job]]], limit: int) -> tuple[Job, ...]:
    """The first `limit` jobs of a list that is read with (limit, offset), each once: a job that starts
    meanwhile moves all others down."""
    found: dict[str, Job] = {}
    offset = 0
    while len(found) < limit:
        size = min(PAGE, limit)
        rows = await page(size, offset)
        found |= {job.id: job for job in rows if job.id not in found}
        offset += len(rows)
        if len(rows) < size:
            break
    return newest_of(found.values(), limit)


def newest_of(jobs: Iterable[Job], limit: int) -> tuple[Job, ...]:
    """Each once, newest first."""
    distinct = {job.id: job for job in jobs}
    return tuple(sorted(distinct.values(), key=_age, reverse=True)[:limit])


def _age(job: Job) -> tuple[float, int, str]:
    return (job.started or 0.0, int(job.id) if job.id.isdecimal() else 0, job.id)
