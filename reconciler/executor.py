"""Carries out a plan, level by level, and says what happened as typed events.

Decides nothing about content: what to send was decided in the core. Knows no wire format.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final

import anyio

from reconciler.backends.protocol import Backend
from reconciler.core.catalog import check_catalog, resolve_columns
from reconciler.core.diagnostics import ApiError, OutcomeUnknown, ReconcilerError, Severity
from reconciler.core.drafts import connections_on, ignored_by_server
from reconciler.core.events import INTERRUPTED, Done, Event, Failed, Outcome, Skipped, Started
from reconciler.core.model import Address, Connection, Live, LiveObject, Ref, Spec
from reconciler.core.normalize import naming_for
from reconciler.core.planning import Planned, Step, fingerprint

PARALLEL: Final = 4
PARALLEL_SLOW: Final = 2
"""The public API runs on five threads; slow calls hold one for minutes (PUB-T 39)."""


@dataclass(slots=True)
class Run:
    """The state of one run: live ids of everything that exists so far, and what failed."""

    planned: Planned
    live: Live
    backend: Backend
    emit: Callable[[Event], None]
    stopping: Callable[[], bool]
    clock: Callable[[], float]
    slots: anyio.CapacityLimiter
    slow: anyio.CapacityLimiter
    ids: dict[Address, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    broken: dict[Address, str] = field(default_factory=dict)
    missing_tags: dict[str, ReconcilerError] = field(default_factory=dict)

    def say(self, event: Event) -> None:
        if not isinstance(event, Started):
            self.events.append(event)
        if isinstance(event, Failed):
            self.broken[event.change.address] = "failed"
        if isinstance(event, Skipped):
            self.broken[event.change.address] = "was skipped"
        self.emit(event)


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
    return _outcome(run)


async def _create_tags(run: Run) -> None:
    """A tag that can't be made fails the connections that carry it, and nothing else."""
    for tag in run.planned.plan.new_tags:
        try:
            await run.backend.create_tag(run.live.workspace, tag)
        except ReconcilerError as error:
            run.missing_tags[tag] = error


def _refuse_missing_tags(run: Run, spec: Spec) -> None:
    for tag in spec.tags if isinstance(spec, Connection) and isinstance(spec.tags, tuple) else ():
        if tag in run.missing_tags:
            problem = run.missing_tags[tag]
            raise ApiError(
                f"its tag {tag!r} could not be made: {problem.message}", hint=problem.hint
            )


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
        began = run.clock()
        try:
            problem = await _ACTIONS[change.action](run, step)
        except OutcomeUnknown as error:
            run.say(Failed(change, error.message, error.hint, unknown=True))
        except ReconcilerError as error:
            run.say(Failed(change, error.message, error.hint))
        else:
            if problem:
                run.say(Failed(change, problem, written=True))
            else:
                run.say(Done(change, run.clock() - began))


async def _create(run: Run, step: Step) -> str:
    spec = step.spec
    assert spec is not None  # noqa: S101 - a create has what it creates
    _refuse_missing_tags(run, spec)
    if isinstance(spec, Connection):
        spec = _with_ids(run, spec)
        async with run.slow:
            spec = await _checked(run, spec, spec)
            made = await run.backend.create(run.live.workspace, spec)
    else:
        made = await run.backend.create(run.live.workspace, spec)
    run.ids[step.change.address] = made.id
    return _read_back(run, step, spec, made)


async def _update(run: Run, step: Step) -> str:
    update = step.update
    assert update is not None  # noqa: S101 - an applyable update has its write
    _refuse_missing_tags(run, update.spec)
    current = await _unmoved(run, step)
    if "streams" in update.fields and isinstance(update.spec, Connection):
        assert isinstance(current.spec, Connection)  # noqa: S101 - claims never cross kinds
        async with run.slow:
            spec = await _checked(run, current.spec, update.spec)
            made = await run.backend.update(current, replace(update, spec=spec))
        return _read_back(run, step, spec, made)
    made = await run.backend.update(current, update)
    return _read_back(run, step, step.spec, made)


async def _checked(run: Run, pair: Connection, spec: Connection) -> Connection:
    """Warms the server's discovery, so that the write itself is quick, and checks the streams against it
    (validation stage 6). `pair` holds the live ids. Raises ApiError with every problem."""
    offered = await run.backend.discover(str(pair.source.id), str(pair.destination.id))
    resolved = resolve_columns(spec, offered)
    problems = [f for f in check_catalog(resolved, offered) if f.severity is Severity.ERROR]
    if problems:
        raise ApiError(
            "; ".join(problem.message for problem in problems),
            hint="; ".join(dict.fromkeys(problem.hint for problem in problems if problem.hint)),
        )
    return resolved


async def _delete(run: Run, step: Step) -> str:
    current = await _unmoved(run, step)
    if not isinstance(current.spec, Connection):
        await _refuse_if_used(run, current)
    await run.backend.delete(current.kind, current.id)
    run.ids.pop(step.change.address, None)
    return ""


async def _refuse_if_used(run: Run, actor: LiveObject) -> None:
    """Airbyte deletes every connection on a deleted actor (PUB-T 2), so that the list is read again."""
    known = {user.id for user in connections_on(actor, run.live)}
    now = await run.backend.snapshot(run.live.workspace)
    new = [user for user in connections_on(actor, now) if user.id not in known]
    if new:
        names = ", ".join(sorted(f"{user.spec.name} ({user.id})" for user in new))
        raise ApiError(
            f"connections that the plan did not know use it now: {names}", hint="plan again"
        )


async def _unmoved(run: Run, step: Step) -> LiveObject:
    """The object, read again: what moved since the plan is not overwritten (design §6.2)."""
    assert step.live is not None  # noqa: S101 - updates and deletes have a live object
    current = await run.backend.read(step.live.kind, step.live.id)
    if current is None:
        raise ApiError("it was deleted in Airbyte since the plan was made", hint="plan again")
    if fingerprint(current) != fingerprint(step.live):
        raise ApiError("it was changed in Airbyte since the plan was made", hint="plan again")
    return current


def _with_ids(run: Run, spec: Connection) -> Connection:
    return replace(
        spec, source=_resolved(run, spec.source), destination=_resolved(run, spec.destination)
    )


def _resolved(run: Run, ref: Ref) -> Ref:
    return Ref(id=run.ids[ref.address]) if ref.address is not None else ref


def _read_back(run: Run, step: Step, sent: Spec | None, answer: LiveObject) -> str:
    """What the server ignored of what was asked is an error, not a warning (design §6.8)."""
    claimed: Mapping[tuple[str, str], Address] = {
        (address.kind, object_id): address for address, object_id in run.ids.items()
    }
    ignored = ignored_by_server(step.resource, sent, answer, naming_for(claimed), run.live)
    if not ignored:
        return ""
    listed = ", ".join(ignored)
    return f"written, but Airbyte's answer does not hold what was asked: {listed}"


_ACTIONS: Final = {"create": _create, "update": _update, "delete": _delete}
