"""The plan of an apply that may follow one that was cut off: what that one sent is looked for first.

Joins the journal, the session and the waiting; decides nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from reconciler.app.project import STATE_FOLDER, Project, Request
from reconciler.app.session import Session, make_session_plan
from reconciler.core.model import Live
from reconciler.core.plan import Plan
from reconciler.core.planning import Planned
from reconciler.executor import Patience
from reconciler.executor.journal import Journal, Unresolved, opened, unresolved
from reconciler.executor.resuming import created_again, look_for, seconds_left


@dataclass(frozen=True, slots=True)
class Memory:
    """What a run knows of the ones before it: where their journal is, and what time it is. `now` is the
    wall's clock; `talk` gets a line where something is waited for."""

    patience: Patience
    now: Callable[[], float] = time.time
    talk: Callable[[str], None] = lambda _line: None


async def plan_after_the_last(
    request: Request, session: Session, memory: Memory
) -> tuple[Planned, Live]:
    """Where the plan would repeat a create of which nobody knows yet, that is waited for until it can no
    longer come (design §6.7), and the plan made anew."""
    planned, live = await make_session_plan(request, session, applying=True)
    if session.project.settings is not None or not planned.plan.applyable:
        # The embedded Airbyte ended with the run: nothing of it is still to come.
        return planned, live
    limit, path = memory.patience.slow, journal_path(request, session.project)
    earlier = unresolved(path, session.workspace.id)
    missing = created_again(planned.plan, live, earlier, now=memory.now(), limit=limit)
    if not missing:
        return planned, live
    for one in missing:
        memory.talk(_told(one, memory, path))
    await look_for(
        missing,
        lambda: session.backend.snapshot(session.workspace),
        limit=limit,
        now=memory.now,
        sleep=anyio.sleep,
    )
    return await make_session_plan(request, session, applying=True)


def _told(one: Unresolved, memory: Memory, path: Path) -> str:
    now, limit = memory.now(), memory.patience.slow
    ago, left = max(0.0, now - one.sent), seconds_left(one, now=now, limit=limit)
    return (
        f"{one.address}: an apply that was cut off sent its create {ago:.0f} s ago, and the server may "
        f"still carry it out: looking for it, {left:.0f} s at most (not to wait: remove {path})"
    )


def journal_path(request: Request, project: Project) -> Path:
    return request.project / STATE_FOLDER / f"{project.target.name}.journal.jsonl"


@contextmanager
def journaled(request: Request, session: Session, plan: Plan, memory: Memory) -> Iterator[Journal]:
    """The journal of one run. Raises ReconcilerError, before anything is sent, where it can't be written."""
    with opened(journal_path(request, session.project)) as append:
        journal = Journal(append, session.workspace.id, memory.now)
        journal.tell(
            "began",
            target=plan.target.name,
            server=session.project.target.url,
            api=plan.target.api,
            workspace=session.workspace.id,
            changes=len(plan.changes),
            desired=plan.digest,
        )
        yield journal
