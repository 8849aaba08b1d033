"""A replacement that was cut off is found again by what stands live, and is finished (design §6.5)."""

from dataclasses import replace

import pytest

from reconciler.core.interim import Interim, interim_name, parse_interim
from reconciler.core.model import LiveObject
from reconciler.core.planning import Planned
from tests.core.build import (
    ACTORS,
    CONNECTION_ID,
    MYSQL,
    SOURCE_ID,
    WORLD,
    connection,
    destination,
    effects_of,
    live_connection,
    live_destination,
    live_source,
    live_stream,
    only_change,
    plan_of,
    planned,
    source,
)

OLD = "dddddddd-0000-4000-8000-000000000001"
NEW = "dddddddd-0000-4000-8000-000000000002"


@pytest.mark.parametrize("status", ["", "active", "inactive"])
@pytest.mark.parametrize("name", ["shop", "two\nlines", "a (reconciler: replaces b)", ""])
def test_a_name_in_between_reads_back(name: str, status: str) -> None:
    interim = Interim(name, OLD, status)
    assert parse_interim(interim_name(interim)) == interim


def test_it_says_what_it_is() -> None:
    assert interim_name(Interim("shop", OLD)) == f"shop (reconciler: replaces {OLD})"
    told = f"shop (reconciler: replaces {OLD}, then active)"
    assert interim_name(Interim("shop", OLD, "active")) == told


@pytest.mark.parametrize(
    "name",
    ["shop", f"shop (replaces {OLD})", f"shop (reconciler: replaces {OLD}) x", "shop ()"]
    + [f"shop (reconciler: replaces {OLD}, then {word})" for word in ("deprecated", "", "Active")],
)
def test_any_other_name_is_a_name(name: str) -> None:
    assert parse_interim(name) is None


def half_source(replaces: str) -> LiveObject:
    """The new source of a replacement that was cut off, before it got its name."""
    name = interim_name(Interim("shop", replaces))
    return live_source(name=name, object_id=NEW, connector=MYSQL.id)


def half_connection(status: str = "active", replaces: str = OLD) -> LiveObject:
    """The new connection of one, before it was switched on; the old one is gone."""
    name = interim_name(Interim("shop-to-lake", replaces, status))
    return live_connection(live_stream(), name=name, object_id=NEW, status="inactive")


def test_what_was_made_is_taken_for_the_resource_once_the_old_one_is_gone() -> None:
    change = only_change(plan_of([source(connector="mysql")], [half_source(OLD)]))
    assert (change.action, change.live_id) == ("update", NEW)
    assert [(f.pointer, f.after) for f in change.fields] == [("/name", "shop")]


def both() -> Planned:
    return planned([source(connector="mysql")], [live_source(), half_source(SOURCE_ID)])


def test_while_the_old_one_is_there_it_is_the_one_to_replace() -> None:
    change = only_change(both().plan)
    assert (change.action, change.live_id) == ("replace", SOURCE_ID)


def test_and_what_was_made_already_is_known_to_belong_to_it() -> None:
    found = both()
    (address,) = found.claims.resumed
    assert (str(address), found.claims.resumed[address].id) == ("source/shop", NEW)
    assert found.claims.address_of["source", NEW] == address
    assert found.plan.not_covered.unmanaged == ()


def test_what_replaces_an_object_of_other_people_is_not_ours() -> None:
    theirs = live_source(name="theirs", object_id=OLD, connector=MYSQL.id)
    found = planned([source(connector="mysql")], [theirs, half_source(OLD)])
    assert found.claims.interim == {}
    assert {u.id for u in found.plan.not_covered.unmanaged} == {OLD, NEW}


def test_a_connection_is_switched_on_as_was_accepted_when_it_was_replaced() -> None:
    change = only_change(plan_of([*ACTORS(), connection()], [*WORLD, half_connection()]))
    assert (change.action, change.live_id) == ("update", NEW)
    assert [(f.pointer, f.after) for f in change.fields] == [
        ("/name", "shop-to-lake"),
        ("/status", "active"),
    ]
    assert change.reason == "finishes a replacement that was cut off"
    assert (effects_of(change), change.blocked) == (set(), False)


def test_one_that_was_to_stay_inactive_stays_so() -> None:
    plan = plan_of([*ACTORS(), connection()], [*WORLD, half_connection("inactive")])
    assert [f.pointer for f in only_change(plan).fields] == ["/name"]


def test_what_git_says_of_its_status_goes_before_what_was_to_be() -> None:
    plan = plan_of([*ACTORS(), connection(status="inactive")], [*WORLD, half_connection()])
    assert [f.pointer for f in only_change(plan).fields] == ["/name"]


def test_what_else_changes_meanwhile_still_needs_consent() -> None:
    streams = [{"name": "orders", "syncMode": "full_refresh_overwrite"}]
    plan = plan_of([*ACTORS(), connection(streams=streams)], [*WORLD, half_connection()])
    change = only_change(plan)
    assert {"state-loss", "overwrites-table"} <= {e.name for e in change.effects}
    assert change.blocked


def test_a_connection_by_any_other_name_is_switched_on_only_with_consent() -> None:
    live = live_connection(live_stream(), status="inactive")
    change = only_change(plan_of([*ACTORS(), connection(status="active")], [*WORLD, live]))
    assert change.reason == ""
    assert ("reactivate", "reactivated") in effects_of(change)


def test_connections_on_what_was_made_already_are_named_by_its_address() -> None:
    """They were moved before the rest was cut off: nothing of them is to do."""
    moved = live_connection(source=NEW, object_id=CONNECTION_ID)
    plan = plan_of(
        [source(connector="mysql"), destination(), connection()],
        [live_source(), live_destination(), half_source(SOURCE_ID), moved],
    )
    assert [str(change.address) for change in plan.changes] == ["source/shop"]


def test_two_that_were_left_for_one_name_are_ambiguous() -> None:
    other = replace(half_source(OLD), id="dddddddd-0000-4000-8000-000000000003")
    plan = plan_of([source(connector="mysql")], [half_source(OLD), other])
    assert [d.code for d in plan.diagnostics] == ["ambiguous-name"]
    assert plan.changes == ()
