"""What a branch changes, told from what was different before it, and what left git with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.claim import claim
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.model import Document, LiveObject, Schedule
from reconciler.core.since import released, tell_why
from tests.core.build import (
    ACTORS,
    DESTINATION_ID,
    SOURCE_ID,
    TARGET,
    WORLD,
    absent,
    connection,
    desired_of,
    env,
    hashing,
    live_connection,
    live_of,
    live_source,
    live_stream,
    plan_of,
    source,
)

NIGHTLY = {"cron": "0 0 1 * * ?"}
WEEKLY = {"cron": "0 0 1 ? * SUN"}


# --- Who changed a field -------------------------------------------------------------------------


def _whys(
    old: Iterable[Document], new: Iterable[Document], live: Iterable[LiveObject]
) -> dict[str, str]:
    told = tell_why(plan_of(new, live), plan_of(old, live))
    return {
        f"{change.address.name}{field.pointer}": field.why
        for change in told.changes
        for field in change.fields
    }


def _of_connection(old: dict, new: dict, live: LiveObject) -> dict[str, str]:
    before = [*ACTORS(), connection(**old)]
    return _whys(before, [*ACTORS(), connection(**new)], [*WORLD, live])


@pytest.mark.parametrize(
    ("old", "new", "live", "why"),
    [
        ("a_", "b_", "a_", "git"),  # the old manifest agreed with live
        ("b_", "b_", "a_", "live"),  # the old one wanted the same
        ("c_", "b_", "a_", "both"),  # it wanted something else again
        ("", "b_", "a_", "both"),
        ("b_", "", "a_", "both"),
    ],
)
def test_a_difference_is_of_this_branch_of_airbyte_or_of_both(
    old: str, new: str, live: str, why: str
) -> None:
    whys = _of_connection({"prefix": old}, {"prefix": new}, live_connection(prefix=live))
    assert whys == {"shop-to-lake/prefix": why}


def test_what_git_did_not_state_before_is_git_s() -> None:
    assert _of_connection({}, {"prefix": "b_"}, live_connection(prefix="a_")) == {
        "shop-to-lake/prefix": "git"
    }


def test_each_field_has_its_own_answer() -> None:
    live = live_connection(status="inactive", prefix="a_", schedule=Schedule(cron="0 0 6 * * ?"))
    old = {"status": "active", "prefix": "a_", "schedule": NIGHTLY}
    new = {"status": "active", "prefix": "b_", "schedule": WEEKLY}
    assert _of_connection(old, new, live) == {
        "shop-to-lake/status": "live",
        "shop-to-lake/prefix": "git",
        "shop-to-lake/schedule": "both",
    }


def test_a_new_manifest_is_git_s_and_one_that_was_never_applied_is_not() -> None:
    base = [*ACTORS()]
    streams = [{"name": "orders", "syncMode": "full_refresh_append"}]
    new = [*base, connection(prefix="b_", streams=streams)]
    assert set(_whys(base, new, WORLD).values()) == {"git"}
    whys = _whys([*base, connection(prefix="a_", streams=streams)], new, WORLD)
    assert (whys["shop-to-lake/prefix"], whys["shop-to-lake/source"]) == ("both", "live")


def test_streams_are_told_apart() -> None:
    live = live_connection(live_stream("orders"), live_stream("items"))

    def streams(orders: str, items: str) -> list[dict]:
        return [{"name": "orders", "syncMode": orders}, {"name": "items", "syncMode": items}]

    append, again = "incremental_append", "full_refresh_append"
    whys = _of_connection(
        {"streams": streams(append, again)}, {"streams": streams(again, again)}, live
    )
    assert whys == {
        "shop-to-lake/streams[items]/syncMode": "live",
        "shop-to-lake/streams[orders]/syncMode": "git",
    }


def test_the_same_key_of_two_manifests_is_told_apart() -> None:
    live = [
        *WORLD,
        live_connection(name="a", object_id="c-a", prefix="x_"),
        live_connection(name="b", object_id="c-b", prefix="x_"),
    ]
    old = [*ACTORS(), connection("a", prefix="x_"), connection("b", prefix="y_")]
    new = [*ACTORS(), connection("a", prefix="y_"), connection("b", prefix="y_")]
    assert _whys(old, new, live) == {"a/prefix": "git", "b/prefix": "live"}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (env("HOST", "b"), env("HOST", "b"), "live"),
        (env("OLD_HOST", "c"), env("HOST", "b"), "both"),
        ("a", env("HOST", "b"), "git"),
    ],
)
def test_hidden_values_are_told_apart_by_their_references(old: Any, new: Any, why: str) -> None:
    live = [live_source({"host": "a"})]
    whys = _whys([source(configuration={"host": old})], [source(configuration={"host": new})], live)
    assert whys == {"shop/configuration/host": why}


def test_a_manifest_that_was_renamed_is_still_the_same_one() -> None:
    live = [*WORLD, live_connection(name="Shop", status="inactive", prefix="a_")]
    old = [*ACTORS(), connection("shop-to-lake", name="Shop", status="active", prefix="a_")]
    new = [*ACTORS(), connection("flow", name="Shop", status="active", prefix="b_")]
    assert _whys(old, new, live) == {"flow/status": "live", "flow/prefix": "git"}


def test_nothing_but_the_answer_is_added_to_a_plan() -> None:
    live = [*WORLD, live_connection(prefix="a_")]
    plan = plan_of([*ACTORS(), connection(prefix="b_")], live)
    told = tell_why(plan, plan_of([*ACTORS(), connection(prefix="a_")], live))
    assert (told.digest, told.not_covered, len(told.changes)) == (
        plan.digest,
        plan.not_covered,
        len(plan.changes),
    )
    assert [(c.address, c.effects, len(c.fields)) for c in told.changes] == [
        (c.address, c.effects, len(c.fields)) for c in plan.changes
    ]


# --- What left git -------------------------------------------------------------------------------


def flow(name: str = "shop-to-lake", /, **spec: Any) -> Document:
    """A connection between actors that are not of this project."""
    ends = {"source": {"id": SOURCE_ID}, "destination": {"id": DESTINATION_ID}}
    return connection(name, **ends, **spec)


def _released(
    old: Iterable[Document], new: Iterable[Document], live: Iterable[LiveObject]
) -> tuple[Diagnostic, ...]:
    before, after, objects = desired_of(*old), desired_of(*new), live_of(*live)
    claims, _ = claim(after, objects, TARGET)
    earlier, _ = claim(before, objects, TARGET)
    return released(before, after, claims, earlier)


def _left(old: dict, new: dict, live: LiveObject | None = None) -> list[tuple[str, str]]:
    """Of each value: the place in the manifest that it is missing from, and what left."""
    found = _released([flow(**old)], [flow(**new)], [live or live_connection()])
    assert {d.code for d in found} <= {"released-value"}
    return [(d.pointer, d.message.split(" left git")[0]) for d in found]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("status", "active"),
        ("schedule", "manual"),
        ("prefix", "a_"),
        ("schemaChanges", "ignore"),
        ("tags", ["gold"]),
        ("streams", [{"name": "orders", "syncMode": "incremental_append"}]),
        ("backfillPreference", "disabled"),
        ("notifySchemaChanges", True),
        ("resourceRequirements", {"cpu_limit": "1"}),
    ],
)
def test_a_key_that_leaves_git_is_told(key: str, value: Any) -> None:
    assert _left({key: value}, {}) == [("/spec", repr(key))]
    assert _left({key: value}, {key: value}) == []
    assert _left({}, {key: value}) == []
    assert _left({}, {}) == []


def test_keys_are_told_in_the_order_of_plans() -> None:
    old = {"tags": [], "prefix": "", "schedule": "manual", "status": "active"}
    assert [what for _, what in _left(old, {})] == ["'status'", "'schedule'", "'prefix'", "'tags'"]


def test_an_empty_value_still_states_something() -> None:
    assert _left({"tags": ["gold"], "prefix": "a_"}, {"tags": [], "prefix": ""}) == []


@pytest.mark.parametrize(
    ("key", "value", "clear"),
    [
        ("prefix", "a_", 'to remove it write prefix: ""; '),
        ("tags", ["gold"], "to remove it write tags: []; "),
        ("schedule", NIGHTLY, "to remove it write schedule: manual; "),
        ("status", "active", ""),
        ("schemaChanges", "ignore", ""),
    ],
)
def test_what_left_is_a_warning_with_how_to_clear_it_where_it_can_be(
    key: str, value: Any, clear: str
) -> None:
    (found,) = _released([flow(**{key: value})], [flow()], [live_connection()])
    assert found.message == (
        f"{key!r} left git, so that git no longer watches it; Airbyte keeps what it has"
    )
    assert found.hint == f"{clear}to keep it, put it back"
    assert (found.code, found.severity) == ("released-value", Severity.WARNING)
    assert found.address == "connection/shop-to-lake"
    assert found.span == flow().locate(found.pointer)


# --- of streams


def _stream(**more: Any) -> dict[str, Any]:
    return {"name": "orders", "syncMode": "incremental_append", **more}


HASHED = [{"type": "hashing", **hashing().config}]
FULL = live_stream(columns=["id", "email", "updated_at"], mappers=[hashing()])

OF_STREAMS = [
    ("cursorField", "updated_at"),
    ("primaryKey", "id"),
    ("columns", ["id", "email", "updated_at"]),
    ("mappers", HASHED),
]


@pytest.mark.parametrize(("key", "value"), OF_STREAMS)
def test_a_setting_of_a_stream_that_leaves_git_is_told(key: str, value: Any) -> None:
    live = live_connection(FULL)
    with_it, without = {"streams": [_stream(**{key: value})]}, {"streams": [_stream()]}
    assert _left(with_it, without, live) == [("/spec/streams/0", f"stream orders: {key!r}")]
    assert _left(with_it, with_it, live) == []
    assert _left(without, with_it, live) == []
    assert _left(without, without, live) == []


@pytest.mark.parametrize(
    ("key", "value", "model"),
    [
        ("includeFiles", True, "include_files"),
        ("destinationObjectName", "Contact", "destination_object_name"),
    ],
)
def test_so_is_a_setting_that_few_streams_have(key: str, value: Any, model: str) -> None:
    live = live_connection(replace(live_stream(), **{model: value}))
    with_it, without = {"streams": [_stream(**{key: value})]}, {"streams": [_stream()]}
    assert _left(with_it, without, live) == [("/spec/streams/0", f"stream orders: {key!r}")]
    assert _left(with_it, without, live_connection(live_stream())) == []


@pytest.mark.parametrize(("key", "value"), OF_STREAMS)
def test_a_setting_that_airbyte_has_not_either_is_not_missed(key: str, value: Any) -> None:
    bare = live_connection(live_stream(cursor=(), key=()))
    assert _left({"streams": [_stream(**{key: value})]}, {"streams": [_stream()]}, bare) == []


@pytest.mark.parametrize(
    ("key", "value", "clear"),
    [
        ("columns", ["id", "updated_at"], "to remove it write columns: all; "),
        ("mappers", HASHED, "to remove it write mappers: []; "),
        ("includeFiles", True, "to remove it write includeFiles: false; "),
        ("primaryKey", "id", ""),
    ],
)
def test_how_to_clear_a_setting_of_a_stream_is_told_where_it_can_be(
    key: str, value: Any, clear: str
) -> None:
    live = live_connection(replace(FULL, include_files=True))
    old, new = flow(streams=[_stream(**{key: value})]), flow(streams=[_stream()])
    (found,) = _released([old], [new], [live])
    assert found.hint == f"{clear}to keep it, put it back"


def test_settings_of_a_stream_are_told_in_one_order() -> None:
    old = dict(reversed(OF_STREAMS))
    found = _left({"streams": [_stream(**old)]}, {"streams": [_stream()]}, live_connection(FULL))
    assert [what.split(": ")[1].strip("'") for _, what in found] == [key for key, _ in OF_STREAMS]


@pytest.mark.parametrize(
    ("mode", "left"),
    [
        ("incremental_append", ["cursorField", "primaryKey"]),
        ("incremental_deduped_history", ["cursorField", "primaryKey"]),
        ("full_refresh_overwrite_deduped", ["primaryKey"]),
        ("full_refresh_overwrite", []),
        ("full_refresh_append", []),
    ],
)
def test_cursor_and_key_that_a_new_mode_does_not_use_go_with_the_old_mode(
    mode: str, left: list[str]
) -> None:
    old = _stream(cursorField="updated_at", primaryKey="id")
    found = _left({"streams": [old]}, {"streams": [_stream(syncMode=mode)]}, live_connection(FULL))
    assert [what.split(": ")[1].strip("'") for _, what in found] == left


def test_a_key_that_streams_shared_is_told_for_each_that_has_it() -> None:
    live = live_connection(live_stream("a"), live_stream("b"), live_stream("c", key=()))
    plain = [_stream(name=name) for name in ("c", "b", "a")]
    old = {"streamDefaults": {"primaryKey": "id"}, "streams": plain}
    assert _left(old, {"streams": plain}, live) == [
        ("/spec/streams/1", "stream b: 'primaryKey'"),
        ("/spec/streams/2", "stream a: 'primaryKey'"),
    ]


@pytest.mark.parametrize(
    ("before", "now"),
    [({"namespace": "public"}, {}), ({}, {"namespace": "public"}), ({}, {})],
)
def test_a_stream_is_known_by_its_namespace_even_where_git_leaves_that_out(
    before: dict, now: dict
) -> None:
    live = live_connection(live_stream(namespace="public"))
    old, new = _stream(**before, primaryKey="id"), _stream(**now)
    assert _left({"streams": [old]}, {"streams": [new]}, live) == [
        ("/spec/streams/0", "stream public.orders: 'primaryKey'")
    ]


def test_streams_of_one_name_are_not_confused() -> None:
    live = live_connection(live_stream(namespace="a"), live_stream(namespace="b"))
    old = [_stream(namespace="a", primaryKey="id"), _stream(namespace="b")]
    new = [_stream(namespace="b"), _stream(namespace="a")]
    assert _left({"streams": old}, {"streams": new}, live) == [
        ("/spec/streams/1", "stream a.orders: 'primaryKey'")
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param([_stream(primaryKey="id"), _stream(name="b")], [_stream(name="b")], id="left"),
        pytest.param([_stream(name="b")], [_stream(), _stream(name="b")], id="new"),
    ],
)
def test_a_stream_that_is_not_in_both_has_nothing_to_release(old: list, new: list) -> None:
    live = live_connection(live_stream(), live_stream("b"))
    assert _left({"streams": old}, {"streams": new}, live) == []


def test_a_stream_that_is_not_live_has_nothing_to_release() -> None:
    with_it, without = [_stream(primaryKey="id")], [_stream()]
    assert _left({"streams": with_it}, {"streams": without}, live_connection()) == []


def test_a_selection_that_leaves_git_is_told_as_one() -> None:
    old = {"streams": [_stream(primaryKey="id")]}
    assert _left(old, {}, live_connection(FULL)) == [("/spec", "'streams'")]


# --- whole manifests


@pytest.mark.parametrize(
    ("old", "new", "live"),
    [
        pytest.param(flow(prefix="a_"), flow(), [], id="not live"),
        pytest.param(
            flow(prefix="a_"), absent("connection", "shop-to-lake"), None, id="to be deleted"
        ),
        pytest.param(absent("connection", "shop-to-lake"), flow(), None, id="back again"),
        pytest.param(
            source(configuration={"host": "db", "port": 1}), source(), None, id="whole documents"
        ),
    ],
)
def test_nothing_is_released(old: Document, new: Document, live: list[LiveObject] | None) -> None:
    objects = [*WORLD, live_connection(prefix="a_")] if live is None else live
    assert _released([old], [new], objects) == ()


LIVE = (*WORLD, live_connection())


@pytest.mark.parametrize(
    ("manifest", "address"),
    [
        (source(), "source/shop"),
        (ACTORS()[1], "destination/lake"),
        (flow(), "connection/shop-to-lake"),
    ],
)
def test_a_manifest_that_left_git_is_told(manifest: Document, address: str) -> None:
    (found,) = _released([manifest], [], LIVE)
    assert (found.code, found.severity, found.address) == (
        "manifest-removed",
        Severity.WARNING,
        address,
    )
    assert found.message == (
        f"{address} left git; it stays in Airbyte, and nothing here watches it any more"
    )
    assert found.hint == "to delete it, put the manifest back with state: absent and a reason"


@pytest.mark.parametrize(
    ("old", "new", "live"),
    [
        pytest.param([source()], [source()], LIVE, id="still there"),
        pytest.param([], [source()], LIVE, id="new"),
        pytest.param([source()], [absent("source", "shop")], LIVE, id="deleted"),
        pytest.param([absent("source", "shop")], [], LIVE, id="its deletion is over"),
        pytest.param([source()], [], [], id="not in Airbyte either"),
        pytest.param([source()], [source("shop-2", name="shop")], LIVE, id="another name in git"),
        pytest.param(
            [source()],
            [absent("source", "s", spec={"name": "shop"})],
            LIVE,
            id="deleted by another name",
        ),
    ],
)
def test_no_manifest_is_missed(
    old: list[Document], new: list[Document], live: Iterable[LiveObject]
) -> None:
    assert _released(old, new, live) == ()


def test_a_manifest_whose_object_nobody_could_tell_is_told_all_the_same() -> None:
    twins = [live_source(object_id="s-1"), live_source(object_id="s-2")]
    assert [d.code for d in _released([source()], [], twins)] == ["manifest-removed"]
    assert _released([source()], [source()], twins) == ()


def test_a_manifest_that_was_renamed_releases_what_the_new_one_leaves_out() -> None:
    old = flow("shop-to-lake", name="Shop", prefix="a_")
    new = flow("flow", name="Shop")
    (found,) = _released([old], [new], [live_connection(name="Shop", prefix="a_")])
    assert (found.address, found.pointer) == ("connection/flow", "/spec")


def test_a_name_that_git_took_over_from_airbyte_changes_nothing_of_what_is_released() -> None:
    old = flow(name="Before", prefix="a_")
    new = flow(name="After")
    (found,) = _released([old], [new], [live_connection(name="After", prefix="a_")])
    assert found.message.startswith("'prefix' left git")


def test_values_come_first_and_then_manifests_each_by_address() -> None:
    live = [*LIVE, live_connection(name="b", object_id="c-b")]
    old = [*ACTORS(), flow(prefix="a_"), flow("b", prefix="a_")]
    new = [flow(), flow("b")]
    assert [(d.code, d.address) for d in _released(old, new, live)] == [
        ("released-value", "connection/b"),
        ("released-value", "connection/shop-to-lake"),
        ("manifest-removed", "destination/lake"),
        ("manifest-removed", "source/shop"),
    ]
