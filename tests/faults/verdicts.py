"""What an apply said, and what it left behind, held against what is so. Knows nothing of faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.events import Outcome
from reconciler.core.plan import Change
from tests.faults.shape import Shape


@dataclass(frozen=True)
class Ran:
    """How one apply ended. `problem`: it raised what no apply may raise."""

    exit_code: int
    changes: tuple[Change, ...] = ()
    outcome: Outcome | None = None
    message: str = ""
    problem: str = ""


def unsettled(ran: Ran) -> Iterator[str]:
    """Where the run itself was to find out what became of a request, and to go on. Credentials that are
    refused when they are shown for the first time are its end."""
    if ran.exit_code != 0 and not ran.message.startswith("no access token"):
        yield f"first apply does not get over it, but exits {ran.exit_code}: {ran.message}"


def untruths(ran: Ran, start: Shape, middle: Shape, goal: Shape) -> Iterator[str]:
    """Where what the first apply said is not so."""
    if ran.problem:
        yield f"first apply {ran.problem}"
    if ran.exit_code == 0 and middle.texts != goal.texts:
        yield f"first apply exits 0, but: {difference(middle, goal)}"
    unwritten = ran.exit_code in (1, 3) or ran.outcome is None
    if unwritten and (middle.texts, middle.tags) != (start.texts, start.tags):
        yield f"first apply exits {ran.exit_code}, nothing written, but: {difference(middle, start)}"
    if ran.outcome is None:
        return
    told = [event.change for event in ran.outcome.done]
    told += [event.change for event in (*ran.outcome.failed, *ran.outcome.skipped)]
    if sorted(c.address for c in told) != sorted(c.address for c in ran.changes):
        yield "first apply doesn't tell of each change once"
    for done in ran.outcome.done:
        if not _is_done(done.change, middle, goal):
            yield f"first apply says done, and it is not: {done.change.action} {done.change.address}"
    untouched = [skipped.change for skipped in ran.outcome.skipped]
    untouched += [f.change for f in ran.outcome.failed if not (f.unknown or f.written)]
    for change in untouched:
        if not _is_untouched(change, start, middle):
            yield f"first apply says not written, and it is: {change.action} {change.address}"


def _is_done(change: Change, middle: Shape, goal: Shape) -> bool:
    kind = change.address.kind
    if change.action == "delete":
        return change.live_id not in middle.by_id()
    if change.action == "replace" and change.live_id in middle.by_id():
        return False
    found, wanted = middle.one(kind, change.name), goal.one(kind, change.name)
    if found is None or wanted is None or found.own != wanted.own:
        return False
    return change.action != "update" or found.id == change.live_id


def _is_untouched(change: Change, start: Shape, middle: Shape) -> bool:
    kind = change.address.kind
    if change.action == "create":
        return (kind, change.name) not in middle.objects
    was, found = start.by_id().get(change.live_id), middle.by_id().get(change.live_id)
    return was is not None and found is not None and was.own == found.own


def leftovers(ran: Ran, start: Shape, end: Shape, goal: Shape) -> Iterator[str]:
    """Duplicates, orphans, losses, and what a second apply did not mend."""
    if ran.problem:
        yield f"second apply {ran.problem}"
    if ran.exit_code != 0:
        yield f"second apply exits {ran.exit_code}: {ran.message}"
    if end.texts != goal.texts:
        yield f"after the second apply: {difference(end, goal)}"
    if end.tags != goal.tags:
        yield f"tags are {end.tags}"
    lasting = start.by_id().keys() & goal.by_id().keys()
    lost = sorted(lasting - end.by_id().keys())
    if lost:
        yield f"objects that were to stay are gone: {lost}"
    moved = [c for c in sorted(lasting) if end.positions.get(c) != goal.positions.get(c)]
    if moved:
        yield f"saved positions are not as they should be: {moved}"


def difference(found: Shape, wanted: Shape) -> str:
    extra, missing = found.texts - wanted.texts, wanted.texts - found.texts
    parts = [f"too much: {_listed(extra)}"] if extra else []
    parts += [f"missing: {_listed(missing)}"] if missing else []
    return "; ".join(parts) or "only tags"


def _listed(texts: object) -> str:
    return ", ".join(sorted(f"{kind} {name!r}" for kind, name, _ in texts))  # type: ignore[attr-defined]
