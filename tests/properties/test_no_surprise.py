"""Nothing happens that the plan did not show, with its effect on data (design §1, promise 2): over pairs of
worlds, the second applied over the first, held against what Airbyte stores and logs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from reconciler import app
from reconciler.core.diagnostics import InvalidInput
from reconciler.core.plan import Plan
from reconciler.render import applied, text
from tests.properties.announced import Course, unannounced, unasked
from tests.properties.course import APIS, consents_of, started
from tests.properties.features import event
from tests.properties.often import LAWS
from tests.properties.pairs import GROWN, Pair, pairs
from tests.properties.server import Server, serving
from tests.properties.stored import stored


def _hold(pair: Pair, api: str) -> None:
    with serving(pair.before, api) as server:
        world = started(pair, server)
        before, mark = stored(server), server.now
        untouched = server.everything()
        try:
            plan = server.plan(world)
        except InvalidInput as refused:
            for diagnostic in refused.diagnostics:
                event(f"refused: {diagnostic.code}")
            _hold_untouched(server, untouched)
            return
        note(text.plan_text(plan, verbose=True))
        assert not unasked(plan), "\n".join(unasked(plan))
        consents, named = consents_of(plan, before)
        if consents:
            event("blocked without consent")
            assert isinstance(server.apply(world), Plan)
            _hold_untouched(server, untouched)
        result = server.apply(world, consents)
        shown = result.plan if isinstance(result, app.Applied) else result
        note(text.plan_text(shown, verbose=True))
        after = stored(server)
        course = Course(shown, world, before, after, server.events(mark), named)
        surprises = unannounced(course)
        assert not surprises, "\n".join(surprises)
        if isinstance(result, Plan):
            _count_why(result)
            _hold_untouched(server, untouched)
            return
        _count_effects(shown)
        assert result.outcome.exit_code == 0, applied.outcome_text(result.outcome, result.remaining)
        for found in (server.plan(world), result.remaining):
            assert found is not None
            assert _nothing_but_found_since(found), text.plan_text(found, verbose=True)
            assert not found.errored, text.plan_text(found)


def _nothing_but_found_since(plan: Plan) -> bool:
    """A source that this apply changed could not be asked before: `except` may leave a column there that
    nobody knew of. It is not written with the rest, but shown, and asked for."""
    if plan.changes:
        event("found after the apply: a column")
    return all(
        field.pointer.endswith("/columns") and set(field.after) - set(field.before) <= {GROWN}
        for change in plan.changes
        for field in change.fields
    )


def _hold_untouched(server: Server, before: dict[str, Any]) -> None:
    written = _written(server, before)
    assert not written, written


def _written(server: Server, before: dict[str, Any]) -> list[Any]:
    """Rows that are not as they were."""
    now = server.everything()
    return [row for table in now for row in now[table] if row not in before[table]] + [
        row for table in now for row in before[table] if row not in now[table]
    ]


def _count_effects(plan: Plan) -> None:
    for change in plan.changes:
        event(f"action: {change.action} {change.address.kind}")
        for effect in change.effects:
            event(f"effect: {effect.name} ({effect.rule})")


def _count_why(plan: Plan) -> None:
    if not plan.changes and not plan.errored:
        event("nothing to do")
    for change in plan.changes:
        for refusal in change.refusals:
            event(f"refused: {refusal[:60]}")
        for effect in change.effects:
            if effect.consent == "refused":
                event(f"refused: {effect.name}")
    for diagnostic in plan.diagnostics:
        if diagnostic.severity.value == "error":
            event(f"refused: {diagnostic.code}")


@pytest.mark.parametrize("api", APIS)
@given(data=st.data())
@LAWS
def test_nothing_happens_that_the_plan_did_not_show(api: str, data: st.DataObject) -> None:
    _hold(data.draw(pairs(api)), api)
