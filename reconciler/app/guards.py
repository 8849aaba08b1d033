"""Guards that only the server can answer, asked before the first write. One that can't be answered
refuses."""

from __future__ import annotations

import anyio

from reconciler.app.session import Session
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.model import LiveObject
from reconciler.core.planning import Planned, Step
from reconciler.executor.running import going, obstacle, way_out


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
    found = await obstacle(session.backend, session.workspace, connection, session.again)
    if found is None:
        return None
    return Diagnostic(
        code="job-running",
        message=found.says,
        hint=way_out(found),
        span=step.change.span,
        address=str(step.change.address),
    )
