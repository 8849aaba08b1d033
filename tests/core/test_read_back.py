"""After each write the answer is held against what was sent: what a server ignored is an error (§6.8)."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.drafts import ignored_by_server
from reconciler.core.model import MASK, Connection, LiveObject, Schedule
from reconciler.core.normalize import naming_for
from tests.core.build import (
    ACTORS,
    SOURCE_ID,
    WORLD,
    connection,
    desired_of,
    destination,
    env,
    live_connection,
    live_of,
    live_source,
    live_stream,
    only_change,
    plan_of,
    planned,
    source,
)

SYNCED = {"name": "orders", "syncMode": "incremental_append", "cursorField": "updated_at"}
LIVE = live_of(*WORLD)


def ignored(document: Any, answer: LiveObject) -> tuple[str, ...]:
    """What of a new object is not in the answer to its creation."""
    documents = [document, *(d for d in ACTORS() if d.kind != document.kind)]
    objects = [found for found in WORLD if found.kind != document.kind]
    steps = planned(documents, objects).steps
    (step,) = [s for a, s in steps.items() if a.kind == document.kind]
    naming = naming_for({("source", SOURCE_ID): next(iter(desired_of(source()).resources))})
    return ignored_by_server(step.resource, step.spec, answer, naming, LIVE)


def answered(**fields: Any) -> LiveObject:
    """A connection as it was asked for below, but for what the server made of it."""
    found = live_connection(live_stream(), prefix="x_")
    assert isinstance(found.spec, Connection)
    return replace(found, spec=replace(found.spec, **fields))


def flow_ignored(**fields: Any) -> tuple[str, ...]:
    flow = connection(prefix="x_", status="active", streams=[SYNCED])
    resource = desired_of(*ACTORS(), flow)
    (step,) = planned([*ACTORS(), flow], WORLD).steps.values()
    by_id = {(a.kind, f.id): a for a in resource.resources for f in WORLD if f.kind == a.kind}
    return ignored_by_server(step.resource, step.spec, answered(**fields), naming_for(by_id), LIVE)


def test_an_answer_with_all_of_it_is_fine() -> None:
    assert flow_ignored() == ()
    assert ignored(source(), live_source()) == ()


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        ({"prefix": ""}, ("/prefix",)),
        ({"status": "inactive", "prefix": ""}, ("/status", "/prefix")),
        ({"schedule": Schedule(every=6, unit="hours")}, ("/schedule",)),
        ({"streams": (live_stream(mode="full_refresh_append"),)}, ("/streams[orders]/syncMode",)),
        ({"streams": ()}, ("/streams[orders]",)),
    ],
)
def test_each_field_that_a_connection_lacks_is_named(
    fields: dict[str, Any], pointers: tuple[str, ...]
) -> None:
    assert set(pointers) <= set(flow_ignored(**fields))


def test_each_part_of_a_configuration_that_is_not_there_is_named() -> None:
    git = {"host": "db", "port": 1, "database": "app"}
    assert ignored(source(configuration=git), live_source({"host": "db", "port": 2})) == (
        "/configuration/database",
        "/configuration/port",
    )


def test_a_masked_secret_in_the_answer_is_no_difference() -> None:
    git = {"host": "db", "password": env(value="c" * 20)}
    assert ignored(source(configuration=git), live_source({"host": "db", "password": MASK})) == ()


# --- what a write needs, and what nobody may see of it ----------------------------------------------


def test_a_replacement_needs_every_secret_that_it_sends() -> None:
    git = source(configuration={"host": "db", "token": env()}, connector="mysql")
    assert not any("not set" in r for r in only_change(plan_of([git], [live_source()])).refusals)
    refusals = only_change(plan_of([git], [live_source()], applying=True)).refusals
    assert refusals == ("not set in this environment: ${env:SHOP_PG_PASSWORD}",)


def test_an_allocation_that_a_replacement_does_not_take_along_is_counted() -> None:
    plan = plan_of([source(connector="mysql")], [live_source(allocation={"default": {"cpu": "1"}})])
    assert [(str(u.address), u.field) for u in plan.not_covered.unstated] == [
        ("source/shop", "resourceAllocation")
    ]


def test_a_secret_that_live_shows_is_not_shown() -> None:
    """At a path that the connector calls secret, and wherever else git's own secret stands."""
    canary = "canary-that-live-shows-0123"
    git = source(configuration={"host": env("HOST", canary), "password": env(value="d" * 20)})
    for live in ({"host": "db", "password": canary}, {"host": "db", "database": canary}):
        plan = plan_of([git, destination()], [live_source(live), *WORLD[1:]])
        assert only_change(plan).fields
        assert canary not in repr(plan)
