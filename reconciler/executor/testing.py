"""Connection tests in the course of an apply: of what was written, and of what connections are about to use.

Decides nothing about the plan: a failed test takes with it what depends on the actor, as a failed write does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.core.kinds import KINDS
from reconciler.core.model import Connection, Ref
from reconciler.core.plan import Change
from reconciler.core.planning import Step
from reconciler.executor.checks import Verdict, check_all, check_one
from reconciler.executor.run import PARALLEL_SLOW, Run

SUCCEEDED = "its connection test succeeded"


async def try_written(run: Run, step: Step) -> Verdict | None:
    """The test of a source or destination that was just written; None where none is wanted."""
    change = step.change
    object_id = run.ids.get(change.address)
    is_actor = change.action != "delete" and not isinstance(step.spec, Connection)
    if run.testing is None or not is_actor or object_id is None or run.stopping():
        return None
    run.written.add(change.address)
    async with run.slow:
        verdict = await check_one(
            run.backend, change.address.kind, object_id, clean=run.testing, clock=run.clock
        )
    if verdict.succeeded:
        notes = (run.notes.get(change.address, ""), SUCCEEDED)
        run.notes[change.address] = "; ".join(filter(None, notes))
    return verdict


async def try_used(run: Run, changes: Iterable[Change]) -> None:
    """Tests what the connections among `changes` use and this run has not written, each once; `run.unfit`
    holds what is wrong with one."""
    if run.testing is None or run.stopping():
        return
    written = {change.address for change in run.planned.plan.changes}
    used = {
        (kind, object_id)
        for change in changes
        for kind, ref, object_id in ends(run, run.planned.steps[change.address])
        if ref.address not in written and change.action != "delete"
    }
    verdicts = await check_all(
        run.backend,
        sorted(used),
        parallel=min(PARALLEL_SLOW, int(run.slow.total_tokens)),
        clean=run.testing,
        clock=run.clock,
    )
    run.unfit |= {actor: v.reason for actor, v in verdicts.items() if not v.succeeded}


def unfit_end(run: Run, step: Step) -> str:
    """Why a connection's source or destination can't be used, "" where nothing is known against it."""
    for kind, ref, object_id in ends(run, step):
        reason = run.unfit.get((kind, object_id))
        if reason is not None:
            return f"{ref.address or f'{kind} {object_id}'}: {reason}"
    return ""


def ends(run: Run, step: Step) -> Iterator[tuple[str, Ref, str]]:
    """(kind, reference, live id) of what a connection uses, as far as it exists by now."""
    if not isinstance(step.spec, Connection):
        return
    for at, kind in KINDS["connection"].references.items():
        ref: Ref = getattr(step.spec, at)
        object_id = run.ids.get(ref.address) if ref.address is not None else ref.id
        if object_id is not None:
            yield kind, ref, object_id
