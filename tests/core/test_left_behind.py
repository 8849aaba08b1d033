"""What a replacement that was cut off left beside the old object: gone on with, deleted with consent, or
told (design §6.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.diagnostics import Diagnostic
from reconciler.core.interim import Interim, interim_name
from reconciler.core.model import LiveObject
from reconciler.core.plan import Change, Plan
from reconciler.core.policy import parse_consent
from tests.core.build import (
    ACTORS,
    CONNECTION_ID,
    LAKE,
    MYSQL,
    POSTGRES,
    SOURCE_ID,
    WORLD,
    absent,
    connection,
    destination,
    live_connection,
    live_source,
    live_stream,
    plan_of,
    planned,
    source,
)

LEFT = "eeeeeeee-0000-4000-8000-000000000001"
OTHER = "eeeeeeee-0000-4000-8000-000000000002"
SECOND = "bbbbbbbb-0000-4000-8000-000000000002"


def left_source(connector: str = MYSQL.id, object_id: str = LEFT) -> LiveObject:
    name = interim_name(Interim("shop", SOURCE_ID))
    return live_source(name=name, object_id=object_id, connector=connector)


def left_connection(status: str = "inactive", **fields: Any) -> LiveObject:
    name = interim_name(Interim("shop-to-lake", CONNECTION_ID, "active"))
    fields = {"object_id": LEFT, **fields}
    return live_connection(live_stream(), name=name, status=status, **fields)


def change_of(plan: Plan, address: str) -> Change:
    return next(change for change in plan.changes if str(change.address) == address)


def said(change: Change, rule: str) -> list[str]:
    return [text for effect in change.effects if effect.rule == rule for text in effect.says]


def warnings(plan: Plan) -> list[Diagnostic]:
    return [found for found in plan.diagnostics if found.code == "left-behind"]


def unmanaged(plan: Plan) -> set[str]:
    return {found.id for found in plan.not_covered.unmanaged}


# --- sources and destinations ------------------------------------------------------------------------


def test_one_of_the_connector_that_is_asked_for_is_gone_on_with_and_told() -> None:
    found = planned([source(connector="mysql")], [live_source(), left_source()])
    (change,) = found.plan.changes
    step = found.steps[change.address]
    assert (step.along.resumed, step.along.leftovers) == (left_source(), ())
    assert f"goes on with {LEFT}, which a run that was cut off made" in said(change, "immutable")
    assert [effect.name for effect in change.effects] == ["replace"]
    assert (unmanaged(found.plan), warnings(found.plan)) == (set(), [])


def other_connector(*flags: str) -> Plan:
    live = [live_source(), left_source(POSTGRES.id)]
    return plan_of([source(connector="mysql")], live, allow=map(parse_consent, flags))


def test_one_of_another_connector_is_deleted_and_never_gone_on_with() -> None:
    found = planned([source(connector="mysql")], [live_source(), left_source(POSTGRES.id)])
    (step,) = found.steps.values()
    assert step.along.resumed is None
    assert [each.id for each in step.along.leftovers] == [LEFT]
    (text,) = said(step.change, "left-behind")
    assert LEFT in text
    assert unmanaged(found.plan) == set()


def test_that_deletion_is_shown_counted_and_needs_consent() -> None:
    plan = other_connector("replace")
    (change,) = plan.changes
    assert [effect.name for effect in change.effects if effect.blocks] == ["delete"]
    assert (plan.count("replace"), plan.count("delete")) == (1, 1)
    assert other_connector("replace,delete=source/shop").applyable


def test_of_two_the_one_with_connections_on_it_is_gone_on_with() -> None:
    moved = live_connection(live_stream(), source=OTHER)
    live = [*WORLD, left_source(), left_source(object_id=OTHER), moved]
    found = planned([source(connector="mysql"), destination(), connection()], live)
    (step,) = [s for s in found.steps.values() if s.change.address.kind == "source"]
    assert step.along.resumed is not None
    assert step.along.resumed.id == OTHER
    assert [each.id for each in step.along.leftovers] == [LEFT]


def test_connections_on_one_of_another_connector_are_moved_off_it() -> None:
    moved = live_connection(live_stream(), source=LEFT)
    live = [*WORLD, left_source(POSTGRES.id), moved]
    plan = plan_of([source(connector="mysql"), destination(), connection()], live)
    assert [(str(c.address), c.action) for c in plan.changes] == [
        ("source/shop", "replace"),
        ("connection/shop-to-lake", "replace"),
    ]
    assert all(change.refusals == () for change in plan.changes)


def test_connections_of_others_on_it_keep_it() -> None:
    theirs = live_connection(live_stream(), name="By hand", source=LEFT)
    live = [*WORLD, left_source(POSTGRES.id), theirs]
    plan = plan_of([source(connector="mysql")], live)
    (refusal,) = change_of(plan, "source/shop").refusals
    assert f"By hand ({CONNECTION_ID})" in refusal


def test_what_nothing_goes_on_with_is_unmanaged_and_a_warning() -> None:
    plan = plan_of([source()], [live_source(), left_source()])
    assert plan.changes == ()
    assert unmanaged(plan) == {LEFT}
    (warning,) = warnings(plan)
    assert LEFT in warning.message
    assert "source/shop" in warning.message
    assert f"metadata.ids: {{production: {LEFT}}}" in warning.hint
    assert plan.applyable


def test_a_connection_on_it_is_not_where_git_says() -> None:
    """It was moved before git changed its mind: to call that "no changes" would be false."""
    moved = live_connection(live_stream(), source=LEFT)
    plan = plan_of([*ACTORS(), connection()], [*WORLD, left_source(), moved])
    change = change_of(plan, "connection/shop-to-lake")
    assert (change.action, change.reason) == ("replace", "source can't be changed in place")


def test_nobody_is_told_to_delete_it_by_hand_while_connections_stand_on_it() -> None:
    """Airbyte deletes them with it (PUB-T 2); a manifest moves them first."""
    moved = live_connection(live_stream(), source=LEFT)
    (warning,) = warnings(plan_of([*ACTORS(), connection()], [*WORLD, left_source(), moved]))
    assert f"'shop-to-lake' ({CONNECTION_ID})" in warning.message
    assert "nothing goes on" not in warning.message
    assert "in Airbyte, or" not in warning.hint
    assert f"metadata.ids: {{production: {LEFT}}}" in warning.hint


def test_it_is_deleted_by_a_manifest_that_says_so() -> None:
    gone = absent("source", "half", metadata={"ids": {"production": LEFT}})
    plan = plan_of([source(), gone], [live_source(), left_source()])
    assert [(c.action, c.live_id) for c in plan.changes] == [("delete", LEFT)]
    assert (warnings(plan), plan.applyable) == ([], True)


def test_one_that_a_manifest_means_is_not_taken_for_another() -> None:
    mine = source("half", connector="mysql", metadata={"ids": {"production": LEFT}})
    found = planned([source(connector="mysql"), mine], [live_source(), left_source()])
    (step,) = [s for s in found.steps.values() if s.resource.name == "shop"]
    assert (step.along.resumed, step.along.leftovers) == (None, ())


def test_what_came_after_the_replacement_was_done_is_told_too() -> None:
    late = left_source(connector=MYSQL.id)
    now = live_source(object_id=OTHER, connector=MYSQL.id)
    plan = plan_of([source(connector="mysql")], [now, late])
    assert plan.changes == ()
    assert [LEFT in found.message for found in warnings(plan)] == [True]


def test_what_other_people_are_in_the_middle_of_is_theirs() -> None:
    theirs = live_source(name="theirs", object_id=OTHER)
    half = replace(left_source(), spec=replace(left_source().spec, name=f"theirs ({OTHER})"))
    assert warnings(plan_of([source()], [live_source(), theirs, half])) == []
    name = interim_name(Interim("theirs", OTHER))
    half = live_source(name=name, object_id=LEFT)
    plan = plan_of([source()], [live_source(), theirs, half])
    assert (warnings(plan), unmanaged(plan)) == ([], {OTHER, LEFT})


def test_it_goes_with_what_it_was_to_replace() -> None:
    plan = plan_of([absent("source", "shop")], [live_source(), left_source()])
    (change,) = plan.changes
    (effect,) = [effect for effect in change.effects if effect.rule == "left-behind"]
    assert (effect.name, effect.accepted, plan.count("delete")) == ("delete", "state: absent", 2)


# --- connections -------------------------------------------------------------------------------------


def moving(live: LiveObject, **more: Any) -> Plan:
    """The connection goes to another destination."""
    other = replace(WORLD[1], id=SECOND, spec=replace(WORLD[1].spec, name="second"))
    second = destination("second")
    flow = connection(
        destination="second", streams=[{"name": "orders", "syncMode": "full_refresh_append"}]
    )
    objects = [*WORLD, other, live_connection(live_stream()), live]
    return plan_of([*ACTORS(), second, flow], objects, **more)


def flow_of(plan: Plan) -> Change:
    return change_of(plan, "connection/shop-to-lake")


def test_one_that_never_ran_is_deleted_without_a_question_and_shown() -> None:
    plan = moving(left_connection())
    change = flow_of(plan)
    assert said(change, "left-behind") == []
    assert any(LEFT in text for text in said(change, "immutable"))
    assert plan.count("delete") == 0
    assert unmanaged(plan) == set()


@pytest.mark.parametrize(
    ("status", "ran"), [("active", frozenset()), ("inactive", frozenset({LEFT}))]
)
def test_one_that_was_switched_on_or_ran_needs_consent(status: str, ran: frozenset[str]) -> None:
    plan = moving(left_connection(status), ran=ran)
    change = flow_of(plan)
    (text,) = said(change, "left-behind")
    assert LEFT in text
    assert "the saved positions of 1 stream" in text
    assert "delete" in {effect.name for effect in change.effects if effect.blocks}
    assert plan.count("delete") == 1


def test_one_that_nothing_goes_on_with_is_unmanaged_and_a_warning() -> None:
    plan = plan_of(
        [*ACTORS(), connection()],
        [*WORLD, live_connection(live_stream()), left_connection("active")],
    )
    assert (plan.changes, unmanaged(plan)) == ((), {LEFT})
    (warning,) = warnings(plan)
    assert LEFT in warning.message
    assert "it is active" in warning.message


def test_one_that_is_deleted_here_does_not_keep_its_source() -> None:
    """It stands on the new source of a replacement; that source is replaced again."""
    live = [*WORLD, live_connection(live_stream()), left_connection()]
    plan = plan_of([source(connector="mysql"), destination(), connection()], live)
    assert [change.refusals for change in plan.changes] == [(), ()]


def test_the_status_it_was_to_have_is_no_consent_to_another() -> None:
    """The name says: then inactive. Git says active by now, and nobody accepted that."""
    name = interim_name(Interim("shop-to-lake", OTHER, "inactive"))
    half = live_connection(live_stream(), name=name, status="inactive")
    plan = plan_of([*ACTORS(), connection(status="active")], [*WORLD, half])
    change = flow_of(plan)
    assert [effect.name for effect in change.effects if effect.blocks] == ["reactivate"]
    assert change.reason == "finishes a replacement that was cut off"


def test_destinations_are_no_different() -> None:
    name = interim_name(Interim("lake", WORLD[1].id))
    half = replace(WORLD[1], id=LEFT, spec=replace(WORLD[1].spec, name=name))
    plan = plan_of([destination()], [WORLD[1], half])
    assert LAKE.id == getattr(half.spec, "connector", "")
    assert [found.address for found in warnings(plan)] == ["destination/lake"]
