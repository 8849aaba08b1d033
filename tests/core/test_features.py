"""What manifests state and an older server hasn't: told once a connection and feature, where it is stated."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from reconciler.core.capabilities import Capabilities, Feature
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.features import not_on_this_server
from reconciler.core.model import Document
from tests.core.build import (
    ACTORS,
    WORLD,
    absent,
    connection,
    desired_of,
    git_mapper,
    hashing,
    plan_of,
)

EVERY: frozenset[Feature] = frozenset(get_args(Feature))


def _stream(name: str = "orders", **more: Any) -> dict[str, Any]:
    return {"name": name, "syncMode": "full_refresh_append", **more}


HASHED: dict[str, Any] = {"mappers": [git_mapper(hashing())]}


def _found(*documents: Document, lacks: frozenset[Feature] = EVERY) -> tuple[Diagnostic, ...]:
    return not_on_this_server(desired_of(*ACTORS(), *documents), lacks)


def _pointers(lacks: frozenset[Feature] = EVERY, **spec: Any) -> list[str]:
    found = _found(connection(**spec), lacks=lacks)
    assert {d.code for d in found} <= {"not-on-this-server"}
    return [diagnostic.pointer for diagnostic in found]


STATED: list[tuple[Feature, dict[str, Any], str]] = [
    ("mappers", {"streams": [_stream(**HASHED)]}, "/spec/streams/0/mappers"),
    ("propagation", {"schemaChanges": "propagate_columns"}, "/spec/schemaChanges"),
    ("propagation", {"schemaChanges": "propagate_fully"}, "/spec/schemaChanges"),
    ("tags", {"tags": ["gold"]}, "/spec/tags"),
]


@pytest.mark.parametrize(("feature", "spec", "pointer"), STATED)
def test_what_the_server_lacks_is_told_where_it_is_stated(
    feature: Feature, spec: dict[str, Any], pointer: str
) -> None:
    assert _pointers(frozenset({feature}), **spec) == [pointer]


@pytest.mark.parametrize(("feature", "spec", "pointer"), STATED)
def test_what_the_server_has_is_not_told(
    feature: Feature, spec: dict[str, Any], pointer: str
) -> None:
    assert _pointers(EVERY - {feature}, **spec) == []
    assert _pointers(frozenset(), **spec) == []


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"tags": []},
        {"schemaChanges": "ignore"},
        {"schemaChanges": "disable"},
        {"streams": [_stream()]},
        {"streams": [_stream(mappers=[])]},
    ],
)
def test_what_any_server_can_do_is_not_told(spec: dict[str, Any]) -> None:
    assert _pointers(**spec) == []


@pytest.mark.parametrize(
    ("streams", "pointer"),
    [
        ([_stream("a"), _stream("b", **HASHED)], "/spec/streams/1/mappers"),
        ([_stream("a", **HASHED), _stream("b", **HASHED)], "/spec/streams/0/mappers"),
        ([_stream("z", mappers=[]), _stream("a"), _stream("m", **HASHED)], "/spec/streams/2/mappers"),
    ],
)  # fmt: skip
def test_of_several_streams_the_first_that_states_it_is_the_place(
    streams: list[dict[str, Any]], pointer: str
) -> None:
    assert _pointers(streams=streams) == [pointer]


def test_mappers_that_streams_share_are_stated_by_each() -> None:
    streams = [_stream("a", mappers=[]), _stream("b")]
    assert _pointers(streams=streams, streamDefaults=HASHED) == ["/spec/streams/1/mappers"]


ALL: dict[str, Any] = {
    "tags": ["gold"],
    "schemaChanges": "propagate_fully",
    "streams": [_stream(**HASHED)],
}


def test_each_missing_feature_is_told_once_a_connection_in_order() -> None:
    some = connection("c", tags=["gold"])
    found = _found(connection("b", **ALL), some, connection("a", prefix="a_", **ALL))
    assert [(d.address, d.pointer) for d in found] == [
        ("connection/a", "/spec/streams/0/mappers"),
        ("connection/a", "/spec/schemaChanges"),
        ("connection/a", "/spec/tags"),
        ("connection/b", "/spec/streams/0/mappers"),
        ("connection/b", "/spec/schemaChanges"),
        ("connection/b", "/spec/tags"),
        ("connection/c", "/spec/tags"),
    ]


def test_only_connections_that_are_to_exist_are_looked_at() -> None:
    gone = absent("connection", "a", spec={"name": "a", "tags": ["gold"]})
    assert [d.address for d in _found(gone, connection("b", tags=["gold"]))] == ["connection/b"]


@pytest.mark.parametrize(
    ("feature", "message", "hint"),
    [
        (
            "mappers",
            "this server has no mappers: it would ignore them, and the columns would arrive in clear",
            "mappers came with Airbyte 1.6: upgrade it, or leave the columns out with columns",
        ),
        (
            "propagation",
            "this server has no propagation of schema changes: it refuses the word",
            "servers as old as 0.40 know only ignore and disable",
        ),
        (
            "tags",
            "this server has no tags: none can be made or set",
            "tags came with Airbyte 1.6: leave them out for this target",
        ),
    ],
)
def test_what_the_server_would_do_and_what_to_do_about_it_is_said(
    feature: Feature, message: str, hint: str
) -> None:
    document = connection(**ALL)
    (found,) = _found(document, lacks=frozenset({feature}))
    assert (found.message, found.hint) == (message, hint)
    assert (found.code, found.severity) == ("not-on-this-server", Severity.ERROR)
    assert found.span == document.locate(found.pointer)


@pytest.mark.parametrize("feature", sorted(EVERY))
def test_every_feature_that_a_server_may_lack_can_be_told(feature: Feature) -> None:
    assert len(_found(connection(**ALL), lacks=frozenset({feature}))) == 1


def test_a_plan_that_needs_what_the_server_lacks_can_not_be_applied() -> None:
    documents = [*ACTORS(), connection(tags=["gold"], streams=[_stream()])]
    lacking = Capabilities("public", lacks=frozenset({"tags"}))
    plan = plan_of(documents, WORLD, capabilities=lacking)
    assert [d.code for d in plan.diagnostics] == ["not-on-this-server"]
    assert not plan.applyable
    assert plan_of(documents, WORLD).applyable
