"""How the client reads a connection's streams, and what it holds against the source."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.client.streams import refuse_mistakes, streams_of
from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.model import UNSET, Connection, DiscoveredStream, Ref

MERGED = {"syncMode": "incremental", "destinationSyncMode": "append_dedup"}


def entry(**config: Any) -> dict[str, Any]:
    return {"stream": {"name": "users"}, "config": {**MERGED, **config}}


@pytest.mark.parametrize("key", ["id", ["id"], [["id"]], (("id",),)])
@pytest.mark.parametrize("cursor", ["updated_at", ["updated_at"], ("updated_at",)])
def test_the_obvious_forms_of_a_cursor_and_a_key_mean_the_same(cursor: Any, key: Any) -> None:
    (stream,) = streams_of([entry(cursorField=cursor, primaryKey=key)])
    assert stream.cursor_field == ("updated_at",)
    assert stream.primary_key == (("id",),)


def test_several_columns_and_nested_ones_are_a_key_too() -> None:
    (stream,) = streams_of([entry(primaryKey=["a", ["b", "c"]])])
    assert stream.primary_key == (("a",), ("b", "c"))


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_none_and_nothing_leave_cursor_and_key_to_the_source(nothing: Any) -> None:
    (stream,) = streams_of([entry(cursorField=nothing, primaryKey=nothing)])
    assert (stream.cursor_field, stream.primary_key, stream.namespace) == (UNSET, UNSET, UNSET)


def test_what_the_mode_does_not_use_is_not_written() -> None:
    overwritten = {"syncMode": "full_refresh", "destinationSyncMode": "overwrite"}
    (stream,) = streams_of([entry(**overwritten, cursorField="at", primaryKey="id")])
    assert (stream.cursor_field, stream.primary_key) == (UNSET, UNSET)


@pytest.mark.parametrize("streams", ["users", {"stream": {}}, 7, None])
def test_what_is_no_list_is_said_so(streams: Any) -> None:
    with pytest.raises(ReconcilerError, match="streams is no list"):
        streams_of(streams)


def test_a_discovered_entry_is_taken_as_it_stands() -> None:
    extra = {"aliasName": "users", "suggested": True, "selectedFields": [], "mappers": []}
    assert streams_of([entry(**extra)])


def test_every_mistake_is_named_at_once() -> None:
    spec = Connection(
        "c",
        Ref(id="s"),
        Ref(id="d"),
        streams=streams_of([entry(), {**entry(), "stream": {"name": "user"}}]),
    )
    with pytest.raises(ReconcilerError) as refused:
        refuse_mistakes(spec, (DiscoveredStream("users", None, fields=(("id",),)),))
    assert "the source has no cursor" in refused.value.message
    assert "merged by key, and the source defines none" in refused.value.message
    assert "offers no stream 'user'" in refused.value.message
    assert refused.value.hint.startswith("nothing was sent; ")
