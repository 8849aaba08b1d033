"""Carries out a plan, level by level, and says what happened as typed events.

Decides nothing about content: what to send was decided in the core. Knows no wire format.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from itertools import groupby
from typing import Final, TypeAlias

import anyio

from reconciler.backends.protocol import Backend
from reconciler.core.again import command
from reconciler.core.diagnostics import NotAsReviewed, OutcomeUnknown, ReconcilerError
from reconciler.core.events import INTERRUPTED, Done, Event, Failed, Outcome, Skipped, Started
from reconciler.core.model import Connection, Live
from reconciler.core.plan import Change
from reconciler.core.planning import Planned, Step
from reconciler.executor.checks import Verdict
from reconciler.executor.journal import Journal, Write
from reconciler.executor.replacing import begin_replacement, finish_replacement
from reconciler.executor.run import PARALLEL, PARALLEL_SLOW, Patience, Run
from reconciler.executor.steps import create, delete, update
from reconciler.executor.testing import try_used, try_written, unfit_end

__all__ = ["PARALLEL", "PARALLEL_SLOW", "Patience", "execute"]

_Action: TypeAlias = Callable[[Run, Step], Awaitable[str]]

_ACTIONS: Final[Mapping[str, _Action]] = {
    "create": create,
    "update": update,
    "replace": begin_replacement,
    "delete": delete,
}
_POSTING: Final = frozenset({"create", "replace"})


async def execute(
    planned: Planned,
    live: Live,
    backend: Backend,
    emit: Callable[[Event], None],
    *,
    parallelism: int = PARALLEL,
    stopping: Callable[[], bool] = lambda: False,
    scope: anyio.CancelScope | None = None,
    patience: Patience = Patience(),  # noqa: B008 - frozen
    clock: Callable[[], float] = anyio.current_time,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    testing: Callable[[str], str] | None = None,
    journal: Journal | None = None,
) -> Outcome:
    """Runs every change of an applyable plan. Once the first write was sent it never raises for what the
    server refuses. `stopping`: start nothing more; cancelling `scope` waits for nothing any more.
    `testing`: sources and destinations that are written or used must pass their connection tests, and
    this takes secrets out of what they say. `journal`: where each write is noted before it is sent."""
    run = Run(
        planned,
        live,
        backend,
        emit,
        stopping,
        clock,
        sleep,
        patience,
        slots=anyio.CapacityLimiter(parallelism),
        slow=anyio.CapacityLimiter(min(parallelism, PARALLEL_SLOW)),
        ids={address: found.id for address, found in planned.claims.live.items()},
        testing=testing,
        journal=journal or Journal(),
    )
    with scope or anyio.CancelScope():
        await _run_levels(run)
    _skip_the_rest(run)
    outcome = _outcome(run)
    run.journal.end(outcome)
    return outcome


async def _run_levels(run: Run) -> None:
    await _look_again(run)
    await _create_tags(run)
    steps = run.planned.steps
    for _, level in groupby(run.planned.plan.changes, key=lambda change: change.level):
        changes = tuple(level)
        await try_used(run, changes)
        async with anyio.create_task_group() as group:
            for change in changes:
                group.start_soon(_run_step, run, steps[change.address])
    for change in run.planned.plan.changes:
        if change.address in run.half_done:
            await _attempt(run, steps[change.address], finish_replacement)


async def _look_again(run: Run) -> None:
    """Before the first POST: a list may have hidden a row from the plan (PUB-T 24), and what somebody
    made since then must not be made twice (PUB-T 26)."""
    if all(change.action not in _POSTING for change in run.planned.plan.changes):
        return
    known = {found.id for found in run.live.objects}
    now = await run.backend.snapshot(run.live.workspace)
    run.appeared = tuple(found for found in now.objects if found.id not in known)
    run.seen = known | {found.id for found in now.objects}


async def _create_tags(run: Run) -> None:
    """A tag that can't be made fails the connections that carry it, and nothing else."""
    for tag in run.planned.plan.new_tags:
        try:
            with run.journal.writing(Write("create", "", "tag", tag)) as result:
                result.object_id = (await run.backend.create_tag(run.live.workspace, tag)).id
            run.made_tags.append(tag)
        except ReconcilerError as error:
            run.missing_tags[tag] = error
            if isinstance(error, OutcomeUnknown):
                run.made_tags.append(tag)


async def _run_step(run: Run, step: Step) -> None:
    change = step.change
    async with run.slots:
        if run.stopping():
            run.say(Skipped(change, INTERRUPTED))
            return
        for needed in change.depends_on:
            if needed in run.broken:
                run.say(Skipped(change, f"{needed} {run.broken[needed]}"))
                return
        unfit = unfit_end(run, step) if change.action != "delete" else ""
        if unfit:
            run.say(Skipped(change, unfit))
            return
        run.say(Started(change))
        run.began[change.address] = run.clock()
        await _attempt(run, step, _ACTIONS[change.action])


async def _attempt(run: Run, step: Step, action: _Action) -> None:
    """One event at the end of an attempt; none after the first half of an actor's replacement."""
    change = step.change
    verdict: Verdict | None = None
    try:
        ignored = await action(run, step)
        if not ignored and action is not finish_replacement:
            verdict = await try_written(run, step)
    except anyio.get_cancelled_exc_class():
        run.given_up = True
        run.say(_failed(run, change, "interrupted while it was under way", _LOOK, unknown=True))
        raise
    except OutcomeUnknown as error:
        run.say(_failed(run, change, error.message, error.hint, unknown=True))
    except ReconcilerError as error:
        moved, written = isinstance(error, NotAsReviewed), change.address in run.written
        run.say(_failed(run, change, error.message, error.hint, written=written, moved=moved))
    except Exception as error:  # noqa: BLE001 - kept, and raised again once the outcome was told
        run.bugs.append(error)
        bug = f"a bug in reconciler ({type(error).__name__})"
        run.say(_failed(run, change, bug, _LOOK, unknown=True))
    else:
        if ignored:
            run.say(_failed(run, change, ignored, written=True))
        elif verdict is not None and not verdict.succeeded:
            test = command(run.planned.plan.target.again, ("check", str(change.address)))
            hint = verdict.hint or f"mend it and apply again; to test it: {test}"
            run.say(_failed(run, change, f"written, but {verdict.reason}", hint, written=True))
            run.broken[change.address] = "failed its connection test"
        elif action is begin_replacement and not isinstance(step.spec, Connection):
            run.half_done.add(change.address)
        else:
            seconds = run.clock() - run.began[change.address]
            run.say(Done(change, seconds, run.notes.get(change.address, "")))


def _failed(run: Run, change: Change, message: str, hint: str = "", **flags: bool) -> Failed:
    return Failed(change, message, hint, **flags, gone=run.gone.get(change.address, ()))


_LOOK: Final = "plan again to see what became of it"


def _skip_the_rest(run: Run) -> None:
    """What an interrupt kept from ending, one event each."""
    ended = {event.change.address for event in run.events}
    for change in run.planned.plan.changes:
        if change.address in ended:
            continue
        run.given_up = True
        if change.address in run.half_done:
            message = "the new one stands, and the old one too"
            run.say(
                _failed(run, change, message, "apply again: it goes on from here", written=True)
            )
        else:
            run.say(Skipped(change, INTERRUPTED))


def _outcome(run: Run) -> Outcome:
    order = {change.address: index for index, change in enumerate(run.planned.plan.changes)}
    events = sorted(run.events, key=lambda event: order[event.change.address])
    return Outcome(
        done=tuple(event for event in events if isinstance(event, Done)),
        failed=tuple(event for event in events if isinstance(event, Failed)),
        skipped=tuple(event for event in events if isinstance(event, Skipped)),
        interrupted=run.given_up
        or any(isinstance(event, Skipped) and event.reason == INTERRUPTED for event in events),
        bugs=tuple(run.bugs),
        tags=tuple(run.made_tags),
    )
