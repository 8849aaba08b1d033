"""What is sent to the Configuration API: minimal patches, whole catalogs, and never a destroyed secret."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.backends import bodies, config_streams, config_write
from reconciler.backends.config_streams import Catalog
from reconciler.core.diagnostics import ApiError, ReconcilerError, Refused
from reconciler.core.model import (
    ALL_COLUMNS,
    KEEP,
    MASK,
    UNSET,
    Columns,
    Connection,
    LiveObject,
    Mapper,
    Namespace,
    Ref,
    Schedule,
    Secret,
    Source,
    Stream,
    Tag,
    Update,
)
from tests.backends.scripted_config import stream_object

SHOP = Source("shop", "d-1", {"host": "db", "password": Secret("${env:P}", "hunter2")})
LIVE_SHOP = LiveObject(
    "source",
    "s-1",
    Source(
        "shop",
        "d-1",
        {"host": "old", "password": MASK, "ssl": {"key": MASK, "mode": "on"}},
        resource_allocation={"default": {"cpu_limit": "2"}},
    ),
)
ECHO = {"default": {"cpu_limit": "2"}}
USERS = Stream("users", None, "full_refresh_overwrite")
PAIR = Connection("c", Ref(id="s-1"), Ref(id="d-1"), streams=(USERS,))
LIVE_PAIR = LiveObject("connection", "c-1", replace(PAIR, schema_changes="disable"))
TAGS = bodies.tag_objects("w-1", {"gold": Tag("t-1", "gold", "FFD700")})


def catalog(*objects: dict[str, Any], catalog_id: str | None = "catalog-1") -> Catalog:
    items = [{"stream": one, "config": {}} for one in objects]
    return config_streams.read_catalog({"catalog": {"streams": items}, "catalogId": catalog_id})


def created(**fields: Any) -> dict[str, Any]:
    return config_write.connection_create(replace(PAIR, **fields), TAGS, {})


def patched(*sent: str, **fields: Any) -> dict[str, Any]:
    update = Update(replace(PAIR, **fields), frozenset(sent or fields))
    return config_write.connection_patch(LIVE_PAIR, update, TAGS, {})


def item(stream: Stream, *objects: dict[str, Any]) -> dict[str, Any]:
    body = config_streams.sync_catalog("c", [stream], catalog(*(objects or (USERS_OBJECT,))))
    (found,) = body["syncCatalog"]["streams"]
    assert isinstance(found, dict)
    return found


USERS_OBJECT = stream_object("users")


# --- Sources and destinations ----------------------------------------------------------------


def test_an_actor_is_created_with_its_secrets_unwrapped() -> None:
    assert config_write.actor_create("source", "w-1", SHOP) == {
        "name": "shop",
        "workspaceId": "w-1",
        "sourceDefinitionId": "d-1",
        "connectionConfiguration": {"host": "db", "password": "hunter2"},
    }


def test_a_whole_write_has_name_configuration_and_the_allocation_that_would_be_erased() -> None:
    masked = replace(SHOP, configuration={"host": "db", "password": MASK})
    update = Update(masked, frozenset({"configuration"}), whole=True)
    assert config_write.actor_whole("source", update, LIVE_SHOP) == {
        "sourceId": "s-1",
        "name": "shop",
        "connectionConfiguration": {"host": "db", "password": MASK},
        "resourceAllocation": ECHO,
    }


def test_a_whole_write_holds_no_mask_that_the_server_would_store() -> None:
    masked = replace(SHOP, configuration={"password": "******"})
    with pytest.raises(ReconcilerError, match="/configuration/password is a mask that the server"):
        config_write.actor_whole(
            "source", Update(masked, frozenset({"configuration"}), whole=True), LIVE_SHOP
        )


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"name"}, {"name": "shop"}),
        ({"configuration"}, {"connectionConfiguration": {"host": "db", "password": "hunter2"}}),
    ],
)
def test_a_merge_sends_what_changes_and_the_allocation(
    fields: set[str], sent: dict[str, Any]
) -> None:
    body = config_write.actor_merge("source", Update(SHOP, frozenset(fields)), LIVE_SHOP)
    assert body == {"sourceId": "s-1", **sent, "resourceAllocation": ECHO}


@pytest.mark.parametrize("configuration", [{"password": MASK}, {"keys": [{"key": MASK}]}], ids=str)
def test_neither_a_create_nor_a_merge_ever_holds_a_mask(configuration: dict[str, Any]) -> None:
    masked = replace(SHOP, configuration=configuration)
    with pytest.raises(ReconcilerError, match="is a mask, which would overwrite"):
        config_write.actor_create("source", "w-1", masked)
    with pytest.raises(ReconcilerError, match="is a mask, which would overwrite"):
        config_write.actor_merge("source", Update(masked, frozenset({"configuration"})), LIVE_SHOP)


SECRET = {"type": "string", "airbyte_secret": True}
SPEC = {
    "type": "object",
    "properties": {
        "host": {"type": "string"},
        "password": SECRET,
        "ssl": {"type": "object", "properties": {"key": SECRET, "mode": {"type": "string"}}},
        "keys": {"type": "array", "items": {"properties": {"key": SECRET}}},
    },
}


def test_a_merge_for_a_server_without_one_is_laid_over_what_was_just_read() -> None:
    part = replace(SHOP, configuration={"host": "new", "ssl": {"mode": "off"}})
    update = Update(part, frozenset({"configuration"}))
    assert config_write.actor_merged_here("source", update, LIVE_SHOP, SPEC) == {
        "sourceId": "s-1",
        "name": "shop",
        "connectionConfiguration": {
            "host": "new",
            "password": MASK,
            "ssl": {"key": MASK, "mode": "off"},
        },
        "resourceAllocation": ECHO,
    }


def test_a_secret_in_a_list_is_no_reason_to_write_its_mask() -> None:
    live = replace(LIVE_SHOP, spec=replace(LIVE_SHOP.spec, configuration={"keys": [{"key": MASK}]}))
    update = Update(replace(SHOP, configuration={"host": "new"}), frozenset({"configuration"}))
    with pytest.raises(Refused, match="would restore /configuration/keys/0/key"):
        config_write.actor_merged_here("source", update, live, SPEC)


def test_without_a_specification_nothing_proves_that_a_mask_is_restored() -> None:
    rename = Update(replace(SHOP, name="renamed"), frozenset({"name"}))
    with pytest.raises(Refused, match="would restore /configuration/password"):
        config_write.actor_merged_here("source", rename, LIVE_SHOP, None)


# --- Connections -----------------------------------------------------------------------------


def test_a_new_connection_states_what_the_apis_have_different_defaults_for() -> None:
    assert created() == {
        "sourceId": "s-1",
        "destinationId": "d-1",
        "name": "c",
        "status": "active",
        "scheduleType": "manual",
        "namespaceDefinition": "destination",
        "nonBreakingChangesPreference": "ignore",
    }


def test_a_new_connection_states_all_that_is_known() -> None:
    body = created(
        status="inactive",
        namespace=Namespace("source"),
        prefix="p_",
        schema_changes="propagate_fully",
        tags=("gold",),
        backfill="enabled",
        notify_schema_changes=True,
        resource_requirements={"cpu_limit": "1"},
    )
    assert body == {
        "sourceId": "s-1",
        "destinationId": "d-1",
        "name": "c",
        "status": "inactive",
        "scheduleType": "manual",
        "namespaceDefinition": "source",
        "prefix": "p_",
        "nonBreakingChangesPreference": "propagate_fully",
        "tags": [{"tagId": "t-1", "workspaceId": "w-1", "name": "gold", "color": "FFD700"}],
        "backfillPreference": "enabled",
        "notifySchemaChanges": True,
        "resourceRequirements": {"cpu_limit": "1"},
    }


def test_a_connection_without_streams_is_not_created() -> None:
    with pytest.raises(Refused, match="without streams"):
        created(streams=())


NEW_YORK = Schedule(cron=" 0  0 6 * * ? ", timezone="America/New_York")


@pytest.mark.parametrize(
    ("schedule", "sent"),
    [
        (Schedule(), {"scheduleType": "manual"}),
        (
            Schedule(every=6, unit="hours"),
            {
                "scheduleType": "basic",
                "scheduleData": {"basicSchedule": {"timeUnit": "hours", "units": 6}},
            },
        ),
        (
            NEW_YORK,
            {
                "scheduleType": "cron",
                "scheduleData": {
                    "cron": {
                        "cronExpression": "0 0 6 * * ?",
                        "cronTimeZone": "America/New_York",
                    }
                },
            },
        ),
        (
            Schedule(cron="0 0 6 * * ?", timezone="Etc/UTC"),
            {
                "scheduleType": "cron",
                "scheduleData": {"cron": {"cronExpression": "0 0 6 * * ?", "cronTimeZone": "UTC"}},
            },
        ),
    ],
    ids=str,
)
def test_a_schedule_goes_as_type_and_data_and_never_as_the_old_field(
    schedule: Schedule, sent: dict[str, Any]
) -> None:
    assert patched(schedule=schedule) == {"connectionId": "c-1", **sent}
    assert sent.items() <= created(schedule=schedule).items()


def test_a_time_zone_that_airbyte_refuses_is_said_before_anything_is_sent() -> None:
    with pytest.raises(Refused, match="Airbyte refuses the time zone Etc/GMT-3"):
        patched(schedule=replace(NEW_YORK, timezone="Etc/GMT-3"))


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"name": "renamed"}, {"name": "renamed"}),
        ({"status": "inactive"}, {"status": "inactive"}),
        ({"prefix": ""}, {"prefix": ""}),
        ({"tags": ()}, {"tags": []}),
        ({"schema_changes": "ignore"}, {"nonBreakingChangesPreference": "ignore"}),
        ({"notify_schema_changes": False}, {"notifySchemaChanges": False}),
        ({"resource_requirements": {}}, {"resourceRequirements": {}}),
        (
            {"namespace": Namespace("format", "x")},
            {"namespaceDefinition": "customformat", "namespaceFormat": "x"},
        ),
        (
            {"namespace": Namespace("source")},
            {"namespaceDefinition": "source", "namespaceFormat": ""},
        ),
        (
            {"backfill": "enabled"},
            {"backfillPreference": "enabled", "nonBreakingChangesPreference": "disable"},
        ),
        (
            {"backfill": "enabled", "schema_changes": "propagate_fully"},
            {"backfillPreference": "enabled", "nonBreakingChangesPreference": "propagate_fully"},
        ),
    ],
    ids=str,
)
def test_a_patch_holds_what_changes_and_no_more(
    fields: dict[str, Any], sent: dict[str, Any]
) -> None:
    assert patched(**fields) == {"connectionId": "c-1", **sent}


@pytest.mark.parametrize("status", ["deprecated", "locked"])
def test_a_status_of_the_servers_own_is_not_written(status: str) -> None:
    with pytest.raises(Refused, match=f"can't be given the status {status}"):
        patched(status=status)


@pytest.mark.parametrize("field", ["source", "destination"])
def test_what_never_changes_is_not_patched(field: str) -> None:
    with pytest.raises(ReconcilerError, match=f"can't change {field}"):
        patched(field)


def test_an_unset_field_is_not_guessed() -> None:
    with pytest.raises(ReconcilerError, match="schedule is to be written and has no value"):
        patched("schedule")


def test_an_unknown_tag_is_said_before_anything_is_sent() -> None:
    with pytest.raises(ReconcilerError, match="no tag 'silver' in the workspace"):
        patched(tags=("silver",))


# --- Streams ---------------------------------------------------------------------------------


def test_a_stream_goes_whole_as_discovered_and_selected_with_the_id_of_the_discovery() -> None:
    body = config_streams.sync_catalog("c", [USERS], catalog(USERS_OBJECT, stream_object("orders")))
    assert body == {
        "sourceCatalogId": "catalog-1",
        "syncCatalog": {
            "streams": [
                {
                    "stream": USERS_OBJECT,
                    "config": {
                        "selected": True,
                        "syncMode": "full_refresh",
                        "destinationSyncMode": "overwrite",
                        "cursorField": [],
                        "primaryKey": [],
                        "fieldSelectionEnabled": False,
                        "selectedFields": [],
                    },
                }
            ]
        },
    }


def test_a_discovery_without_an_id_names_none() -> None:
    body = config_streams.sync_catalog("c", [USERS], catalog(USERS_OBJECT, catalog_id=None))
    assert "sourceCatalogId" not in body


@pytest.mark.parametrize(
    ("mode", "stated", "offered", "cursor", "key"),
    [
        ("incremental_append", ("at",), {}, ["at"], []),
        ("incremental_append", UNSET, {"defaultCursorField": ["id"]}, ["id"], []),
        ("incremental_append", ("at",), {"defaultCursorField": ["id"]}, ["at"], []),
        (
            "incremental_append",
            ("at",),
            {"defaultCursorField": ["_cdc"], "sourceDefinedCursor": True},
            ["_cdc"],
            [],
        ),
        (
            "incremental_deduped_history",
            ("at",),
            {"sourceDefinedPrimaryKey": [["uuid"]]},
            ["at"],
            [["uuid"]],
        ),
        ("incremental_deduped_history", ("at",), {}, ["at"], [["id"]]),
        ("full_refresh_append", ("at",), {"defaultCursorField": ["id"]}, [], []),
    ],
)
def test_what_the_source_defines_wins_over_what_is_stated(
    mode: str, stated: Any, offered: dict[str, Any], cursor: list[str], key: list[list[str]]
) -> None:
    dedup = mode == "incremental_deduped_history"
    wanted = Stream(
        "users",
        None,
        mode,
        cursor_field=stated,
        primary_key=(("id",),) if dedup else UNSET,
    )
    config = item(wanted, stream_object("users", **offered))["config"]
    assert (config["cursorField"], config["primaryKey"]) == (cursor, key)


def test_columns_are_selected_by_name() -> None:
    config = item(replace(USERS, columns=Columns(names=("id", "at"))))["config"]
    assert config["fieldSelectionEnabled"] is True
    assert config["selectedFields"] == [{"fieldPath": ["at"]}, {"fieldPath": ["id"]}]


def test_a_selection_of_nothing_stays_one() -> None:
    config = item(replace(USERS, columns=Columns(names=())))["config"]
    assert (config["fieldSelectionEnabled"], config["selectedFields"]) == (True, [])


def test_an_exclusion_that_nobody_resolved_is_not_sent() -> None:
    with pytest.raises(ReconcilerError, match="the columns of stream 'users' are not resolved"):
        item(replace(USERS, columns=Columns(excluding=("email",))))


COLUMNS = ("id", "at", "email", "name", "payload")
WIDE = stream_object(
    "users",
    jsonSchema={"type": "object", "required": ["id"], "properties": {c: {} for c in COLUMNS}},
)


@pytest.mark.parametrize(
    ("stream", "sent"),
    [
        (replace(USERS, columns=Columns(names=("id", "name"))), ["id", "name"]),
        (replace(USERS, columns=ALL_COLUMNS), list(COLUMNS)),
        (
            Stream(
                "users",
                None,
                "incremental_deduped_history",
                cursor_field=("at",),
                primary_key=(("id",),),
                columns=Columns(names=("name",)),
                mappers=(Mapper("hashing", {"targetField": "email", "method": "MD5"}),),
            ),
            ["id", "at", "email", "name"],
        ),
    ],
    ids=["selected", "all", "what else is named"],
)
def test_only_the_columns_that_are_named_are_sent_with_the_schema(
    stream: Stream, sent: list[str]
) -> None:
    schema = item(stream, WIDE)["stream"]["jsonSchema"]
    assert list(schema["properties"]) == sent
    assert {**schema, "properties": {}} == {**WIDE["jsonSchema"], "properties": {}}
    assert len(WIDE["jsonSchema"]["properties"]) == len(COLUMNS)


def test_a_body_that_airbyte_would_not_take_is_not_sent() -> None:
    properties = {f"c{n}": {"description": "x" * 1_000} for n in range(11_000)}
    offered = catalog(stream_object("users", jsonSchema={"properties": properties}))
    for write in (
        lambda streams: config_write.connection_create(PAIR, TAGS, streams),
        lambda streams: config_write.connection_patch(
            LIVE_PAIR, Update(PAIR, frozenset({"streams"})), {}, streams
        ),
    ):
        with pytest.raises(
            Refused, match=r"its 1 streams weigh 10\.\d MB .* at most 10 MB"
        ) as caught:
            write(config_streams.sync_catalog("c", [USERS], offered))
        assert "select columns" in caught.value.hint
        few = replace(USERS, columns=Columns(names=("c1", "c2")))
        assert write(config_streams.sync_catalog("c", [few], offered))


AES = {"algorithm": "AES", "targetField": "email", "key": KEEP, "fieldNameSuffix": "_x"}


def with_mapper(mapper: Mapper) -> dict[str, Any]:
    streams = config_streams.sync_catalog(
        "c", [replace(USERS, mappers=(mapper,))], catalog(USERS_OBJECT)
    )
    update = Update(PAIR, frozenset({"streams"}))
    return config_write.connection_patch(LIVE_PAIR, update, {}, streams)


def test_a_mapper_goes_under_its_id_and_keeps_its_key_by_the_mask() -> None:
    body = with_mapper(Mapper("encryption", AES, "m-1"))
    (mapper,) = body["syncCatalog"]["streams"][0]["config"]["mappers"]
    assert mapper == {
        "id": "m-1",
        "type": "encryption",
        "mapperConfiguration": {**AES, "key": MASK},
    }


@pytest.mark.parametrize(
    "mapper",
    [Mapper("encryption", {**AES, "key": MASK}), Mapper("hashing", {"method": MASK}, "m-1")],
    ids=str,
)
def test_a_mask_that_keeps_nothing_is_not_sent(mapper: Mapper) -> None:
    with pytest.raises(ReconcilerError, match="is a mask, which would overwrite"):
        with_mapper(mapper)


def test_a_stars_text_in_a_sources_own_schema_is_nobodys_mask() -> None:
    schema = {"properties": {"card": {"default": MASK}}}
    offered = catalog(stream_object("users", jsonSchema=schema))
    streams = config_streams.sync_catalog("c", [USERS], offered)
    body = config_write.connection_create(PAIR, {}, streams)
    assert body["syncCatalog"]["streams"][0]["stream"]["jsonSchema"] == schema


def test_a_stream_without_a_namespace_in_git_means_the_only_one_of_its_name() -> None:
    there = stream_object("users", namespace="public")
    assert item(replace(USERS, namespace=UNSET), there)["stream"]["namespace"] == "public"


@pytest.mark.parametrize(
    ("stream", "count"),
    [
        (replace(USERS, namespace=UNSET), 2),
        (replace(USERS, namespace="elsewhere"), 2),
        (replace(USERS, name="nobody"), 0),
    ],
)
def test_a_stream_that_is_not_offered_or_is_several_is_not_sent(stream: Stream, count: int) -> None:
    two = [stream_object("users", namespace=name) for name in ("a", "b")]
    with pytest.raises(ApiError, match=f"the source offers {count} streams that"):
        item(stream, *two)


def test_a_pair_of_modes_without_a_name_is_not_sent() -> None:
    with pytest.raises(Refused, match="has a sync mode without a name"):
        item(replace(USERS, sync_mode=None))


def test_modes_are_what_both_ends_support() -> None:
    offered = catalog(stream_object("a"), stream_object("b", supportedSyncModes=["full_refresh"]))
    a, b = config_streams.with_modes(offered, frozenset({"append", "append_dedup"}))
    assert set(a.sync_modes) == {
        "full_refresh_append",
        "incremental_append",
        "incremental_deduped_history",
    }
    assert b.sync_modes == ("full_refresh_append",)


def test_columns_are_listed_with_those_of_objects_below() -> None:
    schema = {
        "properties": {
            "id": {"type": "string"},
            "address": {"properties": {"city": {}, "geo": {"properties": {"lat": {}}}}},
            "items": {"items": {"properties": {"hidden": {}}}},
        }
    }
    (found,) = catalog(stream_object("users", jsonSchema=schema)).offered
    assert found.fields == (
        ("id",),
        ("address",),
        ("address", "city"),
        ("address", "geo"),
        ("address", "geo", "lat"),
        ("items",),
    )
