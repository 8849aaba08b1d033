"""Replacement in an order whose every interim state can be recognised and finished (design §6.5).

    1  the new actor, under a name that says so            (level of actors)
    2  each connection on it: a new one, inactive, under such a name; the old one deleted; then the new
       one gets its name and status                        (level of connections)
    3  when a fresh list shows nothing on the old actor: it is deleted, the new one gets its name   (last)

With an actor of the same connector that a run left when it was cut off this goes on; what else was left is
deleted, as the plan says: connections before the new one is made, an actor once nothing uses it.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.diagnostics import ApiError, NotAsReviewed
from reconciler.core.drafts import connections_on
from reconciler.core.interim import Interim, interim_name
from reconciler.core.model import Connection, LiveObject, Update
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
from reconciler.executor.running import going, refuse_running
from reconciler.executor.steps import delete_leftover


async def begin_replacement(run: Run, step: Step) -> str:
    """Steps 1 and 2. An actor is not done after it: `finish_replacement` follows the last level."""
    assert step.spec is not None  # noqa: S101 - a replacement has what it makes
    refuse_missing_tags(run, step.spec)
    old = await unmoved(run, step)
    if isinstance(step.spec, Connection):
        return await _replace_connection(run, step, step.spec, old)
    return await _make_actor(run, step, old)


async def _make_actor(run: Run, step: Step, old: LiveObject) -> str:
    assert step.spec is not None  # noqa: S101 - see begin_replacement
    spec = replace(step.spec, name=interim_name(Interim(step.spec.name, old.id)))
    if step.along.resumed is None:
        made = await settling.create(run, step, spec)
    else:
        left = await as_planned(run, step.along.resumed)
        whole = Update(spec, frozenset({"name", "configuration"}), whole=True)
        made = await settling.update(run, step, left, whole, spec)
    run.written.add(step.change.address)
    run.ids[step.change.address] = made.id
    return read_back(run, step, spec, made)


async def _replace_connection(run: Run, step: Step, wanted: Connection, old: LiveObject) -> str:
    address = step.change.address
    await refuse_running(run, going(run.planned, step))
    wanted = with_ids(run, wanted)
    async with run.slow:
        wanted = await checked(run, wanted, wanted)
        for left in step.along.leftovers:
            await delete_leftover(run, step, left)
        interim = Interim(wanted.name, old.id, str(wanted.status or ""))
        asleep = replace(wanted, name=interim_name(interim), status="inactive")
        made = await settling.create(run, step, asleep)
    run.written.add(address)
    ignored = read_back(run, step, asleep, made)
    if ignored:
        return ignored
    await refuse_running(run, (old,))
    await settling.delete(run, step, old.kind, old.id)
    run.deleted(address, old)
    run.ids[address] = made.id
    names = frozenset({"name", "status"}) if wanted.status else frozenset({"name"})
    finished = await settling.update(run, step, made, Update(wanted, names), wanted)
    return read_back(run, step, wanted, finished)


async def finish_replacement(run: Run, step: Step) -> str:
    """Step 3, for an actor whose new object stands."""
    old, address = step.live, step.change.address
    assert old is not None  # noqa: S101 - a replacement has what it replaces
    assert step.spec is not None  # noqa: S101
    now = await run.backend.snapshot(run.live.workspace)
    taken = {user.id for user in step.along.taken}
    users = [
        user
        for actor in (*step.along.leftovers, old)
        for user in connections_on(actor, now)
        if user.id not in taken
    ]
    if users:
        names = ", ".join(sorted(f"{user.spec.name} ({user.id})" for user in users))
        raise ApiError(
            f"the new one stands, the old one ({old.id}) stays: connections still use it: {names}",
            hint="mend what failed and apply again: it goes on from here",
        )
    new = await run.backend.read(old.kind, run.ids[address])
    if new is None:
        raise NotAsReviewed(
            f"the new one ({run.ids[address]}) is gone by now; the old one ({old.id}) stays",
            hint="plan again",
        )
    await refuse_running(run, going(run.planned, step))
    for left in step.along.leftovers:
        await delete_leftover(run, step, left)
    await settling.delete(run, step, old.kind, old.id)
    run.deleted(address, old, *step.along.taken)
    rename = Update(step.spec, frozenset({"name"}))
    renamed = await settling.update(run, step, new, rename, step.spec)
    return read_back(run, step, step.spec, renamed)
