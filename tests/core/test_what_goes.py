"""What a plan says of an object that goes or is made anew, and the guards in its way."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import Document, LiveObject
from reconciler.core.plan import TargetLine
from reconciler.core.planning import Situation, fingerprint, make_plan
from reconciler.core.target import Limits
from tests.core.build import (
    ACTORS,
    CONNECTION_ID,
    LAKE,
    MYSQL,
    POSTGRES,
    PUBLIC,
    SOURCE_ID,
    WORLD,
    absent,
    connection,
    desired_of,
    destination,
    encryption,
    env,
    git_mapper,
    live_connection,
    live_destination,
    live_of,
    live_source,
    live_stream,
    only_change,
    plan_of,
    planned,
    source,
)

SECOND = "aaaaaaaa-0000-4000-8000-000000000002"


# --- deletions --------------------------------------------------------------------------------------


def test_a_connection_that_goes_says_how_many_positions_go_with_it() -> None:
    live = live_connection(live_stream(), live_stream("customers"))
    change = only_change(plan_of([*ACTORS(), absent("connection", "shop-to-lake")], [*WORLD, live]))
    assert (change.action, change.live_id, change.name) == ("delete", CONNECTION_ID, "shop-to-lake")
    assert [(e.rule, e.says) for e in change.effects] == [
        (
            "object-goes",
            (
                "the saved positions of 2 streams are deleted; there is no undo",
                "its tables stay as they are",
            ),
        )
    ]


def test_a_source_that_goes_names_the_connections_that_are_on_it_now() -> None:
    flows = [
        live_connection(name="b", object_id=CONNECTION_ID),
        live_connection(name="a", object_id="cccccccc-0000-4000-8000-000000000002"),
    ]
    going = [absent("source", "shop"), absent("connection", "a"), absent("connection", "b")]
    plan = plan_of([destination(), *going], [*WORLD, *flows])
    (change,) = [c for c in plan.changes if c.address.kind == "source"]
    assert change.live_id == SOURCE_ID
    assert [e.says for e in change.effects] == [
        (
            "its configuration and secrets are deleted; there is no undo",
            "2 connections on it now: a, b",
        )
    ]


def test_one_is_one() -> None:
    live = live_connection(live_stream())
    plan = plan_of(
        [destination(), absent("source", "shop"), absent("connection", "shop-to-lake")],
        [*WORLD, live],
    )
    said = [text for change in plan.changes for e in change.effects for text in e.says]
    assert "the saved positions of 1 stream are deleted; there is no undo" in said
    assert "1 connection on it now: shop-to-lake" in said


def test_a_deletion_without_a_reason_says_where_it_is_asked_for() -> None:
    change = only_change(plan_of([absent("source", "shop")], [live_source()]))
    assert change.reason == "state: absent"


def test_what_is_to_go_and_is_not_there_is_a_warning_with_a_guess() -> None:
    plan = plan_of([absent("source", "shopp"), absent("source", "elsewhere")], [live_source()])
    assert [(str(d.severity.value), d.code, d.address) for d in plan.diagnostics] == [
        ("warning", "absent-not-found", "source/elsewhere"),
        ("warning", "absent-not-found", "source/shopp"),
    ]
    elsewhere, shopp = (d.hint for d in plan.diagnostics)
    assert shopp.startswith("did you mean 'shop'? ")
    assert elsewhere.startswith("if it is gone, take the manifest out")


def test_what_is_not_found_hides_no_later_resource() -> None:
    gone = [absent("source", "a-gone"), absent("source", "b-gone")]
    plan = plan_of([*gone, source("new")], [])
    assert [str(change.address) for change in plan.changes] == ["source/new"]
    assert len(plan.diagnostics) == len(gone)


# --- replacements -----------------------------------------------------------------------------------


def test_a_source_that_is_made_anew_says_from_what_to_what() -> None:
    step = planned([source(connector="mysql")], [live_source()]).steps
    (found,) = step.values()
    change = found.change
    assert (change.action, change.live_id, change.name) == ("replace", SOURCE_ID, "shop")
    assert change.reason == "connector"
    assert (change.fields[0].pointer, change.fields[0].before, change.fields[0].after) == (
        "/connector",
        POSTGRES.docker_repository,
        MYSQL.docker_repository,
    )
    names = f"{POSTGRES.docker_repository} -> {MYSQL.docker_repository}"
    ids = f"definition {POSTGRES.id} -> {MYSQL.id}"
    assert [e.says for e in change.effects] == [
        (f"the connector can't be changed in place: {names}; {ids}",)
    ]
    assert (found.live, found.resource.address) == (live_source(), change.address)
    assert found.spec is not None
    assert found.spec.name == "shop"


@pytest.mark.parametrize(
    ("alike", "shown"),
    [
        (True, (f"airbyte/source-mysql ({SECOND})", f"airbyte/source-mysql ({MYSQL.id})")),
        (False, (SECOND, "airbyte/source-mysql")),
    ],
    ids=["called alike", "gone from Airbyte"],
)
def test_connectors_that_a_name_does_not_tell_apart_are_shown_with_their_ids(
    *, alike: bool, shown: tuple[str, str]
) -> None:
    twin = replace(MYSQL, id=SECOND, name="Ours")
    live = live_of(live_source(connector=SECOND))
    live = replace(live, definitions=(*live.definitions, *([twin] if alike else [])))
    line = TargetLine("production", "https://airbyte.example.com", "public", "Default", "w-1")
    desired = desired_of(source(connector=MYSQL.id))
    (change,) = make_plan(Situation(line, desired, live, PUBLIC)).plan.changes
    assert (change.fields[0].before, change.fields[0].after) == shown


def test_a_pinned_object_is_not_made_anew() -> None:
    """Its pin would mean an object that is gone."""
    pin = {"ids": {"production": SOURCE_ID}}
    change = only_change(plan_of([source(connector="mysql", metadata=pin)], [live_source()]))
    assert [text.partition(":")[0] for text in change.refusals] == ["metadata.ids pins it"]
    changed = source(configuration={"host": "new"}, metadata=pin)
    assert only_change(plan_of([changed], [live_source()])).refusals == ()
    assert only_change(plan_of([source(connector="mysql")], [live_source()])).refusals == ()


def test_a_source_is_not_made_anew_under_a_connection_of_other_people() -> None:
    theirs = live_connection(name="By hand")
    change = only_change(plan_of([source(connector="mysql")], [*WORLD, theirs]))
    assert [text.partition(";")[0] for text in change.refusals] == [
        f"Airbyte would delete 1 connection(s) with it: By hand ({CONNECTION_ID})"
    ]


def test_connections_of_ours_are_made_anew_with_it() -> None:
    plan = plan_of(
        [source(connector="mysql"), destination(), connection()], [*WORLD, live_connection()]
    )
    assert [(c.action, c.refusals) for c in plan.changes] == [("replace", ()), ("replace", ())]


def test_a_replacement_counts_as_a_deletion_against_the_limits() -> None:
    both = [source(connector="mysql"), destination(), source("other", connector="mysql")]
    live = [*WORLD, live_source(name="other", object_id=SECOND)]
    plan = plan_of(both, live, limits=Limits(deletes=30, updates=50))
    assert [d.message for d in plan.diagnostics if d.code == "limit-deletes"] == [
        "2 of 3 objects (67%): more than the limit of 30% for deletes"
    ]


# --- fingerprints -----------------------------------------------------------------------------------


def test_what_goes_is_reviewed_together_with_the_connections_on_it() -> None:
    live = [*WORLD, live_connection()]
    gone = [absent("source", "shop"), absent("connection", "shop-to-lake")]
    anew = [source(connector="mysql"), destination(), connection()]
    for documents in (gone, anew):
        (change,) = [c for c in plan_of(documents, live).changes if c.address.kind == "source"]
        assert change.fingerprint == fingerprint(live_source(), [live_connection()])


def test_a_new_connection_on_it_does_not_stop_what_only_changes() -> None:
    changed = source(configuration={"host": "new"})
    alone, used = (
        [c for c in plan_of([changed], live).changes if c.address.kind == "source"]
        for live in ([live_source()], [*WORLD, live_connection()])
    )
    assert [c.fingerprint for c in alone] == [c.fingerprint for c in used]


# --- creations --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (
            source(configuration={"host": "db", "password": env()}),
            [
                ("/connector", POSTGRES.docker_repository, False),
                ("/configuration/host", "db", False),
                ("/configuration/password", "${env:SHOP_PG_PASSWORD}", True),
            ],
        ),
        (
            destination(),
            [
                ("/connector", LAKE.docker_repository, False),
                ("/configuration/bucket", "b", False),
            ],
        ),
    ],
)
def test_what_is_made_is_shown_whole_and_no_secret_of_it(document: Document, shown: Any) -> None:
    change = only_change(plan_of([document]))
    assert change.action == "create"
    assert [(f.pointer, f.after, f.secret) for f in change.fields] == shown
    assert change.name == document.data["metadata"]["name"]


def test_secrets_that_a_new_source_lacks_stop_it_when_it_is_applied() -> None:
    document = source(configuration={"host": "db", "password": env()})
    assert not only_change(plan_of([document])).blocked
    assert only_change(plan_of([document], applying=True)).refusals == (
        "not set in this environment: ${env:SHOP_PG_PASSWORD}",
    )


# --- secrets that are sent again --------------------------------------------------------------------

HIDDEN = {"host": "db", "password": "**********"}


def resent(*patterns: str, **spec: Any) -> list[tuple[str, str]]:
    document = source(configuration={"host": "db", "password": env(value="c" * 20)}, **spec)
    objects: list[LiveObject] = [live_source(HIDDEN), live_destination()]
    plan = plan_of([document, destination()], objects, resend=patterns)
    return [(str(c.address), f.pointer) for c in plan.changes for f in c.fields]


def test_a_secret_that_can_not_be_compared_is_sent_only_when_asked_for() -> None:
    assert resent() == []
    assert resent("destination/lake") == []
    assert resent("source/shop") == [("source/shop", "/configuration/password")]
    assert resent("*") == resent("source/*") == resent("source/shop")


def test_it_is_sent_beside_what_changes() -> None:
    document = source(configuration={"host": "new", "password": env(value="c" * 20)})
    plan = plan_of([document], [live_source(HIDDEN)], resend=("*",))
    assert [f.pointer for f in only_change(plan).fields] == [
        "/configuration/host",
        "/configuration/password",
    ]


def test_a_secret_that_is_sent_again_is_shown_by_its_reference() -> None:
    document = source(configuration={"host": "db", "password": env(value="c" * 20)})
    (field,) = only_change(plan_of([document], [live_source(HIDDEN)], resend=("*",))).fields
    assert (field.secret, field.after) == (True, "${env:SHOP_PG_PASSWORD}")


def test_keys_that_a_connection_lacks_stop_its_replacement_when_it_is_applied() -> None:
    mappers = [git_mapper(encryption(), key=env("KEY"))]
    streams = [{"name": "orders", "syncMode": "full_refresh_append", "mappers": mappers}]
    documents = [source(connector="mysql"), destination(), connection(streams=streams)]
    live = [*WORLD, live_connection(live_stream(mappers=[encryption()]))]
    for applying, refused in ((False, ()), (True, ("not set in this environment: ${env:KEY}",))):
        plan = plan_of(documents, live, applying=applying)
        (change,) = [c for c in plan.changes if c.address.kind == "connection"]
        assert (change.action, change.refusals) == ("replace", refused)
