"""What is not ours stays as it is (design §1, promise 2): byte for byte, through plan, drift and apply, but
for what an accepted deletion lists."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from reconciler import app
from reconciler.core.diagnostics import InvalidInput
from reconciler.core.model import Consent
from reconciler.core.plan import Plan
from reconciler.render import applied, drift, text
from tests.properties.announced import Course, unannounced
from tests.properties.course import APIS, consents_of, started
from tests.properties.features import event
from tests.properties.foreign import Neighbours, Theirs, ambiguous, neighbours, settle_in
from tests.properties.often import LAWS
from tests.properties.pairs import Pair, pairs
from tests.properties.server import Server, serving
from tests.properties.stored import stored
from tests.properties.worlds import World


def _hold(pair: Pair, who: Neighbours, api: str) -> None:
    with serving(pair.before, api) as server:
        world = started(pair, server)
        theirs = settle_in(server, who)
        everything, mark = server.everything(), server.now
        plan = _looked(server, world)
        assert server.everything() == everything, "a plan wrote"
        unclear = ambiguous(world.manifests, theirs, server)
        if unclear:
            event("neighbours: no telling which is ours")
            assert plan is None or _is_ambiguous(plan, unclear), unclear
        if plan is None or plan.errored:
            _refused(server, world)
            assert server.everything() == everything, "a plan with errors was applied"
            return
        _hold_apply(server, world, plan, theirs, mark)


def _looked(server: Server, world: World) -> Plan | None:
    """Planned, and asked for drift, with everything discovered; None where the manifests are refused."""
    try:
        server.plan(world, online=True)
        plan = server.plan(world)
    except InvalidInput:
        return None
    note(text.plan_text(plan, verbose=True))
    drift.drift_text(plan)
    return plan


def _is_ambiguous(plan: Plan, addresses: set[str]) -> bool:
    told = {d.address for d in plan.diagnostics if d.code == "ambiguous-name"}
    return plan.errored and addresses <= told


def _refused(server: Server, world: World) -> None:
    try:
        assert isinstance(server.apply(world), Plan)
    except InvalidInput as refused:
        event(f"refused: {refused.diagnostics[0].code}")


def _hold_apply(server: Server, world: World, plan: Plan, theirs: Theirs, mark: int) -> None:
    before = stored(server)
    consents, named = consents_of(plan, before)
    if named:
        event("neighbours: on what goes")
        _hold_unnamed(server, world, consents, named)
    result = server.apply(world, consents)
    shown = result.plan if isinstance(result, app.Applied) else result
    gone = named if isinstance(result, app.Applied) else frozenset()
    touched = theirs.touched(server, gone)
    assert not touched, "\n".join(touched)
    logged = theirs.logged(server, mark, gone)
    assert not logged, "\n".join(logged)
    surprises = unannounced(
        Course(shown, world, before, stored(server), server.events(mark), named)
    )
    assert not surprises, "\n".join(surprises)
    if isinstance(result, app.Applied):
        event("neighbours: beside an apply")
        told = applied.outcome_text(result.outcome, result.remaining)
        assert result.outcome.exit_code == 0, told


def _hold_unnamed(
    server: Server, world: World, consents: list[Consent], named: frozenset[str]
) -> None:
    """Who accepts all but the connections of other people gets nothing done."""
    everything: dict[str, Any] = server.everything()
    rest = [c for c in consents if c.address is None or c.address.name not in named]
    assert isinstance(server.apply(world, rest), Plan)
    assert server.everything() == everything


@pytest.mark.parametrize("api", APIS)
@given(data=st.data())
@LAWS
def test_what_is_not_ours_stays_as_it_is(api: str, data: st.DataObject) -> None:
    _hold(data.draw(pairs(api)), data.draw(neighbours()), api)
