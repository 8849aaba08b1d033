"""What git states, laid over what is live: each part of a stream where it belongs, and nothing more sent."""

from typing import Any

import pytest

from reconciler.core.diff import FieldChange
from reconciler.core.model import UNSET, Connection, LiveObject, Mapper, Namespace, Stream
from reconciler.core.planning import Planned, Step
from tests.core.build import (
    ACTORS,
    DESTINATION_ID,
    SOURCE_ID,
    WORLD,
    connection,
    encryption,
    env,
    git_mapper,
    hashing,
    live_connection,
    live_destination,
    live_stream,
    only_change,
    plan_of,
    planned,
    source,
)

SYNCED = {"name": "orders", "syncMode": "incremental_append"}


def step_of(streams: Any, *objects: LiveObject, **git: Any) -> Step:
    made: Planned = planned([*ACTORS(), connection(streams=streams, **git)], [*WORLD, *objects])
    (step,) = made.steps.values()
    return step


def fields(streams: Any, *live: Stream) -> list[FieldChange]:
    return list(step_of(streams, live_connection(*live)).change.fields)


def written(streams: Any, *live: Stream) -> tuple[Stream, ...]:
    """The streams of an update, as they are sent."""
    update = step_of(streams, live_connection(*live)).update
    assert update is not None
    assert isinstance(update.spec, Connection)
    assert isinstance(update.spec.streams, tuple)
    return update.spec.streams


# --- streams ----------------------------------------------------------------------------------------


def test_streams_of_one_name_are_told_apart_by_their_namespace() -> None:
    public = live_stream(namespace="public", mappers=[hashing()], columns=["id", "email"])
    audit = live_stream(namespace="audit", cursor=("id",))
    streams = [{**SYNCED, "namespace": "audit"}, {**SYNCED, "namespace": "public"}]
    documents = [*ACTORS(), connection(streams=streams)]
    assert plan_of(documents, [*WORLD, live_connection(public, audit)]).changes == ()


def test_a_stream_without_its_namespace_means_none_of_several() -> None:
    live = [live_stream(namespace=name, mappers=[hashing()]) for name in ("public", "audit")]
    pointers = {field.pointer for field in fields([SYNCED], *live)}
    assert {"/streams[public.orders]", "/streams[audit.orders]", "/streams[orders]"} == pointers


def test_a_mode_that_uses_no_cursor_and_no_key_gets_none() -> None:
    (sent,) = written([{"name": "orders", "syncMode": "full_refresh_append"}], live_stream())
    assert sent.cursor_field is UNSET
    (sent,) = written([{"name": "orders", "syncMode": "full_refresh_overwrite"}], live_stream())
    assert (sent.cursor_field, sent.primary_key) == (UNSET, UNSET)


def test_a_mode_that_uses_them_keeps_those_that_are_live() -> None:
    (sent,) = written(
        [{"name": "orders", "syncMode": "incremental_deduped_history"}], live_stream()
    )
    assert (sent.cursor_field, sent.primary_key) == (("updated_at",), (("id",),))


def test_files_that_are_to_be_moved_are_a_change() -> None:
    (field,) = fields([{**SYNCED, "includeFiles": True}], live_stream())
    assert (field.pointer, field.after) == ("/streams[orders]/includeFiles", True)


def test_two_mappers_of_one_type_keep_each_its_own_key() -> None:
    live = [encryption("ssn", mapper_id="m-1"), encryption("iban", mapper_id="m-2")]
    mappers = [git_mapper(encryption(at), key=env("KEY", "ab" * 16)) for at in ("iban", "ssn")]
    (sent,) = written(
        [{**SYNCED, "cursorField": "id", "mappers": mappers}], live_stream(mappers=live)
    )
    assert isinstance(sent.mappers, tuple)
    assert [(m.config["targetField"], m.id) for m in sent.mappers] == [
        ("iban", "m-2"),
        ("ssn", "m-1"),
    ]


def test_a_renaming_is_the_same_by_the_column_it_renames() -> None:
    def renaming(column: str) -> dict[str, Any]:
        return {"type": "field-renaming", "originalFieldName": column, "newFieldName": f"{column}2"}

    stored = [
        Mapper(each.pop("type"), each, f"id-{column}")
        for column in ("b", "a")
        if (each := renaming(column))
    ]
    (sent,) = written(
        [{**SYNCED, "mappers": [renaming("a"), renaming("b")]}], live_stream(mappers=stored)
    )
    assert isinstance(sent.mappers, tuple)
    assert [m.id for m in sent.mappers] == ["id-a", "id-b"]


# --- whole connections ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [env("KEY"), env("KEY", "ab" * 16)])
def test_a_new_connection_with_a_key_of_gits_is_not_refused(key: object) -> None:
    mappers = [git_mapper(encryption(), key=key)]
    step = step_of([{**SYNCED, "mappers": mappers}])
    assert (step.change.action, step.change.refusals) == ("create", ())


def test_a_namespace_is_shown_as_git_writes_it() -> None:
    live = live_connection(namespace=Namespace("format", "x_${SOURCE_NAMESPACE}"))
    (field,) = only_change(plan_of([*ACTORS(), connection()], [*WORLD, live])).fields
    assert (field.before, field.after) == ({"format": "x_${SOURCE_NAMESPACE}"}, "source")


def test_ends_that_nobody_manages_are_found_each_by_its_own_name() -> None:
    """Also where a source and a destination have one name."""
    objects = [*WORLD[:1], live_destination(name="shop")]
    document = connection(source={"name": "shop"}, destination={"name": "shop"}, streams=[SYNCED])
    (step,) = planned([document], objects).steps.values()
    assert isinstance(step.spec, Connection)
    assert (step.spec.source.id, step.spec.destination.id) == (SOURCE_ID, DESTINATION_ID)


def test_an_end_that_is_not_found_is_named_beside_one_that_is_managed() -> None:
    document = connection(destination={"name": "nowhere"}, streams=[SYNCED])
    (found,) = plan_of([source(), document], WORLD).diagnostics
    assert (found.code, found.pointer) == ("unknown-reference", "/spec/destination")
    assert found.message == "no live destinations match 'nowhere'"


def test_an_end_that_several_are_named_is_ambiguous() -> None:
    other = live_destination(object_id="bbbbbbbb-0000-4000-8000-000000000002")
    document = connection(destination={"name": "lake"}, streams=[SYNCED])
    (found,) = plan_of([source(), document], [*WORLD, other]).diagnostics
    assert (found.code, found.message) == ("ambiguous-name", "2 live destinations match 'lake'")


def test_an_id_that_nothing_has_is_said_as_it_is() -> None:
    gone = "eeeeeeee-0000-4000-8000-000000000001"
    document = connection(source={"id": gone}, destination={"name": "lake"}, streams=[SYNCED])
    (found,) = plan_of([document], WORLD).diagnostics
    assert found.message == f"no live sources match {gone!r}"


# --- secrets in lists -------------------------------------------------------------------------------


def test_a_literal_secret_in_a_list_is_not_shown() -> None:
    canary = "canary-in-a-list-0123456789"
    git = {"host": "db", "keys": [{"name": "a", "secret": canary}, {"name": "b", "secret": canary}]}
    shown = plan_of([source(configuration=git)])
    assert only_change(shown).fields
    assert canary not in repr(shown)
