"""Validation stage 6: streams against what their source offers."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.catalog import MOST_FIELDS, resolve_columns
from reconciler.core.model import Address, Connection, DiscoveredStream, LiveObject
from reconciler.core.plan import Plan
from tests.core.build import (
    ACTORS,
    WORLD,
    codes,
    connection,
    desired_of,
    env,
    git_mapper,
    hashing,
    live_connection,
    live_stream,
    only_change,
    plan_of,
)

ADDRESS = Address("connection", "shop-to-lake")
ORDERS = DiscoveredStream(
    "orders",
    "public",
    sync_modes=("full_refresh_append", "incremental_append", "incremental_deduped_history"),
    fields=(("id",), ("email",), ("updated_at",), ("address",), ("address", "city")),
)
APPEND = {"name": "orders", "syncMode": "incremental_append", "cursorField": "updated_at"}
DEDUPED = {**APPEND, "syncMode": "incremental_deduped_history", "primaryKey": "id"}
FULL = {"name": "orders", "syncMode": "full_refresh_append"}


def plan_with(
    streams: Any, offered: tuple[DiscoveredStream, ...], live: LiveObject | None = None, **git: Any
) -> Plan:
    documents = [*ACTORS(), connection(streams=streams, **git)]
    return plan_of(documents, [*WORLD, *([live] if live else [])], catalogs={ADDRESS: offered})


def found(stream: Any, offered: DiscoveredStream = ORDERS) -> list[tuple[str, str]]:
    plan = plan_with([stream], (offered,))
    return sorted((d.code, d.pointer) for d in plan.diagnostics)


@pytest.mark.parametrize("stream", [APPEND, DEDUPED, FULL, {**APPEND, "namespace": "public"}])
def test_what_the_source_offers_is_fine(stream: Any) -> None:
    assert found(stream) == []


def test_without_an_answer_of_the_source_the_plan_is_not_complete() -> None:
    documents = [*ACTORS(), connection(streams=[APPEND])]
    assert not plan_of(documents, WORLD).complete
    assert plan_with([APPEND], (ORDERS,)).complete
    live = live_connection(live_stream(namespace="public"), prefix="x_")
    assert plan_of([*ACTORS(), connection(prefix="y_")], [*WORLD, live]).complete


def test_an_unknown_stream_guesses() -> None:
    (diagnostic,) = plan_with([{**APPEND, "name": "order"}], (ORDERS,)).diagnostics
    assert (diagnostic.code, diagnostic.hint) == ("unknown-stream", "did you mean 'orders'?")
    assert diagnostic.pointer == "/spec/streams/0/name"


def test_a_namespace_that_airbyte_would_ignore() -> None:
    (diagnostic,) = plan_with([{**APPEND, "namespace": "private"}], (ORDERS,)).diagnostics
    assert (diagnostic.code, diagnostic.hint) == ("wrong-namespace", "write namespace: public")
    none = replace(ORDERS, namespace=None)
    (diagnostic,) = plan_with([{**APPEND, "namespace": "private"}], (none,)).diagnostics
    assert diagnostic.hint == "write namespace: null"


def test_a_name_in_several_namespaces() -> None:
    twins = (ORDERS, replace(ORDERS, namespace="private"))
    assert codes(plan_with([APPEND], twins).diagnostics) == ["ambiguous-namespace"]
    assert codes(plan_with([{**APPEND, "namespace": "private"}], twins).diagnostics) == []
    assert codes(plan_with([{**APPEND, "namespace": "x"}], twins).diagnostics) == ["unknown-stream"]


def test_a_mode_that_is_not_supported() -> None:
    assert found({**APPEND, "syncMode": "incremental_update"}) == [
        ("key-missing", "/spec/streams/0"),
        ("unsupported-sync-mode", "/spec/streams/0/syncMode"),
    ]
    plan = plan_with([{**APPEND, "syncMode": "incremental_update", "primaryKey": "id"}], (ORDERS,))
    assert [d.severity.value for d in plan.diagnostics] == ["error"]
    unsaid = replace(ORDERS, sync_modes=())
    assert found({**FULL, "syncMode": "full_refresh_update", "primaryKey": "id"}, unsaid) == []


def test_a_mode_that_the_list_may_leave_out_is_a_warning() -> None:
    plan = plan_with([{**FULL, "syncMode": "full_refresh_overwrite"}], (ORDERS,))
    assert [(d.code, d.severity.value) for d in plan.diagnostics] == [
        ("unsupported-sync-mode", "warning")
    ]


def test_incremental_needs_a_cursor() -> None:
    without = {"name": "orders", "syncMode": "incremental_append"}
    assert found(without) == [("cursor-missing", "/spec/streams/0")]
    assert found(without, replace(ORDERS, default_cursor_field=("updated_at",))) == []
    assert found(without, replace(ORDERS, source_defined_cursor=True)) == []


def test_a_live_stream_without_a_cursor_has_none_to_carry_over() -> None:
    live = live_connection(live_stream(mode="full_refresh_append", namespace="public", cursor=[]))
    plan = plan_with([{"name": "orders", "syncMode": "incremental_append"}], (ORDERS,), live)
    assert codes(plan.diagnostics) == ["cursor-missing"]


def test_a_cursor_of_the_sources_own() -> None:
    own = replace(ORDERS, source_defined_cursor=True, default_cursor_field=("id",))
    assert found(APPEND, own) == [("cursor-source-defined", "/spec/streams/0/cursorField")]
    assert found({**APPEND, "cursorField": "id"}, own) == []


def test_merging_by_key_needs_one() -> None:
    without = {**APPEND, "syncMode": "incremental_deduped_history"}
    own = replace(ORDERS, source_defined_primary_key=(("id",), ("email",)))
    assert found(without) == [("key-missing", "/spec/streams/0")]
    assert found(without, own) == []
    assert found({**without, "primaryKey": ["id", "email"]}, own) == []
    assert found({**without, "primaryKey": ["email", "id"]}, own) == [
        ("key-source-defined", "/spec/streams/0/primaryKey")
    ]


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"columns": ["id", "updated_at", "emial"]}, "columns"),
        ({"cursorField": "emial"}, "cursorField"),
        ({"primaryKey": "emial"}, "primaryKey"),
        ({"mappers": [git_mapper(hashing("emial"))]}, "mappers"),
        (
            {
                "mappers": [
                    {
                        "type": "row-filtering",
                        "conditions": {
                            "type": "NOT",
                            "conditions": [
                                {"type": "EQUAL", "fieldName": "emial", "comparisonValue": "x"}
                            ],
                        },
                    }
                ]
            },
            "mappers",
        ),
    ],
)
def test_an_unknown_column_is_found_wherever_it_is_named(part: Any, field: str) -> None:
    wrong = [f for f in found({**DEDUPED, **part}) if f[0] != "cursor-missing"]
    assert wrong == [("unknown-column", f"/spec/streams/0/{field}")]


def test_what_an_earlier_mapper_made_is_known() -> None:
    rename = {"type": "field-renaming", "originalFieldName": "email", "newFieldName": "mail"}
    mappers = [rename, git_mapper(hashing("mail")), git_mapper(hashing("mail_hashed"))]
    assert found({**APPEND, "mappers": mappers}) == []


def test_what_an_earlier_mapper_replaced_is_gone() -> None:
    """Airbyte answers 400 FIELD_NOT_FOUND: better told before anything is written."""
    twice = [git_mapper(hashing("email")), git_mapper(hashing("email"))]
    assert found({**APPEND, "mappers": twice}) == [("unknown-column", "/spec/streams/0/mappers")]


def beside_live(git: Any, **live: Any) -> list[tuple[str, str, str]]:
    """What is wrong with a stream that git says this of, and is silent about all else."""
    there = live_connection(live_stream(namespace="public", **live))
    plan = plan_with([{"name": "orders", **git}], (ORDERS,), there)
    return [(d.code, d.pointer, d.message.partition(": ")[2]) for d in plan.diagnostics]


def leaves_out(column: str, needed_by: str) -> tuple[str, str, str]:
    said = f"the selected columns leave out {column!r}, which {needed_by} needs"
    return "selection-misses-column", "/spec/streams/0/columns", said


@pytest.mark.parametrize("columns", [["id", "updated_at"], {"except": ["email"]}])
def test_a_live_mapper_that_git_is_silent_about_needs_its_column(columns: Any) -> None:
    """Airbyte refuses to write it, and by then the rest of the plan is applied."""
    live = {"mappers": [hashing("email")], "key": ()}
    git = {"syncMode": "incremental_append", "columns": columns}
    assert beside_live(git, **live) == [leaves_out("email", "a mapper")]
    for enough in (["id", "updated_at", "email"], {"except": ["address"]}, "all"):
        assert beside_live({**git, "columns": enough}, **live) == []
    assert beside_live({**git, "mappers": []}, **live) == []


def test_a_live_cursor_and_key_that_git_is_silent_about_need_their_columns() -> None:
    git = {"syncMode": "incremental_deduped_history", "columns": ["email"]}
    assert beside_live(git, mode="incremental_deduped_history") == [
        leaves_out("id", "its primary key"),
        leaves_out("updated_at", "its cursor"),
    ]
    assert beside_live({**git, "syncMode": "incremental_append"}) == [
        leaves_out("updated_at", "its cursor")
    ]
    assert beside_live({**git, "syncMode": "full_refresh_append"}) == []


def test_a_column_by_reference_is_not_judged() -> None:
    mapper = git_mapper(hashing(), targetField=env("COLUMN", "anything-at-all"))
    assert found({**APPEND, "mappers": [mapper]}) == []


def test_a_stream_whose_fields_are_not_said_is_not_judged() -> None:
    assert found({**APPEND, "columns": ["x", "updated_at"]}, replace(ORDERS, fields=())) == []


def test_all_columns_but_some_are_frozen_as_a_list() -> None:
    plan = plan_with([{**APPEND, "columns": {"except": ["email"]}}], (ORDERS,))
    create = next(c for c in plan.changes if c.address == ADDRESS)
    (stream,) = [f.after for f in create.fields if f.stream]
    assert stream["columns"] == ["address", "id", "updated_at"]


@pytest.mark.parametrize(
    ("excluded", "offered", "code"),
    [
        (["emial"], ORDERS, ["columns-unresolved", "unknown-column"]),
        (["id", "email", "updated_at", "address"], ORDERS, ["columns-unresolved"]),
        (["email"], replace(ORDERS, fields=()), ["columns-unresolved"]),
    ],
)
def test_an_exclusion_that_can_not_be_resolved_selects_nothing_by_itself(
    excluded: list[str], offered: DiscoveredStream, code: list[str]
) -> None:
    stream = {**FULL, "columns": {"except": excluded}}
    plan = plan_with([stream], (offered,))
    assert codes(plan.diagnostics) == code
    create = next(c for c in plan.changes if c.address == ADDRESS)
    assert [f.after["columns"] for f in create.fields if f.stream] == [{"except": sorted(excluded)}]


def test_all_columns_but_some_equal_the_same_list_live() -> None:
    live = live_connection(
        live_stream(namespace="public", key=[], columns=["address", "id", "updated_at"])
    )
    stream = {**APPEND, "columns": {"except": ["email"]}}
    assert plan_with([stream], (ORDERS,), live).changes == ()
    wider = replace(ORDERS, fields=(*ORDERS.fields, ("new",)))
    change = only_change(plan_with([stream], (wider,), live))
    assert [(f.pointer, f.after) for f in change.fields] == [
        ("/streams[public.orders]/columns", ["address", "id", "new", "updated_at"])
    ]


def test_what_a_plan_has_fixed_is_not_resolved_again() -> None:
    """A column that came to the source since was shown to nobody."""
    desired = desired_of(
        *ACTORS(), connection(streams=[{**APPEND, "columns": {"except": ["email"]}}])
    )
    spec = desired.resources[ADDRESS].spec
    assert isinstance(spec, Connection)
    planned = resolve_columns(spec, (ORDERS,))
    wider = replace(ORDERS, fields=(*ORDERS.fields, ("new",)))
    assert resolve_columns(planned, (wider,)) == planned
    assert resolve_columns(spec, (wider,)) != planned


def test_a_replaced_connection_is_checked_while_it_is_written() -> None:
    """Its streams are written though none of them changes."""
    moved = live_connection(live_stream(namespace="public", key=[]), source="another-source")
    documents = [*ACTORS(), connection(streams=[APPEND])]
    assert only_change(plan_of(documents, [*WORLD, moved])).action == "replace"
    assert not plan_of(documents, [*WORLD, moved]).complete
    assert plan_with([APPEND], (ORDERS,), moved).complete


def test_more_fields_than_airbyte_takes() -> None:
    many = replace(ORDERS, fields=(*ORDERS.fields, *((f"f{i}",) for i in range(MOST_FIELDS))))
    (diagnostic,) = plan_with([APPEND], (many,)).diagnostics
    assert (diagnostic.code, diagnostic.pointer) == ("too-many-fields", "/spec/streams")
    assert found({**APPEND, "columns": ["updated_at"]}, many) == []


def test_a_stream_that_live_alone_has_stands_at_the_list() -> None:
    live = live_connection(
        live_stream(namespace="public"),
        live_stream("gone", namespace="public"),
        schema_changes="propagate_fully",
    )
    plan = plan_with([APPEND], (ORDERS,), live, prefix="x_")
    assert [(d.code, d.pointer) for d in plan.diagnostics] == [("unknown-stream", "/spec/streams")]
