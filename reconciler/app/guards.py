"""Guards that only the server can answer, asked before the first write. One that can't be answered
refuses."""

from __future__ import annotations

import anyio

from reconciler.app.session import Session
from reconciler.core.again import command
from reconciler.core.diagnostics import Diagnostic, ReconcilerError
from reconciler.core.model import LiveObject
from reconciler.core.planning import Planned, Step
from reconciler.executor.running import going, running_job

_OVERRIDE = "to go on all the same: --allow-running"


async def jobs_in_the_way(
    session: Session, planned: Planned, parallelism: int
) -> tuple[Diagnostic, ...]:
    """One diagnostic for each connection that goes while a job runs on it, or may run."""
    if planned.may_interrupt:
        return ()
    asked = [
        (step, connection)
        for _, step in sorted(planned.steps.items())
        for connection in going(planned, step)
    ]
    found: list[Diagnostic] = []
    slots = anyio.CapacityLimiter(parallelism)

    async def ask(step: Step, connection: LiveObject) -> None:
        async with slots:
            diagnostic = await _running_on(session, step, connection)
        found.extend([diagnostic] if diagnostic else [])

    async with anyio.create_task_group() as group:
        for step, connection in asked:
            group.start_soon(ask, step, connection)
    return tuple(found)


async def _running_on(session: Session, step: Step, connection: LiveObject) -> Diagnostic | None:
    name = connection.spec.name
    if "jobs" not in session.backend.capabilities.operations:
        return _in_the_way(
            step, f"whether a job runs on {name!r} can't be told: the API in use lists no jobs", ""
        )
    try:
        job = await running_job(session.backend, session.workspace, connection.id)
    except ReconcilerError as error:
        message = f"whether a job runs on {name!r} can't be told: {error.message}"
        return _in_the_way(step, message, error.hint)
    if job is None:
        return None
    what = f"a {job.kind or 'job'} runs on {name!r} (job {job.id}): Airbyte would kill it without a word"
    return _in_the_way(
        step,
        what,
        f"wait for it: {command(session.again, ('jobs', 'wait', job.id))}; "
        f"or cancel it: {command(session.again, ('jobs', 'cancel', job.id))}",
    )


def _in_the_way(step: Step, message: str, hint: str) -> Diagnostic:
    return Diagnostic(
        code="job-running",
        message=message,
        hint="; ".join(part for part in (hint, _OVERRIDE) if part),
        span=step.change.span,
        address=str(step.change.address),
    )
