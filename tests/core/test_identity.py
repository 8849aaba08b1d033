"""Which live object a manifest means, and what its references and connector mean on this server."""

from typing import Any

from reconciler.core.diagnostics import Diagnostic
from reconciler.core.model import LiveObject
from tests.core.build import (
    ACTORS,
    DESTINATION_ID,
    MYSQL,
    POSTGRES,
    SOURCE_ID,
    TARGET,
    WORLD,
    absent,
    codes,
    connection,
    connection_change,
    destination,
    live_connection,
    live_destination,
    live_source,
    live_stream,
    only_change,
    plan_of,
    planned,
    source,
)

OTHER_ID = "aaaaaaaa-0000-4000-8000-000000000002"


def pinned(object_id: str) -> dict[str, Any]:
    return {"metadata": {"ids": {TARGET: object_id}}}


def claimed(plan: Any) -> dict[str, str]:
    return {str(address): found.id for address, found in plan.claims.live.items()}


def only_problem(documents: Any, objects: Any) -> Diagnostic:
    (diagnostic,) = plan_of(documents, objects).diagnostics
    return diagnostic


def test_a_name_means_the_one_object_of_its_kind() -> None:
    plan = planned([source()], [live_source(), live_destination(name="shop")])
    assert claimed(plan) == {"source/shop": SOURCE_ID}
    assert plan.plan.matched_by_name == 1
    assert (plan.plan.changes, plan.plan.unchanged) == ((), 1)


def test_no_object_of_that_name_is_a_create() -> None:
    plan = planned([source()], [live_source(name="Shop")])
    assert only_change(plan.plan).action == "create"
    assert (plan.plan.matched_by_name, plan.plan.unchanged) == (0, 0)


def test_a_pin_means_its_object_whatever_its_name() -> None:
    plan = planned(
        [source(**pinned(OTHER_ID.upper()))],
        [live_source(), live_source(name="x", object_id=OTHER_ID)],
    )
    assert claimed(plan) == {"source/shop": OTHER_ID}
    assert plan.plan.matched_by_name == 0
    assert [f.pointer for f in only_change(plan.plan).fields] == ["/name"]


def test_a_pin_that_is_not_live_is_never_a_create() -> None:
    diagnostic = only_problem([source(**pinned(OTHER_ID))], [live_destination(object_id=OTHER_ID)])
    assert (diagnostic.code, diagnostic.pointer) == ("pin-not-live", f"/metadata/ids/{TARGET}")


def test_a_pin_that_is_not_live_is_fine_for_what_is_to_be_absent() -> None:
    plan = plan_of([absent("source", "shop", **pinned(OTHER_ID))], WORLD)
    assert (plan.changes, plan.diagnostics) == ((), ())


def test_a_name_twice_lists_both_ids() -> None:
    diagnostic = only_problem([source()], [live_source(object_id=OTHER_ID), live_source()])
    assert diagnostic.code == "ambiguous-name"
    assert f"{SOURCE_ID}, {OTHER_ID}" in diagnostic.message


def test_a_pinned_object_is_not_meant_by_name() -> None:
    documents = [source(), source("other", **pinned(OTHER_ID))]
    plan = planned(documents, [live_source(object_id=OTHER_ID), live_source()])
    assert claimed(plan) == {"source/other": OTHER_ID, "source/shop": SOURCE_ID}


def test_a_previous_name_makes_a_rename() -> None:
    documents = [source(name="New", metadata={"previousNames": ["older", "old"]})]
    plan = plan_of(documents, [live_source(name="old")])
    change = only_change(plan)
    assert (change.action, change.live_id) == ("update", SOURCE_ID)
    assert [(f.pointer, f.before, f.after) for f in change.fields] == [("/name", "old", "New")]


def test_the_name_itself_goes_before_a_previous_one() -> None:
    documents = [source(metadata={"previousNames": ["old"]})]
    plan = planned(documents, [live_source(name="old", object_id=OTHER_ID), live_source()])
    assert claimed(plan) == {"source/shop": SOURCE_ID}


def test_two_manifests_never_share_an_object() -> None:
    for documents in (
        [source("a", **pinned(SOURCE_ID)), source("b", **pinned(SOURCE_ID))],
        [source("new", metadata={"previousNames": ["shop"]}), source("shop")],
    ):
        assert codes(plan_of(documents, [live_source()]).diagnostics) == ["claimed-twice"]


def test_an_unknown_connector_guesses() -> None:
    diagnostic = only_problem([source(connector="postgress")], WORLD)
    assert (diagnostic.code, diagnostic.hint) == ("unknown-connector", "did you mean 'postgres'?")


def test_a_connector_is_found_by_each_of_its_names() -> None:
    for name in (
        "postgres",
        "airbyte/source-postgres",
        "Shop Postgres",
        POSTGRES.id,
        "shop postgres",
    ):
        assert plan_of([source(connector=name)], WORLD).changes == ()


def test_a_source_connector_is_no_destination() -> None:
    assert only_problem([destination(connector="postgres")], WORLD).code == "unknown-connector"


# --- references ----------------------------------------------------------------------------------


def test_a_managed_source_is_named_by_its_address_whatever_its_live_name() -> None:
    documents = [source(name="Shop", **pinned(SOURCE_ID)), destination(), connection()]
    objects: list[LiveObject] = [
        live_source(name="Shop"),
        live_destination(),
        live_connection(live_stream()),
    ]
    assert plan_of(documents, objects).changes == ()


def test_an_unmanaged_source_is_named_by_id_or_name() -> None:
    for reference in ({"id": SOURCE_ID}, {"name": "shop"}):
        plan = plan_of(
            [destination(), connection(source=reference)], [*WORLD, live_connection(live_stream())]
        )
        assert (plan.changes, plan.diagnostics) == ((), ())


def test_a_managed_source_named_by_id_is_the_same_source() -> None:
    live = live_connection(live_stream())
    change = connection_change({"source": {"id": SOURCE_ID}, "prefix": "x_"}, live)
    assert change.action == "update"


def test_an_unmanaged_reference_has_to_be_live_and_the_only_one() -> None:
    documents = [destination(), connection(source={"name": "shop"})]
    none = plan_of(documents, [live_destination()])
    two = plan_of(documents, [*WORLD, live_source(object_id=OTHER_ID)])
    assert codes(none.diagnostics) == ["unknown-reference"]
    assert codes(two.diagnostics) == ["ambiguous-name"]


def test_an_id_is_never_taken_for_a_name() -> None:
    named_like_it = live_source(name=SOURCE_ID, object_id=OTHER_ID)
    plan = plan_of(
        [destination(), connection(source={"id": SOURCE_ID})],
        [*WORLD, named_like_it, live_connection(live_stream())],
    )
    assert (plan.changes, plan.diagnostics) == ((), ())


def test_what_could_not_be_planned_is_not_counted_as_unchanged() -> None:
    plan = plan_of([*ACTORS(), connection(source={"name": "none"})], [*WORLD, live_connection()])
    assert (plan.unchanged, plan.errored) == (2, True)


def test_a_replaced_connector_is_found_by_definition_and_not_by_type() -> None:
    plan = plan_of([source()], [live_source(connector=MYSQL.id)])
    assert only_change(plan).action == "replace"
    assert DESTINATION_ID not in {change.live_id for change in plan.changes}
