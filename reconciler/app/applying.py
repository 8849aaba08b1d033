"""apply: the one use case that writes. Plans, asks, executes, reads back and plans again (design §6)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from reconciler.app.guards import jobs_in_the_way
from reconciler.app.lock import locked
from reconciler.app.project import STATE_FOLDER, Request, open_project
from reconciler.app.resuming import Memory, journaled, plan_after_the_last
from reconciler.app.session import Session, make_session_plan, open_session
from reconciler.app.stop import Interrupts, Stop, never
from reconciler.core.diagnostics import ReconcilerError, in_order
from reconciler.core.events import Event, Outcome
from reconciler.core.expect import Comparison, compare
from reconciler.core.jobs import Operation
from reconciler.core.lastlook import StillDiffers, still_differing
from reconciler.core.plan import Plan
from reconciler.core.planning import Planned
from reconciler.core.policy import Expected
from reconciler.core.select import Selection
from reconciler.executor import Patience, execute
from reconciler.transport.answers import safe


@dataclass(frozen=True, slots=True)
class Applied:
    """`remaining`: what a fresh read and plan still finds on what was touched (design §6.8), with its
    diagnostics; None where that was not asked or, with a `note`, could not be. `differing`: the same with
    both canonical forms."""

    plan: Plan
    outcome: Outcome
    remaining: Plan | None = None
    differing: tuple[StillDiffers, ...] = ()
    note: str = ""
    bugs: tuple[Exception, ...] = ()

    @property
    def exit_code(self) -> int:
        if self.outcome.exit_code:
            return self.outcome.exit_code
        left = self.remaining is not None and (self.remaining.changes or self.remaining.errored)
        return 4 if left or self.note else 0


async def apply(
    request: Request,
    *,
    confirm: Callable[[Plan], bool],
    emit: Callable[[Event], None],
    interrupts: Interrupts = never,
    patience: Patience = Patience(),  # noqa: B008 - frozen
    reviewed: Plan | None = None,
    compared: Callable[[Comparison], None] = lambda _comparison: None,
    talk: Callable[[str], None] = lambda _line: None,
    now: Callable[[], float] = time.time,
) -> Applied | Plan:
    """The plan itself where nothing was written: not as `reviewed`, which `compared` is told, empty, not
    applyable, or not confirmed. `interrupts` surrounds the writing and nothing else, and presses `Stop`.
    `talk`: what is waited for before anything is written; `now` is the wall's clock."""
    project = open_project(request)
    project.refuse_errors()
    lock = request.project / STATE_FOLDER / "apply.lock"
    with locked(lock):
        needs: Operation | None = "check" if request.check else None
        async with open_session(request, project, read_only=False, needs=needs) as session:
            memory = Memory(patience, now, talk)
            planned, live = await plan_after_the_last(request, session, memory)
            if reviewed is not None:
                comparison = compare(reviewed, planned.plan, project.desired.resources)
                compared(comparison)
                if not comparison.same:
                    return planned.plan
            planned = await _guarded(request, session, planned)
            if not planned.plan.changes or not planned.plan.applyable or not confirm(planned.plan):
                return planned.plan
            stop = Stop()
            async with interrupts(stop):
                with (
                    stop.abandonable(finishing=True) as scope,
                    journaled(request, session, planned.plan, memory) as journal,
                ):
                    outcome = await execute(
                        planned,
                        live,
                        session.backend,
                        emit,
                        parallelism=request.parallelism,
                        stopping=lambda: stop.requested,
                        scope=scope,
                        patience=patience,
                        testing=partial(safe, redact=project.redactor) if request.check else None,
                        journal=journal,
                    )
                applied = Applied(planned.plan, outcome, bugs=outcome.bugs)
                if stop.given_up or not outcome.wrote:
                    return applied
                return await _read_back(request, session, applied, stop)


async def _guarded(request: Request, session: Session, planned: Planned) -> Planned:
    """With what stands in the way at this moment among its diagnostics, so that all is told at once."""
    found = await jobs_in_the_way(session, planned, request.parallelism)
    diagnostics = in_order([*planned.plan.diagnostics, *found])
    return replace(planned, plan=replace(planned.plan, diagnostics=diagnostics))


async def _read_back(request: Request, session: Session, applied: Applied, stop: Stop) -> Applied:
    """What was written stays written, whatever becomes of the reading: trouble here is a note."""
    interrupted = replace(applied, note="could not be read back: interrupted")
    with stop.abandonable(finishing=False) as scope, scope:
        try:
            return await _look_again(request, session, applied)
        except ReconcilerError as error:
            return replace(applied, note=f"could not be read back: {error.message}")
        except Exception as error:  # noqa: BLE001 - kept, and raised again once the outcome was told
            note = f"could not be read back: a bug in reconciler ({type(error).__name__})"
            return replace(applied, note=note, bugs=(*applied.bugs, error))
    return interrupted


async def _look_again(request: Request, session: Session, applied: Applied) -> Applied:
    """Exactly what was touched, or may have been, whatever was selected to begin with."""
    touched = sorted(str(change.address) for change in applied.outcome.touched)
    calm = replace(
        request,
        # Resent secrets would be sent for ever, and stated numbers were those of the first plan.
        resend=(),
        expected=Expected(),
        since=None,
        online=False,
        selection=Selection(tuple(touched)) if touched else request.selection,
    )
    planned, live = await make_session_plan(calm, session, applying=True)
    left = [change for change in planned.plan.changes if str(change.address) in touched]
    # A guard against writing has no say where nothing is to be written.
    told = [d for d in planned.plan.diagnostics if not d.code.startswith("limit-")]
    plan = replace(planned.plan, changes=tuple(left), diagnostics=tuple(told))
    differing = still_differing(replace(planned, plan=plan), live)
    return replace(applied, remaining=plan, differing=differing)
