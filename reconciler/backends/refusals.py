"""What a refusal to write or to run a connection means, where the server's own words don't say it (CFG-T 32).

Knows the words of both APIs and neither's paths; asks the server only what reads. An error is explained in
place: it stays the one that was raised.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Final

from reconciler.core.diagnostics import ApiError
from reconciler.core.jobs import Job, JobKind
from reconciler.core.model import Connection, LiveObject

LOCKED: Final = "Airbyte locked this connection; its page says why"
_MAY_MEAN_MUCH: Final = (HTTPStatus.CONFLICT, HTTPStatus.INTERNAL_SERVER_ERROR)


def explain_write(error: ApiError) -> None:
    """Adds the next step to a refused update."""
    if error.status == HTTPStatus.CONFLICT and "locked" in error.message.lower():
        error.hint = LOCKED


def explain_unread_job(error: ApiError, job_id: str) -> None:
    """Some servers answer 500 and no word where they know no such job (CFG-T 33)."""
    if type(error) is ApiError and error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        why = f"there is no job {job_id}, or it can't be read"
        _explain(error, why, "list the jobs to see which there are")


async def explain_start(
    error: ApiError,
    kind: JobKind,
    connection: Callable[[], Awaitable[LiveObject | None]],
    jobs: Callable[[], Awaitable[Sequence[Job]]],
) -> None:
    """Adds the reason, as far as the connection and its jobs show one: a bare 409 or 500 may be any of
    several, and what the connection shows not to be so is not guessed."""
    if type(error) is not ApiError or error.status not in _MAY_MEAN_MUCH:
        return
    try:
        live = await connection()
        running = [job for job in await jobs() if not job.ended]
    except ApiError:
        return  # the first refusal is the one to tell
    found = _reason(kind, live, running)
    if found is not None:
        _explain(error, *found)


def _explain(error: ApiError, why: str, hint: str) -> None:
    if why:
        error.message = f"{why}: {error.message}"
        error.args = (error.message,)
    error.hint = hint


def _reason(kind: JobKind, live: LiveObject | None, running: list[Job]) -> tuple[str, str] | None:
    """Why, where it is certain, and the next step."""
    if live is None:
        return "there is no such connection (any more)", "look it up in the list of connections"
    if running:
        one = running[0]
        return f"job {one.id} ({one.kind}) is running", "wait for that job, or cancel it"
    status = live.spec.status if isinstance(live.spec, Connection) else None
    if status == "locked":
        return "the connection is locked", LOCKED
    if status == "inactive" and kind != "clear":
        return "the connection is inactive", "set status: active in its manifest and apply first"
    if status == "active":
        return (
            "",
            "the connection is active, and no job runs on it: the server's log has the reason",
        )
    return None
