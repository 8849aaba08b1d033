"""What the Configuration API answers, as the model has it (CFG §3, §5, §10)."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.backends import config_jobs, config_read
from reconciler.backends.fields import Malformed
from reconciler.core.jobs import Check, Job
from reconciler.core.model import (
    ALL_COLUMNS,
    MANUAL,
    UNSET,
    Columns,
    Connection,
    LiveObject,
    Mapper,
    Namespace,
    Ref,
    Schedule,
    Source,
    Stream,
)
from tests.backends.scripted_config import connection_row, source_row, stream_object


def connection(**more: Any) -> Connection:
    live = config_read.connection(connection_row(**more))
    assert live is not None
    assert isinstance(live.spec, Connection)
    return live.spec


def stream(config: dict[str, Any], **more: Any) -> Stream:
    modes = {"syncMode": "full_refresh", "destinationSyncMode": "overwrite", "selected": True}
    item = {"stream": stream_object("users", **more), "config": {**modes, **config}}
    streams = connection(syncCatalog={"streams": [item]}).streams
    assert isinstance(streams, tuple)
    return streams[0]


def test_an_actor_is_read_with_its_allocation_and_without_what_the_server_adds() -> None:
    row = source_row(
        resourceAllocation={"default": {"cpu_limit": "2"}}, icon="<svg/>", status="active"
    )
    assert config_read.actor("source", row) == LiveObject(
        "source",
        "s-1",
        Source("shop", "d-1", {"host": "db"}, resource_allocation={"default": {"cpu_limit": "2"}}),
    )


@pytest.mark.parametrize(
    "row", [source_row(connectionConfiguration=None), source_row(tombstone=True)], ids=str
)
def test_a_deleted_actor_that_still_answers_is_gone(row: dict[str, Any]) -> None:
    assert config_read.actor("source", row) is None


@pytest.mark.parametrize("key", ["sourceId", "name", "sourceDefinitionId"])
def test_an_answer_that_names_no_actor_is_malformed(key: str) -> None:
    row = {name: value for name, value in source_row().items() if name != key}
    with pytest.raises(Malformed, match=f"{key} is missing"):
        config_read.actor("source", row)


def test_a_deleted_connection_that_still_answers_is_gone() -> None:
    assert config_read.connection(connection_row(status="deprecated")) is None


def test_a_locked_connection_is_there_with_its_status() -> None:
    assert connection(status="locked").status == "locked"


def test_a_connection_is_read_as_it_stands() -> None:
    read = connection(
        prefix="p_",
        nonBreakingChangesPreference="disable",
        backfillPreference="enabled",
        notifySchemaChanges=False,
        resourceRequirements={"cpu_limit": "1", "memory_limit": ""},
        tags=[{"tagId": "2", "name": "pii"}, {"tagId": "1", "name": "gold"}],
        notifySchemaChangesByEmail=True,
        breakingChange=False,
        operationIds=[],
        created_at=1700000000,
        somethingNew={"a": 1},
    )
    assert read == Connection(
        name="shop to lake",
        source=Ref(id="s-1"),
        destination=Ref(id="d-1"),
        status="active",
        schedule=MANUAL,
        namespace=Namespace("destination"),
        prefix="p_",
        schema_changes="disable",
        tags=("gold", "pii"),
        streams=(),
        backfill="enabled",
        notify_schema_changes=False,
        resource_requirements={"cpu_limit": "1"},
    )


@pytest.mark.parametrize("said", [{}, {"resourceRequirements": {}}, {"resourceRequirements": None}])
def test_what_an_old_server_does_not_say_is_not_known(said: dict[str, Any]) -> None:
    read = connection(**said)
    assert (read.backfill, read.notify_schema_changes) == (UNSET, UNSET)
    assert (read.resource_requirements, read.schema_changes) == (UNSET, UNSET)


@pytest.mark.parametrize(
    ("said", "schedule"),
    [
        ({"scheduleType": "manual"}, MANUAL),
        (
            {
                "scheduleType": "cron",
                "scheduleData": {
                    "cron": {
                        "cronExpression": "0 0 6 * * ?",
                        "cronTimeZone": "America/New_York",
                    }
                },
            },
            Schedule(cron="0 0 6 * * ?", timezone="America/New_York"),
        ),
        (
            {
                "scheduleType": "basic",
                "scheduleData": {"basicSchedule": {"timeUnit": "hours", "units": 6}},
                "schedule": {"timeUnit": "hours", "units": 6},
            },
            Schedule(every=6, unit="hours"),
        ),
        (
            {"scheduleType": "basic", "schedule": {"timeUnit": "minutes", "units": 90}},
            Schedule(every=90, unit="minutes"),
        ),
        (
            {"scheduleType": None, "schedule": {"timeUnit": "days", "units": 1}},
            Schedule(every=1, unit="days"),
        ),
        ({"scheduleType": None}, MANUAL),
        ({"scheduleType": "lunar"}, UNSET),
        ({"scheduleType": "cron", "scheduleData": None}, UNSET),
        ({"scheduleType": "basic", "scheduleData": {"basicSchedule": {"units": True}}}, UNSET),
    ],
    ids=str,
)
def test_schedules_of_every_era(said: dict[str, Any], schedule: object) -> None:
    assert connection(**said).schedule == schedule


@pytest.mark.parametrize(
    ("said", "namespace"),
    [
        ({"namespaceDefinition": "source"}, Namespace("source")),
        ({"namespaceDefinition": "destination", "namespaceFormat": ""}, Namespace("destination")),
        (
            {"namespaceDefinition": "customformat", "namespaceFormat": "raw_${SOURCE_NAMESPACE}"},
            Namespace("format", "raw_${SOURCE_NAMESPACE}"),
        ),
        ({"namespaceDefinition": "customformat"}, Namespace("format", "")),
        ({"namespaceDefinition": "elsewhere"}, UNSET),
    ],
    ids=str,
)
def test_where_tables_land(said: dict[str, Any], namespace: object) -> None:
    assert connection(**said).namespace == namespace


@pytest.mark.parametrize(
    ("source", "destination", "name"),
    [
        ("full_refresh", "overwrite", "full_refresh_overwrite"),
        ("incremental", "append_dedup", "incremental_deduped_history"),
        ("incremental", "overwrite", None),
        ("incremental", "overwrite_dedup", None),
        ("full_refresh", "append_dedup", None),
        ("sideways", "append", None),
    ],
)
def test_a_pair_of_modes_has_a_name_or_none(
    source: str, destination: str, name: str | None
) -> None:
    assert stream({"syncMode": source, "destinationSyncMode": destination}).sync_mode == name


def test_a_stream_is_read_without_what_the_server_computes() -> None:
    read = stream(
        {
            "syncMode": "incremental",
            "destinationSyncMode": "append_dedup",
            "cursorField": ["at"],
            "primaryKey": [["id"], ["a", "b"]],
            "aliasName": "users",
            "suggested": False,
            "generationId": 3,
            "fieldSelectionEnabled": False,
            "selectedFields": [],
            "mappers": [],
            "hashedFields": [],
            "includeFiles": False,
            "destinationObjectName": "Contact",
        },
        namespace="public",
    )
    assert read == Stream(
        "users",
        "public",
        "incremental_deduped_history",
        cursor_field=("at",),
        primary_key=(("id",), ("a", "b")),
        columns=ALL_COLUMNS,
        mappers=(),
        include_files=False,
        destination_object_name="Contact",
    )


def test_unselected_streams_are_not_there() -> None:
    config = {"syncMode": "full_refresh", "destinationSyncMode": "append", "selected": False}
    item = {"stream": stream_object("users"), "config": config}
    assert connection(syncCatalog={"streams": [item]}).streams == ()


@pytest.mark.parametrize("catalog", [None, {}, {"streams": None}])
def test_a_catalog_left_out_is_not_known_which_is_not_empty(catalog: Any) -> None:
    assert connection(syncCatalog=catalog).streams is UNSET


@pytest.mark.parametrize(
    ("config", "columns"),
    [
        ({}, ALL_COLUMNS),
        (
            {"fieldSelectionEnabled": False, "selectedFields": [{"fieldPath": ["id"]}]},
            ALL_COLUMNS,
        ),
        (
            {
                "fieldSelectionEnabled": True,
                "selectedFields": [{"fieldPath": ["id"]}, {"fieldPath": ["at"]}],
            },
            Columns(names=("at", "id")),
        ),
        ({"fieldSelectionEnabled": True, "selectedFields": []}, Columns(names=())),
    ],
    ids=str,
)
def test_columns_are_selected_only_where_selection_is_on(
    config: dict[str, Any], columns: Columns
) -> None:
    assert stream(config).columns == columns


HASHING = {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"}


def test_mappers_keep_their_ids_and_hashed_fields_are_theirs_already() -> None:
    read = stream(
        {
            "mappers": [{"id": "m-1", "type": "hashing", "mapperConfiguration": HASHING}],
            "hashedFields": [{"fieldPath": ["email"]}, {"fieldPath": ["name"]}],
        }
    )
    assert read.mappers == (Mapper("hashing", HASHING, "m-1"),)


def test_hashed_fields_alone_are_hashing_mappers() -> None:
    read = stream({"hashedFields": [{"fieldPath": ["email"]}]})
    assert read.mappers == (Mapper("hashing", HASHING),)


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        ({"status": "succeeded", "jobInfo": {}}, Check(True)),
        ({"status": "succeeded", "message": "fine", "jobInfo": {}}, Check(True, "fine")),
        ({"status": "failed", "message": "no route to host"}, Check(False, "no route to host")),
        (
            {"jobInfo": {"succeeded": False, "failureReason": {"internalMessage": "killed"}}},
            Check(False, "the test broke off: killed"),
        ),
        (
            {"jobInfo": {"succeeded": True}},
            Check(False, "the test broke off: the server gives no reason"),
        ),
        ({"status": "odd"}, Check(False, "the test broke off: the server gives no reason")),
        (None, Check(False, "the test broke off: the server gives no reason")),
    ],
    ids=str,
)
def test_only_a_test_that_says_so_has_succeeded(answer: Any, check: Check) -> None:
    assert config_read.check(answer) == check


JOB = {
    "id": 7,
    "configType": "sync",
    "configId": "c-1",
    "status": "running",
    "createdAt": 1700000000,
    "updatedAt": 1700000060,
}
STATS = {"recordsCommitted": 5, "bytesCommitted": 50}


@pytest.mark.parametrize(
    ("answer", "rows", "size"),
    [
        ({"job": JOB, "attempts": []}, None, None),
        (JOB, None, None),
        ({"job": {**JOB, "aggregatedStats": STATS}}, 5, 50),
        ({**JOB, "summary": {"recordsSynced": 6, "bytesSynced": 60}}, 6, 60),
        (
            {"job": JOB, "attempts": [{"attempt": {"totalStats": STATS}, "logs": {}}]},
            5,
            50,
        ),
        ({"job": JOB, "attempts": [{"recordsSynced": 1}, {"recordsSynced": 0}]}, 0, None),
        (
            {
                "job": {**JOB, "aggregatedStats": STATS, "summary": {"recordsSynced": 6}},
                "attempts": [{"recordsSynced": 9, "bytesSynced": 90}],
            },
            5,
            50,
        ),
    ],
    ids=str,
)
def test_a_job_nested_or_flat_takes_its_numbers_from_the_first_place_that_has_them(
    answer: Any, rows: int | None, size: int | None
) -> None:
    assert config_jobs.read_job(answer) == Job(
        "7", "c-1", "sync", "running", 1700000000, 1700000060, rows, size
    )


@pytest.mark.parametrize(
    ("kind", "ours"),
    [("reset_connection", "clear"), ("clear", "clear"), ("refresh", "refresh"), ("new", "new")],
)
def test_kinds_of_jobs_have_our_names(kind: str, ours: str) -> None:
    assert config_jobs.read_job({**JOB, "configType": kind}).kind == ours


def test_a_failed_job_says_what_its_last_attempt_said() -> None:
    failures = [{"internalMessage": "stack"}, {"externalMessage": "disk full"}]
    attempts = [
        {"failureSummary": {"failures": [{"externalMessage": "earlier"}]}},
        {"attempt": {"failureSummary": {"failures": failures}}},
    ]
    assert config_jobs.read_job({"job": JOB, "attempts": attempts}).failure == "disk full"


def test_the_job_is_said_to_start_when_it_started() -> None:
    assert config_jobs.read_job({**JOB, "startedAt": 1700000030}).started == 1700000030


@pytest.mark.parametrize("answer", [None, {}, [], {"job": {}}, {"id": True}, {"id": ""}], ids=str)
def test_an_answer_that_names_no_job_is_malformed(answer: Any) -> None:
    with pytest.raises(Malformed, match="the job has no id"):
        config_jobs.read_job(answer)
