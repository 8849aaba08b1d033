"""Whether a job runs on a connection that is about to go: Airbyte kills it and says nothing (PUB §4.5).

Asked of the server before the first write and again right before the deletion; where it can't be told,
nothing goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reconciler.backends.protocol import Backend
from reconciler.core.again import command
from reconciler.core.diagnostics import NotAsReviewed, ReconcilerError
from reconciler.core.jobs import Job
from reconciler.core.model import LiveObject, Workspace
from reconciler.core.planning import Planned, Step
from reconciler.executor.run import Run

NEWEST: Final = 5
"""So many jobs of a connection are looked at: one that runs is the newest, or waits behind it."""

GOING: Final = frozenset({"delete", "replace"})


def going(planned: Planned, step: Step) -> tuple[LiveObject, ...]:
    """The live connections that are deleted with a step: itself, or those that a source or destination
    takes along because they were named in the consent."""
    if step.live is None or step.change.action not in GOING:
        return ()
    if step.live.kind == "connection":
        return (step.live,)
    gone = ids_going(planned)
    return tuple(user for user in planned.claims.on(step.live) if user.id not in gone)


def ids_going(planned: Planned) -> frozenset[str]:
    """Live ids of what has a deletion or replacement of its own."""
    steps = planned.steps.values()
    return frozenset(s.live.id for s in steps if s.live is not None and s.change.action in GOING)


async def running_job(backend: Backend, workspace: Workspace, connection_id: str) -> Job | None:
    """Raises ReconcilerError where it can't be told."""
    found = await backend.jobs(workspace, connection_id, NEWEST)
    return next((job for job in found if not job.ended), None)


async def refuse_running(run: Run, connections: Iterable[LiveObject]) -> None:
    """Right before they go: a job may have begun since the plan was made."""
    if run.planned.may_interrupt:
        return
    for connection in connections:
        try:
            job = await running_job(run.backend, run.live.workspace, connection.id)
        except ReconcilerError as error:
            raise ReconcilerError(
                f"whether a job runs on {connection.spec.name!r} can't be told, and nothing was deleted: "
                f"{error.message}",
                hint="apply again; to delete without asking: --allow-running",
            ) from error
        if job is not None:
            wait = command(run.planned.plan.target.again, ("jobs", "wait", job.id))
            raise NotAsReviewed(
                f"a {job.kind or 'job'} runs on {connection.spec.name!r} by now (job {job.id}), and "
                "nothing was deleted",
                hint=f"{wait}, and apply again; to have it killed: --allow-running",
            )
