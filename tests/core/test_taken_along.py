"""Connections that Airbyte deletes with their source or destination (PUB-T 2): each is announced, counted and
limited like any deletion."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.encode import decode_plan, encode_plan
from reconciler.core.model import Document, LiveObject
from reconciler.core.plan import Change, Plan
from reconciler.core.policy import Expected, parse_consent
from reconciler.core.select import Selection
from reconciler.core.target import Limits
from reconciler.render.text import plan_text
from tests.core.build import (
    CONNECTION_ID,
    MYSQL,
    SOURCE_ID,
    WORLD,
    absent,
    codes,
    connection,
    destination,
    live_connection,
    live_source,
    live_stream,
    plan_of,
    source,
)

SECOND = "cccccccc-0000-4000-8000-000000000002"
FLOWS: list[LiveObject] = [
    live_connection(live_stream(), live_stream("customers"), name="C1"),
    live_connection(live_stream(), name="C2", object_id=SECOND),
]
NAMED = (f"delete=connection/{CONNECTION_ID}", f"delete=connection/{SECOND}")
REPLACED = source(connector="mysql", lifecycle={"allow": ["replace"]})
GOING = [absent("source", "shop"), REPLACED]


def going(document: Document, *flags: str, **more: Any) -> Plan:
    allow = map(parse_consent, flags or NAMED)
    return plan_of([document, destination()], [*WORLD, *FLOWS], allow=allow, **more)


def actor_change(plan: Plan) -> Change:
    return next(change for change in plan.changes if str(change.address) == "source/shop")


@pytest.mark.parametrize("document", GOING, ids=["deleted", "replaced"])
def test_each_is_an_effect_of_its_own_with_its_id_and_its_consent(document: Document) -> None:
    plan = going(document)
    effects = [e for e in actor_change(plan).effects if e.rule == "taken-along"]
    assert [(e.name, e.says, e.accepted) for e in effects] == [
        ("delete", (f"Airbyte deletes with it: {what}",), f"--allow delete=connection/{object_id}")
        for what, object_id in (
            (f"C1 ({CONNECTION_ID}), with the saved positions of 2 streams", CONNECTION_ID),
            (f"C2 ({SECOND}), with the saved positions of 1 stream", SECOND),
        )
    ]
    assert plan.applyable


@pytest.mark.parametrize("document", GOING, ids=["deleted", "replaced"])
def test_they_are_counted_and_not_shown_as_staying(document: Document) -> None:
    plan = going(document)
    own = 1 if document is GOING[0] else 0
    assert plan.count("delete") == 2 + own
    assert f"{2 + own} to delete." in plan_text(plan)
    assert plan.not_covered.unmanaged == ()


@pytest.mark.parametrize("document", GOING, ids=["deleted", "replaced"])
def test_the_numbers_that_were_stated_are_of_all_that_goes(document: Document) -> None:
    def stated(deletes: int, stops: int) -> list[str]:
        return codes(going(document, expected=Expected(deletes, None, stops)).diagnostics)

    assert stated(3, 3) == []
    assert stated(2, 3) == ["limit-deletes"]
    assert stated(3, 2) == ["limit-stops"]


def test_limits_are_shares_of_what_is_claimed_and_what_goes() -> None:
    """The two connections are two changes: their streams are no single one's."""
    plan = going(GOING[0], limits=Limits(deletes=30, updates=50))
    assert {d.message for d in plan.diagnostics if d.code == "limit-deletes"} == {
        "3 of 4 objects (75%): more than the limit of 30% for deletes",
        "3 of 3 streams (100%): more than the limit of 30% for deletes",
    }


def test_one_that_nobody_named_stops_it_and_stays_in_the_list() -> None:
    plan = going(GOING[0], NAMED[0])
    (refusal,) = actor_change(plan).refusals
    assert f"C2 ({SECOND})" in refusal
    assert [found.id for found in plan.not_covered.unmanaged] == [SECOND]


def test_a_saved_plan_counts_them_again() -> None:
    plan = going(GOING[0])
    encoded = encode_plan(plan)
    assert encoded["counts"]["delete"] == 3
    assert decode_plan(encoded).count("delete") == 3


# --- a replacement that is asked for alone -----------------------------------------------------------


def narrowed(selection: Selection) -> Plan:
    streams = [{"name": "orders", "syncMode": "full_refresh_append"}]
    documents = [REPLACED, destination(), connection(streams=streams), source("far")]
    live = [*WORLD, live_connection(live_stream()), live_source(name="far", object_id=SECOND)]
    return plan_of(documents, live, selection=selection)


def test_the_connections_on_a_source_that_is_made_anew_are_pulled_in() -> None:
    plan = narrowed(Selection(("source/shop",)))
    assert [(str(c.address), c.action) for c in plan.changes] == [
        ("source/shop", "replace"),
        ("connection/shop-to-lake", "replace"),
    ]
    (widened,) = [found for found in plan.diagnostics if found.code == "selection-widened"]
    assert widened.address == "connection/shop-to-lake"
    assert plan.changes[0].depends_on == ()


def test_excluding_them_is_refused_before_anything_is_written() -> None:
    plan = narrowed(Selection((), ("connection/*",)))
    (needed,) = [found for found in plan.diagnostics if found.code == "excluded-but-needed"]
    assert (needed.address, plan.applyable) == ("connection/shop-to-lake", False)
    assert "source/shop" in needed.message


def test_those_that_another_replacement_left_there_are_pulled_in_by_what_they_belong_to() -> None:
    """shop-to-lake was on its way to `far` when it was cut off; now `far` goes."""
    name = f"shop-to-lake (reconciler: replaces {CONNECTION_ID}, then active)"
    far = "aaaaaaaa-0000-4000-8000-000000000002"
    live = [
        *WORLD,
        live_source(name="far", object_id=far),
        live_source(name="next", object_id=SOURCE_ID.replace("a", "9"), connector=MYSQL.id),
        live_connection(live_stream()),
        live_connection(live_stream(), name=name, object_id=SECOND, source=far, status="inactive"),
    ]
    going_there = connection(source="next")
    documents = [
        source(),
        absent("source", "far"),
        source("next", connector="mysql"),
        destination(),
        going_there,
    ]
    plan = plan_of(documents, live, selection=Selection(("source/far",)))
    assert {str(c.address) for c in plan.changes} == {"source/far", "connection/shop-to-lake"}
    assert all(change.refusals == () for change in plan.changes)
