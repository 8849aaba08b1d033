"""What is sent to the public API: what git means, and never what would destroy something."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.backends import bodies, public_read, public_write
from reconciler.core.diagnostics import ReconcilerError, Refused
from reconciler.core.kinds import KINDS
from reconciler.core.model import (
    ALL_COLUMNS,
    KEEP,
    MANUAL,
    MASK,
    SYNC_MODES,
    UNSET,
    Columns,
    Connection,
    Mapper,
    Namespace,
    Ref,
    Schedule,
    Secret,
    Source,
    Stream,
    Tag,
    Update,
    is_mask,
)
from reconciler.core.redact import leaves

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

TAGS = bodies.tag_objects(
    "w-1", {name: Tag(f"t-{name}", name, "1F77B4") for name in ("gold", "pii", "raw")}
)
USERS = Stream(
    name="users", namespace=None, sync_mode="full_refresh_overwrite", columns=ALL_COLUMNS
)
CONNECTION = Connection("c", Ref(id="s-1"), Ref(id="d-1"), streams=(USERS,))
SOURCE = Source("shop", "def-1", {"host": "db", "password": Secret("${env:P}", "hunter2")})
ALLOCATION = {"default": {"cpu_limit": "1"}, "jobSpecific": []}


def patch(connection: Connection = CONNECTION, **changes: Any) -> dict[str, Any]:
    return public_write.connection_patch(
        Update(replace(connection, **changes), frozenset(changes)), TAGS
    )


def patched_stream(**changes: Any) -> dict[str, Any]:
    body = patch(streams=(replace(USERS, **changes),))
    stream: dict[str, Any] = body["configurations"]["streams"][0]
    return stream


# --- Sources and destinations ----------------------------------------------------------------


def test_an_actor_is_created_by_definition_with_its_secrets_in_clear() -> None:
    assert public_write.actor_create("w-1", SOURCE) == {
        "name": "shop",
        "workspaceId": "w-1",
        "definitionId": "def-1",
        "configuration": {"host": "db", "password": "hunter2"},
    }


def test_a_whole_update_keeps_the_live_name_and_allocation_unless_they_change() -> None:
    live = replace(SOURCE, name="old name", resource_allocation=ALLOCATION)
    update = Update(SOURCE, frozenset({"configuration"}), whole=True)
    assert public_write.actor_put(update, live) == {
        "name": "old name",
        "configuration": {"host": "db", "password": "hunter2"},
        "resourceAllocation": ALLOCATION,
    }


def test_a_rename_sends_the_name_and_the_allocation_that_would_be_reset() -> None:
    live = replace(SOURCE, resource_allocation=ALLOCATION)
    assert public_write.actor_patch(Update(SOURCE, frozenset({"name"})), live) == {
        "name": "shop",
        "resourceAllocation": ALLOCATION,
    }
    assert public_write.actor_patch(Update(SOURCE, frozenset({"name"})), SOURCE) == {"name": "shop"}


def test_an_allocation_always_has_a_default() -> None:
    live = replace(SOURCE, resource_allocation={"jobSpecific": []})
    body = public_write.actor_patch(Update(SOURCE, frozenset({"name"})), live)
    assert body["resourceAllocation"] == {"default": {}, "jobSpecific": []}


def test_a_whole_update_may_hold_the_exact_mask_and_no_other() -> None:
    update = Update(
        replace(SOURCE, configuration={"password": MASK}), frozenset({"configuration"}), whole=True
    )
    assert public_write.actor_put(update, SOURCE)["configuration"] == {"password": MASK}
    other = replace(update, spec=replace(SOURCE, configuration={"password": "******"}))
    with pytest.raises(ReconcilerError, match="/configuration/password"):
        public_write.actor_put(other, SOURCE)


@pytest.mark.parametrize("leaf", [MASK, "******", Secret("${env:P}", MASK)])
@pytest.mark.parametrize("nest", [lambda leaf: {"a/b": leaf}, lambda leaf: {"a": [{"b": leaf}]}])
def test_a_mask_is_never_created_or_merged(leaf: Any, nest: Callable[[Any], Any]) -> None:
    spec = replace(SOURCE, configuration=nest(leaf))
    with pytest.raises(ReconcilerError, match="is a mask"):
        public_write.actor_create("w-1", spec)
    with pytest.raises(ReconcilerError, match="is a mask"):
        public_write.actor_patch(Update(spec, frozenset({"configuration"})), SOURCE)


@pytest.mark.parametrize(
    ("leaf", "named"),
    [
        (Secret("${env:P}", UNSET), r"/configuration/a/0 needs \$\{env:P\}"),
        (KEEP, "/configuration/a/0 has no value"),
        (UNSET, "/configuration/a/0 has no value"),
    ],
)
def test_a_secret_that_is_not_at_hand_is_named_and_nothing_is_made(leaf: Any, named: str) -> None:
    spec = replace(SOURCE, configuration={"a": [leaf]})
    update = Update(spec, frozenset({"configuration"}))
    for make in (
        lambda: public_write.actor_create("w-1", spec),
        lambda: public_write.actor_put(replace(update, whole=True), SOURCE),
        lambda: public_write.actor_patch(update, SOURCE),
    ):
        with pytest.raises(ReconcilerError, match=named):
            make()


@pytest.mark.parametrize("names", [frozenset({"connector"}), frozenset()])
def test_an_update_of_nothing_or_of_what_cannot_change_is_refused(names: frozenset[str]) -> None:
    with pytest.raises(ReconcilerError, match="an update of"):
        public_write.actor_patch(Update(SOURCE, names), SOURCE)
    with pytest.raises(ReconcilerError, match="an update of"):
        public_write.connection_patch(Update(CONNECTION, names), TAGS)


def test_an_update_with_the_spec_of_another_kind_is_an_error() -> None:
    with pytest.raises(ReconcilerError, match="spec of a connection"):
        public_write.actor_patch(Update(CONNECTION, frozenset({"name"})), SOURCE)
    with pytest.raises(ReconcilerError, match="spec of an actor"):
        public_write.connection_patch(Update(SOURCE, frozenset({"name"})), TAGS)


def test_a_connection_whose_source_has_no_id_yet_is_not_created() -> None:
    with pytest.raises(ReconcilerError, match="source of the connection has no id"):
        public_write.connection_create(replace(CONNECTION, source=Ref(name="shop")), TAGS)


# --- Connections -----------------------------------------------------------------------------


def test_a_connection_is_created_from_what_is_stated() -> None:
    spec = replace(
        CONNECTION,
        status="inactive",
        schedule=MANUAL,
        tags=(),
        prefix="",
        namespace=Namespace("source"),
    )
    assert public_write.connection_create(spec, TAGS) == {
        "sourceId": "s-1",
        "destinationId": "d-1",
        "name": "c",
        "status": "inactive",
        "schedule": {"scheduleType": "manual"},
        "namespaceDefinition": "source",
        "prefix": "",
        "tags": [],
        "configurations": {"streams": [{"name": "users", "syncMode": "full_refresh_overwrite"}]},
    }


@pytest.mark.parametrize("streams", [UNSET, ()])
def test_a_connection_without_streams_is_not_created(streams: Any) -> None:
    with pytest.raises(Refused, match="without streams"):
        public_write.connection_create(replace(CONNECTION, streams=streams), TAGS)


def test_streams_cannot_all_be_taken_away() -> None:
    with pytest.raises(Refused, match="empty list") as caught:
        patch(streams=())
    assert "inactive" in caught.value.hint


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"name": "n"}, {"name": "n"}),
        ({"status": "active"}, {"status": "active"}),
        ({"prefix": ""}, {"prefix": ""}),
        ({"schedule": MANUAL}, {"schedule": {"scheduleType": "manual"}}),
        (
            {"schedule": Schedule(cron="0 0 1 * * ?", timezone="Etc/UTC")},
            {"schedule": {"scheduleType": "cron", "cronExpression": "0 0 1 * * ?"}},
        ),
        ({"namespace": Namespace("destination")}, {"namespaceDefinition": "destination"}),
        (
            {"namespace": Namespace("format", "x")},
            {"namespaceDefinition": "custom_format", "namespaceFormat": "x"},
        ),
        ({"schema_changes": "disable"}, {"nonBreakingSchemaUpdatesBehavior": "disable_connection"}),
        ({"schema_changes": "ignore"}, {"nonBreakingSchemaUpdatesBehavior": "ignore"}),
        ({"tags": ()}, {"tags": []}),
        (
            {"tags": ("pii",)},
            {"tags": [{"tagId": "t-pii", "workspaceId": "w-1", "name": "pii", "color": "1F77B4"}]},
        ),
    ],
)
def test_only_the_named_fields_are_patched(changes: dict[str, Any], body: dict[str, Any]) -> None:
    assert patch(**changes) == body


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": Schedule(every=6, unit="hours")},
        {"schedule": Schedule(cron="0 0 1 * * ?", timezone="Europe/Berlin")},
        {"status": "deprecated"},
        {"status": "locked"},
        {"streams": (replace(USERS, sync_mode=None),)},
    ],
)
def test_what_the_api_would_read_as_something_else_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        patch(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": ("unheard-of",)},
        {"tags": UNSET},
        {"streams": (replace(USERS, columns=Columns(excluding=("a",))),)},
        {"streams": (replace(USERS, columns=Columns(names=())),)},
        {"source": Ref(id="s-2")},
    ],
)
def test_what_the_core_should_have_settled_is_an_error(changes: dict[str, Any]) -> None:
    with pytest.raises(ReconcilerError):
        patch(**changes)


def test_a_stream_leaves_out_what_is_empty_and_sends_the_mode_always() -> None:
    assert patched_stream(cursor_field=(), primary_key=(), include_files=False) == {
        "name": "users",
        "syncMode": "full_refresh_overwrite",
    }


def test_a_stream_is_sent_with_all_it_states() -> None:
    stream = patched_stream(
        namespace="public",
        sync_mode="incremental_deduped_history",
        cursor_field=("updated_at",),
        primary_key=(("id",), ("region", "code")),
        columns=Columns(names=("updated_at", "id")),
        mappers=(
            Mapper("hashing", {"targetField": "email"}, "m-1"),
            Mapper("field-filtering", {"targetField": "x"}),
        ),
        include_files=True,
        destination_object_name="Contact",
    )
    assert stream == {
        "name": "users",
        "namespace": "public",
        "syncMode": "incremental_deduped_history",
        "cursorField": ["updated_at"],
        "primaryKey": [["id"], ["region", "code"]],
        "selectedFields": [{"fieldPath": ["id"]}, {"fieldPath": ["updated_at"]}],
        "mappers": [
            {"id": "m-1", "type": "hashing", "mapperConfiguration": {"targetField": "email"}},
            {"type": "field-filtering", "mapperConfiguration": {"targetField": "x"}},
        ],
        "includeFiles": True,
        "destinationObjectName": "Contact",
    }


def test_mappers_that_are_explicitly_none_are_sent_as_an_empty_list() -> None:
    assert patched_stream(mappers=())["mappers"] == []


@pytest.mark.parametrize("key", [MASK, KEEP])
def test_a_kept_encryption_key_goes_back_only_under_its_own_mapper_id(key: Any) -> None:
    kept = Mapper("encryption", {"algorithm": "AES", "key": key}, "m-1")
    sent = patched_stream(mappers=(kept,))["mappers"][0]
    assert sent == {
        "id": "m-1",
        "type": "encryption",
        "mapperConfiguration": {"algorithm": "AES", "key": MASK},
    }
    with pytest.raises(ReconcilerError):
        patched_stream(mappers=(replace(kept, id=None),))
    with pytest.raises(ReconcilerError):
        public_write.connection_create(
            replace(CONNECTION, streams=(replace(USERS, mappers=(kept,)),)), TAGS
        )


# --- Laws ------------------------------------------------------------------------------------

names = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=6)
paths = st.lists(names, min_size=1, max_size=2).map(tuple)
targets = {"targetField": "email"}
mappers = st.builds(
    Mapper,
    type=st.sampled_from(
        ["hashing", "field-filtering", "field-renaming", "row-filtering", "encryption"]
    ),
    config=st.dictionaries(
        names, st.text(max_size=5) | st.lists(st.integers(), max_size=2), max_size=3
    ),
    id=st.none() | st.uuids().map(str),
)
streams = st.builds(
    Stream,
    name=names,
    namespace=st.none() | names,
    sync_mode=st.sampled_from(sorted(SYNC_MODES)),
    cursor_field=st.just(UNSET) | paths,
    primary_key=st.just(UNSET) | st.lists(paths, min_size=1, max_size=2).map(tuple),
    columns=st.just(ALL_COLUMNS)
    | st.sets(names, min_size=1, max_size=3).map(lambda found: Columns(names=tuple(sorted(found)))),
    mappers=st.lists(mappers, max_size=3).map(tuple),
    include_files=st.just(UNSET) | st.just(value=True),
    destination_object_name=st.just(UNSET) | names,
)
connections = st.builds(
    Connection,
    name=names,
    source=st.just(Ref(id="s-1")),
    destination=st.just(Ref(id="d-1")),
    status=st.sampled_from(["active", "inactive"]),
    schedule=st.just(MANUAL)
    | st.sampled_from(["0 0 12 * * ?", "0 0 12 ? * MON", "0 0 12 * * ? 2030"]).map(
        lambda c: Schedule(cron=c)
    ),
    namespace=st.sampled_from(
        [Namespace("source"), Namespace("destination"), Namespace("format", "a_b")]
    ),
    prefix=st.text(max_size=4),
    schema_changes=st.sampled_from(["ignore", "disable", "propagate_columns", "propagate_fully"]),
    tags=st.sets(st.sampled_from(["gold", "pii", "raw"])).map(lambda found: tuple(sorted(found))),
    streams=st.lists(streams, min_size=1, max_size=3).map(tuple),
)


def as_answered(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What a server that stored `sent` reads back (PUB §4.2, §4.4), after a trip through JSON."""
    body: dict[str, Any] = json.loads(json.dumps(sent))
    body |= {"connectionId": "c-1", "workspaceId": "w-1", "createdAt": 1_738_483_200}
    if "cronExpression" in body["schedule"]:
        body["schedule"]["cronExpression"] += " UTC"
    for stream in body["configurations"]["streams"]:
        for empty in ("cursorField", "primaryKey", "selectedFields", "mappers"):
            stream.setdefault(empty, [])
        stream.setdefault("includeFiles", False)
        stream["selectedFields"].reverse()
    body["tags"].reverse()
    return body


@UNHURRIED
@given(connections)
def test_what_is_written_reads_back_as_what_was_meant(spec: Connection) -> None:
    live = public_read.connection(as_answered(public_write.connection_create(spec, TAGS)))
    assert live is not None
    assert isinstance(live.spec, Connection)
    assert isinstance(spec.streams, tuple)
    meant = tuple(replace(s, include_files=s.include_files is True) for s in spec.streams)
    assert live.spec == replace(spec, streams=meant)


@UNHURRIED
@given(connections)
def test_reading_and_patching_back_sends_the_same_again(spec: Connection) -> None:
    first = public_write.connection_create(spec, TAGS)
    live = public_read.connection(as_answered(first))
    assert live is not None
    row = KINDS["connection"]
    here = {row.fields[name] for name in row.fields if name not in (*row.only_in, *row.references)}
    writable = frozenset(here)
    again = public_write.connection_patch(Update(live.spec, writable), TAGS)
    assert again == {k: v for k, v in first.items() if k not in ("sourceId", "destinationId")}


secret_or_not = st.recursive(
    st.text(max_size=12)
    | st.integers()
    | st.just(MASK)
    | st.sampled_from([KEEP, UNSET, Secret("${env:A}", UNSET), Secret("${env:A}", MASK)])
    | st.text("*", min_size=4, max_size=14)
    | st.text(max_size=12).map(lambda text: Secret("${env:A}", text)),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=4), children, max_size=3)
    ),
    max_leaves=8,
)


@UNHURRIED
@given(st.dictionaries(st.text(max_size=4), secret_or_not, max_size=4))
def test_no_body_that_is_created_or_merged_ever_holds_a_mask(configuration: dict[str, Any]) -> None:
    spec = replace(SOURCE, configuration=configuration)
    for make in (
        lambda: public_write.actor_create("w-1", spec),
        lambda: public_write.actor_patch(Update(spec, frozenset({"configuration"})), SOURCE),
    ):
        try:
            body = make()
        except ReconcilerError:
            continue
        assert not any(is_mask(leaf) for _, leaf in leaves(body))
        json.dumps(body)


@UNHURRIED
@given(
    connections,
    st.lists(
        mappers.map(lambda m: replace(m, config={**m.config, "key": MASK})), min_size=1, max_size=2
    ),
)
def test_a_patched_connection_holds_a_mask_only_beside_a_mapper_id(
    spec: Connection, masked: list[Mapper]
) -> None:
    assert isinstance(spec.streams, tuple)
    first = replace(spec.streams[0], mappers=tuple(masked))
    known = all(mapper.id for mapper in masked)
    update = Update(replace(spec, streams=(first,)), frozenset({"streams"}))
    if known:
        public_write.connection_patch(update, TAGS)
        return
    with pytest.raises(ReconcilerError, match="mask"):
        public_write.connection_patch(update, TAGS)
