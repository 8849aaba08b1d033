"""Create, update and delete: each reads again, writes once, and compares the answer with what was asked.

They return "" or what the server ignored, and raise ReconcilerError for what it refused.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.diagnostics import NotAsReviewed
from reconciler.core.drafts import connections_on
from reconciler.core.model import Connection, LiveObject
from reconciler.core.planning import Step
from reconciler.executor import settling
from reconciler.executor.run import (
    Run,
    as_planned,
    checked,
    read_back,
    refuse_missing_tags,
    unmoved,
    with_ids,
)
from reconciler.executor.running import going, have_run, ids_going, refuse_running


async def create(run: Run, step: Step) -> str:
    spec = step.spec
    assert spec is not None  # noqa: S101 - a create has what it creates
    refuse_missing_tags(run, spec)
    if isinstance(spec, Connection):
        spec = with_ids(run, spec)
        async with run.slow:
            spec = await checked(run, spec, spec)
            made = await settling.create(run, step, spec)
    else:
        made = await settling.create(run, step, spec)
    run.ids[step.change.address] = made.id
    return read_back(run, step, spec, made)


async def update(run: Run, step: Step) -> str:
    update = step.update
    assert update is not None  # noqa: S101 - an applyable update has its write
    refuse_missing_tags(run, update.spec)
    current = await unmoved(run, step)
    if "streams" in update.fields and isinstance(update.spec, Connection):
        assert isinstance(current.spec, Connection)  # noqa: S101 - claims never cross kinds
        async with run.slow:
            spec = await checked(run, current.spec, update.spec)
            made = await settling.update(run, step, current, replace(update, spec=spec), spec)
        return read_back(run, step, spec, made)
    assert step.spec is not None  # noqa: S101 - what is updated is to exist
    made = await settling.update(run, step, current, update, step.spec)
    return read_back(run, step, step.spec, made)


async def delete(run: Run, step: Step) -> str:
    current = await unmoved(run, step)
    if not isinstance(current.spec, Connection):
        await refuse_if_used(run, current)
    await refuse_running(run, going(run.planned, step))
    for left in step.along.leftovers:
        await delete_leftover(run, step, left)
    await settling.delete(run, step, current.kind, current.id)
    run.ids.pop(step.change.address, None)
    return ""


async def delete_leftover(run: Run, step: Step, left: LiveObject) -> None:
    """What a replacement that was cut off left, if it is still what the plan showed."""
    current = await as_planned(run, left)
    if not isinstance(current.spec, Connection):
        await refuse_if_used(run, current)
    if left.id in step.along.idle and await have_run(run.backend, run.live.workspace, (current,)):
        raise NotAsReviewed(
            f"{current.spec.name!r} ({current.id}) has run since the plan was made, or may have: what it "
            "saved would go with it",
            hint="plan again",
        )
    await settling.delete(run, step, current.kind, current.id)
    run.written.add(step.change.address)
    run.deleted(step.change.address, current)


async def refuse_if_used(run: Run, actor: LiveObject) -> None:
    """Airbyte deletes every connection on a deleted actor (PUB-T 2), so that the list is read again: only
    those may stand on it that the plan knew and that were to be taken along."""
    known = {user.id for user in connections_on(actor, run.live)}
    gone = ids_going(run.planned)
    now = await run.backend.snapshot(run.live.workspace)
    left = [u for u in connections_on(actor, now) if u.id not in known or u.id in gone]
    if left:
        names = ", ".join(sorted(f"{user.spec.name} ({user.id})" for user in left))
        what = "that were to be gone" if left[0].id in gone else "that the plan did not know"
        raise NotAsReviewed(f"connections {what} use it now: {names}", hint="plan again")
