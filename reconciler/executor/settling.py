"""Writes whose answer was lost, and what became of them: the server is looked at, never asked twice.

A create is not idempotent: one that may have arrived is not sent again in this run (design §6.6).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from typing import Final, TypeVar

from reconciler.core.diagnostics import ApiError, NotAsReviewed, OutcomeUnknown, ReconcilerError
from reconciler.core.model import Connection, Live, LiveObject, Spec, Update
from reconciler.core.planning import Step
from reconciler.executor.journal import Write
from reconciler.executor.run import Run, ignored

_T = TypeVar("_T")

FOUND_AGAIN: Final = "the answer was lost; what was asked is there"


def pauses(limit: float) -> Iterator[float]:
    """Seconds to wait before each look: the first at once, then growing, `limit` in all."""
    yield 0.0
    pause, left = 0.5, limit
    while left > 0:
        yield min(pause, left)
        left -= pause
        pause = min(pause * 2, 30.0)


async def create(run: Run, step: Step, spec: Spec) -> LiveObject:
    """The new object; also one that a lost answer was about. `spec` as Backend.create wants it.

    Raises NotAsReviewed where such an object appeared since the plan was made (PUB-T 24).
    """
    _refuse_appeared(run, spec)
    kind = type(spec).__name__.lower()
    with run.journal.writing(Write("create", str(step.change.address), kind, spec.name)) as result:
        made = await _created(run, step, spec)
        result.object_id = made.id
    run.seen.add(made.id)
    return made


async def _created(run: Run, step: Step, spec: Spec) -> LiveObject:
    try:
        return await run.backend.create(run.live.workspace, spec)
    except ApiError as error:
        lost = isinstance(error, OutcomeUnknown)
        if not (lost or _is_server_error(error)):
            raise
        slow = isinstance(spec, Connection)
        limit = (run.patience.slow if slow else run.patience.quick) if lost else 0
        found, looked = await _look_until(run, limit, lambda: _listed(run, spec))
        if found is None:
            raise (error if looked else _unknown(error)) from None
        run.notes[step.change.address] = f"{FOUND_AGAIN}: {found.id} ({error.message})"
        return found


async def update(run: Run, step: Step, live: LiveObject, update: Update, asked: Spec) -> LiveObject:
    """The object after the write; also where its answer was lost and it reads as `asked`. Where the
    difference can't be seen (secrets), nobody knows whether it was written."""
    fields = tuple(sorted(update.fields))
    address, name = str(step.change.address), update.spec.name
    with run.journal.writing(Write("update", address, live.kind, name, live.id, fields)):
        return await _updated(run, step, live, update, asked)


async def _updated(
    run: Run, step: Step, live: LiveObject, update: Update, asked: Spec
) -> LiveObject:
    try:
        return await run.backend.update(live, update)
    except ApiError as error:
        lost = isinstance(error, OutcomeUnknown)
        if not (lost or _is_server_error(error)):
            raise
        if not ignored(run, step, asked, live):
            raise _unknown(error) from None

        async def look() -> LiveObject | None:
            now = await run.backend.read(live.kind, live.id)
            return now if now is not None and not ignored(run, step, asked, now) else None

        limit = run.patience.slow if "streams" in update.fields else run.patience.quick
        written, looked = await _look_until(run, limit if lost else 0, look)
        if written is None:
            raise (error if looked else _unknown(error)) from None
    run.notes[step.change.address] = FOUND_AGAIN
    return written


async def delete(run: Run, step: Step, kind: str, object_id: str) -> None:
    """Done also where the answer was lost and the object is gone."""
    address, name = str(step.change.address), step.change.name
    with run.journal.writing(Write("delete", address, kind, name, object_id)):
        await _deleted(run, step, kind, object_id)


async def _deleted(run: Run, step: Step, kind: str, object_id: str) -> None:
    try:
        await run.backend.delete(kind, object_id)
    except ApiError as error:
        lost = isinstance(error, OutcomeUnknown)
        if not (lost or _is_server_error(error)):
            raise

        async def look() -> bool | None:
            return True if await run.backend.read(kind, object_id) is None else None

        gone, looked = await _look_until(run, run.patience.quick if lost else 0, look)
        if not gone:
            raise (error if looked else _unknown(error)) from None
        run.notes[step.change.address] = FOUND_AGAIN


def _refuse_appeared(run: Run, spec: Spec) -> None:
    kind = type(spec).__name__.lower()
    found = [o for o in run.appeared if (o.kind, o.spec.name) == (kind, spec.name)]
    if found:
        ids = ", ".join(sorted(o.id for o in found))
        raise NotAsReviewed(
            f"a {kind} of that name appeared in Airbyte since the plan was made: {ids}",
            hint="plan again",
        )


async def _listed(run: Run, spec: Spec) -> LiveObject | None:
    """The one object that wasn't there before and is what was sent; None for none and for several."""
    now: Live = await run.backend.snapshot(run.live.workspace)
    found = [o for o in now.objects if o.id not in run.seen and _is_sent(o, spec)]
    return found[0] if len(found) == 1 else None


def _is_sent(found: LiveObject, spec: Spec) -> bool:
    there = found.spec
    if type(there) is not type(spec) or there.name != spec.name:
        return False
    if isinstance(there, Connection) and isinstance(spec, Connection):
        ends = (there.source.id, there.destination.id)
        return ends == (spec.source.id, spec.destination.id)
    return getattr(there, "connector", None) == getattr(spec, "connector", None)


def _unknown(error: ApiError) -> OutcomeUnknown:
    """For an answer that settles nothing, where nothing else could settle it."""
    if isinstance(error, OutcomeUnknown):
        return error
    return OutcomeUnknown(
        error.message, hint="plan again to see what became of it", status=error.status
    )


def _is_server_error(error: ApiError) -> bool:
    """Answered by Airbyte itself, which may fail after it has written."""
    return error.status >= HTTPStatus.INTERNAL_SERVER_ERROR


async def _look_until(
    run: Run, limit: float, look: Callable[[], Awaitable[_T | None]]
) -> tuple[_T | None, bool]:
    """What `look` finds within `limit` seconds, and whether the last look saw anything at all; an interrupt
    ends the waiting. A server that can't be read says nothing about the write: it is asked again."""
    began, looked = run.clock(), False
    for pause in pauses(limit):
        await run.sleep(pause)
        try:
            found, looked = await look(), True
        except ReconcilerError:
            found, looked = None, False
        if found is not None:
            return found, True
        if run.stopping() or run.clock() - began > limit:
            break
    return None, looked
