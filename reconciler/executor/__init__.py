"""Carries out a plan, level by level, and says what happened as typed events.

Decides nothing about content: what to send was decided in the core. Knows no wire format.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import groupby
from typing import Final, TypeAlias

import anyio

from reconciler.backends.protocol import Backend
from reconciler.core.diagnostics import OutcomeUnknown, ReconcilerError
from reconciler.core.events import INTERRUPTED, Done, Event, Failed, Outcome, Skipped, Started
from reconciler.core.model import Connection, Live
from reconciler.core.planning import Planned, Step
from reconciler.executor.replacing import begin_replacement, finish_replacement
from reconciler.executor.run import PARALLEL, PARALLEL_SLOW, Run
from reconciler.executor.steps import create, delete, update

__all__ = ["PARALLEL", "PARALLEL_SLOW", "execute"]

_Action: TypeAlias = Callable[[Run, Step], Awaitable[str]]

_ACTIONS: Final[Mapping[str, _Action]] = {
    "create": create,
    "update": update,
    "replace": begin_replacement,
    "delete": delete,
}


async def execute(
    planned: Planned,
    live: Live,
    backend: Backend,
    emit: Callable[[Event], None],
    *,
    parallelism: int = PARALLEL,
    stopping: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Runs every change of an applyable plan. Never raises for what the server refuses."""
    run = Run(
        planned,
        live,
        backend,
        emit,
        stopping,
        clock,
        slots=anyio.CapacityLimiter(parallelism),
        slow=anyio.CapacityLimiter(min(parallelism, PARALLEL_SLOW)),
        ids={address: found.id for address, found in planned.claims.live.items()},
    )
    await _create_tags(run)
    for _, changes in groupby(planned.plan.changes, key=lambda change: change.level):
        async with anyio.create_task_group() as group:
            for change in changes:
                group.start_soon(_run_step, run, planned.steps[change.address])
    for change in planned.plan.changes:
        if change.address in run.half_done:
            await _attempt(run, planned.steps[change.address], finish_replacement)
    return _outcome(run)


async def _create_tags(run: Run) -> None:
    """A tag that can't be made fails the connections that carry it, and nothing else."""
    for tag in run.planned.plan.new_tags:
        try:
            await run.backend.create_tag(run.live.workspace, tag)
        except ReconcilerError as error:
            run.missing_tags[tag] = error


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
        run.say(Started(change))
        run.began[change.address] = run.clock()
        await _attempt(run, step, _ACTIONS[change.action])


async def _attempt(run: Run, step: Step, action: _Action) -> None:
    """One event at the end of an attempt; none after the first half of an actor's replacement."""
    change = step.change
    try:
        ignored = await action(run, step)
    except OutcomeUnknown as error:
        run.say(Failed(change, error.message, error.hint, unknown=True))
        return
    except ReconcilerError as error:
        written = change.address in run.written
        run.say(Failed(change, error.message, error.hint, written=written))
        return
    if ignored:
        run.say(Failed(change, ignored, written=True))
    elif action is begin_replacement and not isinstance(step.spec, Connection):
        run.half_done.add(change.address)
    else:
        run.say(Done(change, run.clock() - run.began[change.address]))


def _outcome(run: Run) -> Outcome:
    order = {change.address: index for index, change in enumerate(run.planned.plan.changes)}
    events = sorted(run.events, key=lambda event: order[event.change.address])
    return Outcome(
        done=tuple(event for event in events if isinstance(event, Done)),
        failed=tuple(event for event in events if isinstance(event, Failed)),
        skipped=tuple(event for event in events if isinstance(event, Skipped)),
        interrupted=any(
            isinstance(event, Skipped) and event.reason == INTERRUPTED for event in events
        ),
    )
