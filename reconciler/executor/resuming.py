"""Looks first: a create that an earlier run sent, and of which nobody knows, may still be carried out.

What stands when a run looks needs no memory: the plan claims it. What comes later is waited for where the
journal tells of it, for as long as a slow call may take; without the journal, or after that, it is a second
object of the name: the next plan refuses and names both, or it is the inactive, unmanaged half of a
replacement, called so. Decides nothing about content.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.model import Live
from reconciler.core.plan import Plan
from reconciler.executor.journal import Unresolved
from reconciler.executor.settling import pauses


def created_again(
    plan: Plan, live: Live, unresolved: Iterable[Unresolved], *, now: float, limit: float
) -> tuple[Unresolved, ...]:
    """Of the creates of earlier runs those that the plan would repeat, that are not there, and that were
    sent less than `limit` seconds ago; each with the address that it has in the plan."""
    making = [change for change in plan.changes if change.action in ("create", "replace")]
    by_address = {str(change.address): str(change.address) for change in making}
    by_name = {(change.address.kind, change.name): str(change.address) for change in making}
    there = {(found.kind, found.spec.name) for found in live.objects}
    found = []
    for one in unresolved:
        called = (one.kind, one.name)
        address = by_address.get(one.address) or by_name.get(called)
        if address and called not in there and seconds_left(one, now=now, limit=limit) > 0:
            found.append(replace(one, address=address))
    return tuple(found)


def seconds_left(one: Unresolved, *, now: float, limit: float) -> float:
    """Of `limit`, counted from when it was sent. A clock that was set back makes it no longer than that."""
    return min(limit, one.sent + limit - now)


async def look_for(
    missing: Iterable[Unresolved],
    snapshot: Callable[[], Awaitable[Live]],
    *,
    limit: float,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    """Returns once each is there, or so long ago that it can no longer come. A server that can't be read
    is asked again: it says nothing about what it does."""
    missing = tuple(missing)
    longest = max(seconds_left(one, now=now(), limit=limit) for one in missing)
    for pause in pauses(longest):
        await sleep(pause)
        try:
            live = await snapshot()
        except ReconcilerError:
            continue
        there = {(found.kind, found.spec.name) for found in live.objects}
        missing = tuple(
            one
            for one in missing
            if (one.kind, one.name) not in there and seconds_left(one, now=now(), limit=limit) > 0
        )
        if not missing:
            return
