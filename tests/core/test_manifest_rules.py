"""Validation stages 3 and 4: each thing that can be wrong in manifests, with a case where it is right."""

from typing import Any

import pytest

from reconciler.core.build import build
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.model import (
    ALL_COLUMNS,
    KEEP,
    UNSET,
    Address,
    Columns,
    Connection,
    Consent,
    Document,
    Mapper,
    Namespace,
    Ref,
    Secret,
    Stream,
)
from tests.core.build import (
    ACTORS,
    TARGET,
    absent,
    codes,
    connection,
    destination,
    encryption,
    env,
    git_mapper,
    hashing,
    source,
)

CANARY = "canary-9f3c2a17d1e0aa"


def found_in(*documents: Document) -> tuple[Diagnostic, ...]:
    return build(documents, TARGET)[1]


def found_in_streams(*streams: object, **spec: Any) -> list[str]:
    return codes(found_in(*ACTORS(), connection(streams=list(streams), **spec)))


def connection_of(**spec: Any) -> Connection:
    desired, found = build([*ACTORS(), connection(**spec)], TARGET)
    assert codes(found) == []
    parsed = desired.resources[Address("connection", "shop-to-lake")].spec
    assert isinstance(parsed, Connection)
    return parsed


def stream_of(stream: object, **spec: Any) -> Stream:
    streams = connection_of(streams=[stream], **spec).streams
    assert isinstance(streams, tuple)
    return streams[0]


INCREMENTAL = {"name": "orders", "syncMode": "incremental_append"}
FULL = {"name": "orders", "syncMode": "full_refresh_overwrite"}
DEDUPED = {"name": "orders", "syncMode": "incremental_deduped_history"}


# --- reading -------------------------------------------------------------------------------------


def test_what_git_does_not_say_is_unset() -> None:
    parsed = connection_of()
    silent = (parsed.status, parsed.schedule, parsed.prefix, parsed.schema_changes, parsed.tags)
    assert {*silent, parsed.streams} == {UNSET}
    assert stream_of(INCREMENTAL) == Stream("orders", sync_mode="incremental_append")


def test_a_name_is_the_display_name_or_the_manifests_own() -> None:
    desired, _ = build([source(), source("b", name="B, shown")], TARGET)
    assert [resource.name for resource in desired.resources.values()] == ["B, shown", "shop"]


@pytest.mark.parametrize(
    ("written", "namespace"),
    [
        ("source", Namespace("source")),
        ("destination", Namespace("destination")),
        ({"format": "raw_${SOURCE_NAMESPACE}"}, Namespace("format", "raw_${SOURCE_NAMESPACE}")),
    ],
)
def test_a_destination_namespace_is_one_of_three(written: object, namespace: Namespace) -> None:
    assert connection_of(destinationNamespace=written).namespace == namespace


@pytest.mark.parametrize(
    ("written", "ref"),
    [
        ({"id": "AAAAAAAA-0000-4000-8000-000000000009"}, "aaaaaaaa-0000-4000-8000-000000000009"),
        ({"name": "Shop"}, None),
    ],
)
def test_what_we_do_not_manage_is_named_by_id_or_name(written: object, ref: str | None) -> None:
    expected = Ref(id=ref) if ref else Ref(name="Shop")
    assert connection_of(source=written).source == expected


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("id", (("id",),)),
        (["a", "b"], (("a",), ("b",))),
        ([["a", "b"], ["c"]], (("a", "b"), ("c",))),
    ],
)
def test_a_key_is_a_column_a_list_or_a_list_of_paths(written: object, key: object) -> None:
    assert stream_of({**DEDUPED, "primaryKey": written}).primary_key == key


@pytest.mark.parametrize(
    ("written", "columns"),
    [
        ("all", ALL_COLUMNS),
        (["b", "a", "b"], Columns(("a", "b"))),
        ({"except": ["x"]}, Columns(excluding=("x",))),
    ],
)
def test_columns_are_all_a_list_or_all_but_some(written: object, columns: Columns) -> None:
    assert stream_of({**INCREMENTAL, "columns": written}).columns == columns


def test_stream_defaults_fill_in_what_a_stream_does_not_say() -> None:
    defaults = {
        "namespace": "public",
        "syncMode": "incremental_append",
        "cursorField": "updated_at",
        "columns": "all",
        "mappers": [],
    }
    assert stream_of("orders", streamDefaults=defaults) == Stream(
        "orders",
        namespace="public",
        sync_mode="incremental_append",
        cursor_field=("updated_at",),
        columns=ALL_COLUMNS,
        mappers=(),
    )
    own = {"name": "orders", "namespace": None, "cursorField": ["a", "b"]}
    assert stream_of(own, streamDefaults=defaults).namespace is None
    assert stream_of(own, streamDefaults=defaults).cursor_field == ("a", "b")


def test_a_default_that_a_mode_does_not_use_is_left_out() -> None:
    defaults = {"cursorField": "updated_at", "primaryKey": "id"}
    stream = stream_of(FULL, streamDefaults=defaults)
    assert (stream.cursor_field, stream.primary_key) == (UNSET, UNSET)


def test_a_mappers_arguments_are_kept_flat() -> None:
    stream = stream_of({**INCREMENTAL, "mappers": [git_mapper(hashing())]})
    assert stream.mappers == (Mapper("hashing", hashing().config),)


def test_consent_in_a_manifest_is_an_effect_or_effects_and_streams() -> None:
    allow = ["replace", {"effects": ["state-loss"], "streams": ["public.orders"]}]
    desired, _ = build([source(lifecycle={"allow": allow, "preventDestroy": True})], TARGET)
    (resource,) = desired.resources.values()
    assert resource.lifecycle.prevent_destroy
    assert resource.lifecycle.allow == (
        Consent(("replace",)),
        Consent(("state-loss",), ("public.orders",)),
    )


def test_a_pin_is_that_of_the_target() -> None:
    ids = {"ids": {TARGET: "AAAA", "staging": "BBBB"}}
    desired, _ = build([source(metadata=ids)], TARGET)
    assert [resource.pin for resource in desired.resources.values()] == ["aaaa"]


# --- between manifests ---------------------------------------------------------------------------


def test_two_manifests_of_one_address() -> None:
    assert codes(found_in(source(), source())) == ["duplicate-address"]
    assert codes(found_in(source(), destination("shop"))) == []


def test_two_manifests_of_one_live_name() -> None:
    named = source("other", name="shop")
    assert codes(found_in(source(), named)) == ["duplicate-name"]
    pinned = source("other", name="shop", metadata={"ids": {TARGET: "1"}})
    assert codes(found_in(source(), pinned)) == []
    assert codes(found_in(source(), destination("other", name="shop"))) == []


def test_a_reference_to_nothing_guesses() -> None:
    (diagnostic,) = found_in(source("shop-pg"), destination(), connection(source="shop_pg"))
    assert (diagnostic.code, diagnostic.hint) == ("unknown-reference", "did you mean 'shop-pg'?")
    assert diagnostic.pointer == "/spec/source"
    assert diagnostic.span is not None
    assert diagnostic.address == "connection/shop-to-lake"


def test_a_reference_to_nothing_lists_what_there_is() -> None:
    (diagnostic,) = found_in(source("zzz"), destination(), connection())
    assert "known here: zzz" in diagnostic.hint


def test_a_reference_to_what_is_to_go() -> None:
    documents = [absent("source", "shop"), destination(), connection()]
    assert codes(found_in(*documents)) == ["reference-to-absent"]
    assert codes(found_in(*documents[:2], absent("connection", "shop-to-lake"))) == []


@pytest.mark.parametrize(
    ("kind", "path", "known"),
    [
        ("source", "/configuration", True),
        ("source", "/configuration/jdbc_url_params", True),
        ("source", "/configuration/tunnel/password", True),
        ("source", "/name", True),
        ("source", "/connector", False),
        ("source", "/config", False),
        ("source", "/name/x", False),
        ("connection", "/schedule", True),
        ("connection", "/streams", True),
        ("connection", "/streams/0/columns", False),
        ("connection", "/configuration", False),
    ],
)
def test_a_path_that_can_not_be_ignored_is_said(kind: str, path: str, known: bool) -> None:
    lifecycle = {"ignoreChanges": [path]}
    documents = {
        "source": [source(lifecycle=lifecycle)],
        "connection": [*ACTORS(), connection(lifecycle=lifecycle)],
    }
    expected = [] if known else ["unknown-ignored-path"]
    assert codes(found_in(*documents[kind])) == expected


TO_DEFAULT = {"destinationNamespace": "destination"}
PUBLIC = {"namespace": "public"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        # the same stream of the same source, twice
        (({}, {}), ({}, {}), True),
        (({}, {}), ({}, {"prefix": "x_"}), False),
        (({}, {}), ({}, {"status": "inactive"}), False),
        (({}, {}), ({}, {"destination": "other"}), False),
        (({}, {}), ({"destinationObjectName": "T"}, {}), False),
        # two sources
        (({}, {}), ({}, {"source": "second"}), False),
        ((PUBLIC, {}), (PUBLIC, {"source": "second"}), True),
        ((PUBLIC, {}), ({"namespace": "sales"}, {"source": "second"}), False),
        (({}, TO_DEFAULT), ({}, {"source": "second", **TO_DEFAULT}), True),
        (({"namespace": None}, {}), ({}, {"source": "second", **TO_DEFAULT}), True),
        # formats
        (
            (PUBLIC, {"destinationNamespace": {"format": "raw_${SOURCE_NAMESPACE}"}}),
            ({"namespace": "raw_public"}, {"source": "second"}),
            True,
        ),
        (
            (PUBLIC, {"destinationNamespace": {"format": "raw"}}),
            ({}, {"source": "second", "destinationNamespace": {"format": "raw"}}),
            True,
        ),
        (
            ({}, {"destinationNamespace": {"format": "a_${SOURCE_NAMESPACE}"}}),
            ({}, {"source": "second", "destinationNamespace": {"format": "a_${SOURCE_NAMESPACE}"}}),
            False,
        ),
    ],
)
def test_two_streams_in_one_table(one: Any, other: Any, same: bool) -> None:
    documents = [
        connection(name, [{**FULL, **stream}], **spec)
        for name, (stream, spec) in {"a": one, "b": other}.items()
    ]
    found = found_in(*ACTORS(), source("second"), destination("other"), *documents)
    assert codes(found) == (["same-table"] if same else [])
    assert [(d.address, d.pointer) for d in found] == (
        [("connection/b", "/spec/streams/0")] if same else []
    )


def test_two_streams_of_one_connection_in_one_table() -> None:
    streams = [{**FULL, **PUBLIC}, {**FULL, "namespace": "sales"}]
    assert found_in_streams(*streams) == []
    assert found_in_streams(*streams, **TO_DEFAULT) == ["same-table"]


def test_a_stream_twice_is_said_once() -> None:
    assert found_in_streams(FULL, FULL) == ["duplicate-stream"]


# --- one manifest --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("**********", ["mask-as-value"]),
        ("******", ["mask-as-value"]),
        ("************", ["mask-as-value"]),
        (Secret("${env:PW}", "**********"), ["mask-as-value"]),
        (Secret("${env:PW|json}", {"a": ["**********"]}), ["mask-as-value"]),
        ("*****", []),
        ("a**********", []),
        (Secret("${env:PW}", UNSET), []),
        (KEEP, []),
    ],
)
def test_a_mask_is_never_a_value(value: object, code: list[str]) -> None:
    assert (
        codes(found_in(source(configuration={"host": "db", "tunnel": {"password": value}}))) == code
    )


def test_a_mask_as_a_mappers_key_is_no_value_either() -> None:
    stream = {**INCREMENTAL, "mappers": [git_mapper(encryption())]}
    assert "mask-as-value" in found_in_streams(stream)


@pytest.mark.parametrize("kind", ["source", "destination"])
def test_the_type_in_a_configuration_never_reads_back(kind: str) -> None:
    builder = {"source": source, "destination": destination}[kind]
    assert codes(found_in(builder(configuration={f"{kind}Type": "x"}))) == ["ignored-field"]
    assert codes(found_in(builder(configuration={"type": "x"}))) == []


@pytest.mark.parametrize(
    ("schedule", "code"),
    [
        ({"cron": "0 12 * * *"}, ["invalid-cron"]),
        ({"every": "6 fortnights"}, ["invalid-interval"]),
        ({"cron": "0 0 12 * * ?"}, []),
        ({"every": "6 hours"}, []),
        ("manual", []),
    ],
)
def test_a_schedule_has_to_be_one(schedule: object, code: list[str]) -> None:
    assert codes(found_in(*ACTORS(), connection(schedule=schedule))) == code


def test_a_tag_twice() -> None:
    assert codes(found_in(*ACTORS(), connection(tags=["a", "b", "a"]))) == ["duplicate-tag"]
    assert connection_of(tags=["b", "a"]).tags == ("a", "b")


def test_every_stream_says_its_mode() -> None:
    assert found_in_streams("orders") == ["sync-mode-missing"]
    defaults = {"syncMode": "incremental_append"}
    assert found_in_streams("orders", streamDefaults=defaults) == []


@pytest.mark.parametrize(
    ("mode", "cursor", "key"),
    [
        ("full_refresh_overwrite", False, False),
        ("full_refresh_append", False, False),
        ("full_refresh_overwrite_deduped", False, True),
        ("full_refresh_update", False, True),
        ("full_refresh_soft_delete", False, True),
        ("incremental_append", True, True),
        ("incremental_deduped_history", True, True),
        ("incremental_update", True, True),
        ("incremental_soft_delete", True, True),
    ],
)
def test_a_cursor_or_key_that_the_mode_ignores(mode: str, cursor: bool, key: bool) -> None:
    stream = {"name": "orders", "syncMode": mode}
    assert found_in_streams({**stream, "cursorField": "c"}) == ([] if cursor else ["ignored-field"])
    assert found_in_streams({**stream, "primaryKey": "k"}) == ([] if key else ["ignored-field"])


def test_no_streams_at_all() -> None:
    assert found_in_streams() == ["empty-streams"]


def test_more_streams_than_airbyte_takes() -> None:
    streams = [{**INCREMENTAL, "name": f"s{index}"} for index in range(1001)]
    assert found_in_streams(*streams) == ["too-many-streams"]
    assert found_in_streams(*streams[:1000]) == []


@pytest.mark.parametrize(
    ("namespaces", "clash"),
    [
        ((UNSET, UNSET), True),
        (("public", "public"), True),
        (("public", UNSET), True),
        ((None, None), True),
        (("public", "private"), False),
        (("public", None), False),
    ],
)
def test_a_stream_twice(namespaces: tuple[Any, Any], clash: bool) -> None:
    streams = [INCREMENTAL if n is UNSET else {**INCREMENTAL, "namespace": n} for n in namespaces]
    assert found_in_streams(*streams) == (["duplicate-stream"] if clash else [])


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        ({**INCREMENTAL, "cursorField": "at", "columns": ["id"]}, True),
        ({**INCREMENTAL, "cursorField": "at", "columns": {"except": ["at"]}}, True),
        ({**DEDUPED, "primaryKey": ["id", "shop"], "columns": ["id"]}, True),
        ({**DEDUPED, "primaryKey": [["id", "part"]], "columns": ["id"]}, False),
        ({**INCREMENTAL, "cursorField": "at", "columns": ["at"]}, False),
        ({**INCREMENTAL, "cursorField": "at", "columns": "all"}, False),
        ({**INCREMENTAL, "cursorField": "at"}, False),
        ({**INCREMENTAL, "columns": ["id"], "mappers": [git_mapper(hashing())]}, True),
        (
            {**INCREMENTAL, "columns": {"except": ["email"]}, "mappers": [git_mapper(hashing())]},
            True,
        ),
        ({**INCREMENTAL, "columns": ["email"], "mappers": [git_mapper(hashing())]}, False),
    ],
)
def test_a_selection_holds_the_cursor_the_key_and_what_mappers_work_on(
    stream: object, code: bool
) -> None:
    assert found_in_streams(stream) == (["selection-misses-column"] if code else [])


def test_a_mapper_may_work_on_what_an_earlier_one_made() -> None:
    rename = {"type": "field-renaming", "originalFieldName": "mail", "newFieldName": "email"}
    stream = {**INCREMENTAL, "columns": ["mail"], "mappers": [rename, git_mapper(hashing())]}
    assert found_in_streams(stream) == []


def test_a_mappers_target_by_reference_is_not_judged() -> None:
    mapper = git_mapper(hashing(), targetField=env("COLUMN", CANARY))
    assert found_in_streams({**INCREMENTAL, "columns": ["id"], "mappers": [mapper]}) == []


@pytest.mark.parametrize(
    ("key", "code"),
    [(CANARY, ["plaintext-secret"]), (env("KEY", CANARY), []), (env("KEY"), []), (KEEP, [])],
)
def test_an_encryption_key_in_clear(key: object, code: list[str]) -> None:
    stream = {**INCREMENTAL, "mappers": [git_mapper(encryption(), key=key)]}
    assert found_in_streams(stream) == code


def test_no_message_and_no_resource_shows_a_secret() -> None:
    mapper = git_mapper(encryption(), key=CANARY)
    desired, found = build(
        [
            source(configuration={"host": "db", "password": env(value=CANARY)}),
            destination(),
            connection(streams=[{**FULL, "cursorField": "x", "mappers": [mapper]}]),
        ],
        TARGET,
    )
    assert codes(found) == ["ignored-field", "plaintext-secret"]
    assert CANARY not in repr(found)
    assert CANARY not in repr(desired)
