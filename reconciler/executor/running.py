"""Whether a job runs on a connection that is about to go: Airbyte kills it and says nothing (PUB §4.5).

Asked of the server before the first write and again right before the deletion; where it can't be told,
nothing goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.backends.protocol import Backend
from reconciler.core.again import Again, command
from reconciler.core.alongside import GOING
from reconciler.core.diagnostics import NotAsReviewed, ReconcilerError
from reconciler.core.jobs import Job
from reconciler.core.model import LiveObject, Workspace
from reconciler.core.planning import Planned, Step
from reconciler.executor.run import Run

_OVERRIDE: Final = "to go on all the same: --allow-running"

NEWEST: Final = 5
"""So many jobs of a connection are looked at: one that runs is the newest, or waits behind it."""


def going(planned: Planned, step: Step) -> tuple[LiveObject, ...]:
    """The live connections that are deleted with a step: itself with what replacements of it left, or those
    that a source or destination takes along because they were named in the consent."""
    if step.live is None or step.change.action not in GOING:
        return ()
    if step.live.kind == "connection":
        return (step.live, *step.along.leftovers)
    gone = ids_going(planned)
    actors = (step.live, *step.along.leftovers)
    users = (user for actor in actors for user in planned.claims.on(actor))
    return tuple(user for user in users if user.id not in gone)


def ids_going(planned: Planned) -> frozenset[str]:
    """Live ids of what has a deletion or replacement of its own, or was left by one that was cut off."""
    steps = planned.steps.values()
    own = (s.live.id for s in steps if s.live is not None and s.change.action in GOING)
    return frozenset((*own, *(left.id for s in steps for left in s.along.leftovers)))


async def running_job(backend: Backend, workspace: Workspace, connection_id: str) -> Job | None:
    """Raises ReconcilerError where it can't be told."""
    found = await backend.jobs(workspace, connection_id, NEWEST)
    return next((job for job in found if not job.ended), None)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a connection should not go now. `known`: a job runs on it; else that can't be told."""

    says: str
    hint: str
    known: bool


async def obstacle(
    backend: Backend, workspace: Workspace, connection: LiveObject, again: Again
) -> Obstacle | None:
    name = connection.spec.name
    unknown = f"whether a job runs on {name!r} can't be told"
    if "jobs" not in backend.capabilities.operations:
        return Obstacle(f"{unknown}: the API in use lists no jobs", "", known=False)
    try:
        job = await running_job(backend, workspace, connection.id)
    except ReconcilerError as error:
        return Obstacle(f"{unknown}: {error.message}", error.hint, known=False)
    if job is None:
        return None
    return Obstacle(
        f"a {job.kind or 'job'} runs on {name!r} (job {job.id}): Airbyte would kill it without a word",
        f"wait for it: {command(again, ('jobs', 'wait', job.id))}; "
        f"or cancel it: {command(again, ('jobs', 'cancel', job.id))}",
        known=True,
    )


def way_out(obstacle: Obstacle) -> str:
    return "; ".join(part for part in (obstacle.hint, _OVERRIDE) if part)


async def refuse_running(run: Run, connections: Iterable[LiveObject]) -> None:
    """Right before they go: a job may have begun since the plan was made."""
    if run.planned.may_interrupt:
        return
    again = run.planned.plan.target.again
    for connection in connections:
        found = await obstacle(run.backend, run.live.workspace, connection, again)
        if found is not None:
            refused = NotAsReviewed if found.known else ReconcilerError
            raise refused(f"it was not deleted: {found.says}", hint=way_out(found))


async def have_run(
    backend: Backend, workspace: Workspace, connections: Iterable[LiveObject]
) -> frozenset[str]:
    """Ids of those with any job at all, or of which nobody can tell."""
    ran = set()
    for connection in connections:
        try:
            told = "jobs" in backend.capabilities.operations
            if not told or await backend.jobs(workspace, connection.id, 1):
                ran.add(connection.id)
        except ReconcilerError:
            ran.add(connection.id)
    return frozenset(ran)
