"""What the public API answers, as the model: recorded answers, older servers, and servers to come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.backends import public_read
from reconciler.backends.fields import Malformed
from reconciler.core.model import (
    ALL_COLUMNS,
    MANUAL,
    UNSET,
    Columns,
    Connection,
    ConnectorDefinition,
    Mapper,
    Namespace,
    Ref,
    Schedule,
    Source,
    Stream,
)

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

RECORDED = Path("../shared/samples/responses/public-api-2025")
needs_recorded = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="no recorded answers beside the project"
)


def recorded(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((RECORDED / f"{name}.json").read_text())["data"]
    return rows


def unresolved(short_name: str) -> str:
    return short_name


def connection(**fields: Any) -> dict[str, Any]:
    return {
        "connectionId": "c",
        "name": "n",
        "sourceId": "s",
        "destinationId": "d",
        "status": "active",
        **fields,
    }


def read_connection(**fields: Any) -> Connection:
    live = public_read.connection(connection(**fields))
    assert live is not None
    assert isinstance(live.spec, Connection)
    return live.spec


def read_stream(**fields: Any) -> Stream:
    streams = read_connection(configurations={"streams": [{"name": "users", **fields}]}).streams
    assert isinstance(streams, tuple)
    return streams[0]


@needs_recorded
def test_a_recorded_connection_is_read_without_loss() -> None:
    (row,) = recorded("connections")
    live = public_read.connection(row)
    assert live is not None
    assert (live.kind, live.id) == ("connection", row["connectionId"])
    assert live.spec == Connection(
        name="Backup to S3",
        source=Ref(id=row["sourceId"]),
        destination=Ref(id=row["destinationId"]),
        status="active",
        schedule=Schedule(every=24, unit="hours"),
        namespace=Namespace("destination"),
        prefix="",
        schema_changes="propagate_columns",
        tags=("sensitive",),
        streams=(
            Stream(
                name="issues",
                namespace=None,
                sync_mode="full_refresh_overwrite",
                cursor_field=("updated_at",),
                primary_key=(("id",),),
                columns=ALL_COLUMNS,
                mappers=(),
                include_files=False,
            ),
            Stream(
                name="users",
                namespace=None,
                sync_mode="full_refresh_overwrite",
                primary_key=(("id",),),
                columns=ALL_COLUMNS,
                mappers=(),
                include_files=False,
            ),
        ),
    )


@needs_recorded
def test_recorded_actors_workspaces_and_tags_are_read_without_loss() -> None:
    for kind in ("source", "destination"):
        (row,) = recorded(f"{kind}s")
        live = public_read.actor(kind, row, unresolved)
        assert live is not None
        assert (live.id, live.spec.name, live.spec.connector, live.spec.configuration) == (
            row[f"{kind}Id"],
            row["name"],
            row["definitionId"],
            row["configuration"],
        )
    (workspace,) = recorded("workspaces")
    assert public_read.workspace(workspace).name == "SpringField Nuclear Plant"
    (tag,) = recorded("tags")
    assert public_read.tag(tag).color == "75DCFF"


@pytest.mark.parametrize(
    ("wire", "schedule"),
    [
        ({"scheduleType": "manual"}, MANUAL),
        (
            {"scheduleType": "cron", "cronExpression": "0 0 12 * * ? UTC"},
            Schedule(cron="0 0 12 * * ?"),
        ),
        (
            {"scheduleType": "cron", "cronExpression": "0 0 12 ? * MON"},
            Schedule(cron="0 0 12 ? * MON"),
        ),
        (
            {"scheduleType": "cron", "cronExpression": "0 0 12 ? * MON 2030"},
            Schedule(cron="0 0 12 ? * MON 2030"),
        ),
        (
            {"scheduleType": "cron", "cronExpression": "0 0 12 ? * 6L 2030-2031 UTC"},
            Schedule(cron="0 0 12 ? * 6L 2030-2031"),
        ),
        (
            {"scheduleType": "cron", "cronExpression": "0 0 12 * * ? America/New_York"},
            Schedule(cron="0 0 12 * * ?", timezone="America/New_York"),
        ),
        (
            {"scheduleType": "cron", "cronExpression": "0 0 12 * * ? +02:00"},
            Schedule(cron="0 0 12 * * ?", timezone="+02:00"),
        ),
        (
            {"scheduleType": "basic", "basicTiming": "Every 24 HOURS"},
            Schedule(every=24, unit="hours"),
        ),
        (
            {"scheduleType": "basic", "basicTiming": "Every 1 MONTHS"},
            Schedule(every=1, unit="months"),
        ),
        (
            {"scheduleType": "basic", "basicTiming": "every_12_hours"},
            Schedule(every=12, unit="hours"),
        ),
        ({"scheduleType": "basic", "basicTiming": "whenever"}, UNSET),
        ({"scheduleType": "basic"}, UNSET),
        ({"scheduleType": "cron"}, UNSET),
        ({"scheduleType": "on_event"}, UNSET),
        (None, UNSET),
        ("manual", UNSET),
    ],
)
def test_a_schedule_is_read_in_every_form_servers_write(wire: Any, schedule: Any) -> None:
    assert read_connection(schedule=wire).schedule == schedule


@pytest.mark.parametrize(
    ("fields", "namespace"),
    [
        ({"namespaceDefinition": "source"}, Namespace("source")),
        (
            {"namespaceDefinition": "destination", "namespaceFormat": "left over"},
            Namespace("destination"),
        ),
        (
            {"namespaceDefinition": "custom_format", "namespaceFormat": "x_${SOURCE_NAMESPACE}"},
            Namespace("format", "x_${SOURCE_NAMESPACE}"),
        ),
        ({"namespaceDefinition": "custom_format"}, Namespace("format", "")),
        ({"namespaceDefinition": "by_moon_phase"}, UNSET),
        ({}, UNSET),
    ],
)
def test_a_namespace_is_read(fields: dict[str, Any], namespace: Any) -> None:
    assert read_connection(**fields).namespace == namespace


@pytest.mark.parametrize(
    ("wire", "word"),
    [
        ("ignore", "ignore"),
        ("disable_connection", "disable"),
        ("propagate_fully", "propagate_fully"),
        ("ask_me", "ask_me"),
    ],
)
def test_schema_changes_are_read_in_the_manifests_words(wire: str, word: str) -> None:
    assert read_connection(nonBreakingSchemaUpdatesBehavior=wire).schema_changes == word


def test_what_is_empty_or_absent_in_a_stream_is_read_the_same() -> None:
    empty = read_stream(cursorField=[], primaryKey=[], selectedFields=[], mappers=[], namespace="")
    assert (
        empty
        == read_stream()
        == Stream(name="users", namespace=None, columns=ALL_COLUMNS, mappers=())
    )


def test_a_selection_is_read_as_sorted_names() -> None:
    selected = [{"fieldPath": ["b"]}, {"fieldPath": ["a"]}, {"fieldPath": ["b"]}]
    assert read_stream(selectedFields=selected).columns == Columns(names=("a", "b"))


def test_mappers_keep_their_order_their_id_and_types_nobody_knows_yet() -> None:
    mappers = [
        {"id": "m-1", "type": "hashing", "mapperConfiguration": {"targetField": "email"}},
        {"type": "teleporting", "mapperConfiguration": {"where": {"to": [1]}}},
    ]
    assert read_stream(mappers=mappers).mappers == (
        Mapper("hashing", {"targetField": "email"}, "m-1"),
        Mapper("teleporting", {"where": {"to": [1]}}),
    )


def test_a_list_without_streams_is_not_known_and_not_empty() -> None:
    assert read_connection().streams is UNSET
    assert read_connection(configurations={"streams": []}).streams == ()


@pytest.mark.parametrize("configuration", [{"configuration": None}, {}])
def test_an_actor_without_configuration_is_gone(configuration: dict[str, Any]) -> None:
    row = {"sourceId": "s", "name": "n", "definitionId": "d", **configuration}
    assert public_read.actor("source", row, unresolved) is None


@pytest.mark.parametrize("configuration", ["text", ["list"], 5])
def test_a_configuration_that_is_no_object_is_malformed(configuration: Any) -> None:
    row = {"sourceId": "s", "name": "n", "definitionId": "d", "configuration": configuration}
    with pytest.raises(Malformed, match="configuration"):
        public_read.actor("source", row, unresolved)


def test_a_deprecated_connection_is_gone() -> None:
    assert public_read.connection(connection(status="deprecated")) is None


def test_a_status_nobody_knows_yet_is_kept() -> None:
    assert read_connection(status="locked").status == "locked"


def test_an_older_server_names_the_connector_by_type() -> None:
    definitions = [
        ConnectorDefinition("source", "def-1", "Postgres", "airbyte/source-postgres"),
        ConnectorDefinition("destination", "def-2", "Postgres", "airbyte/destination-postgres"),
    ]
    row = {"sourceId": "s", "name": "n", "sourceType": "postgres", "configuration": {"a": 1}}
    live = public_read.actor("source", row, public_read.type_resolver("source", definitions))
    assert live is not None
    assert live.spec == Source("n", "def-1", {"a": 1})


def test_discovered_streams_have_a_lower_case_namespace_or_none() -> None:
    stream = public_read.discovered(
        {
            "streamName": "users",
            "streamnamespace": "public",
            "syncModes": ["full_refresh_append", "incremental_append"],
            "defaultCursorField": ["updated_at"],
            "sourceDefinedCursorField": True,
            "sourceDefinedPrimaryKey": [["id"], ["region"]],
            "propertyFields": [["id"], ["address"], ["address", "city"]],
        }
    )
    assert stream.namespace == "public"
    assert stream.source_defined_cursor is True
    assert stream.source_defined_primary_key == (("id",), ("region",))
    assert stream.fields == (("id",), ("address",), ("address", "city"))
    older = public_read.discovered({"streamName": "users", "defaultCursorField": []})
    assert (older.namespace, older.sync_modes) == (None, ())


@pytest.mark.parametrize("missing", ["connectionId", "name", "sourceId", "destinationId"])
def test_a_connection_without_what_makes_it_one_is_malformed(missing: str) -> None:
    row = connection()
    del row[missing]
    with pytest.raises(Malformed, match=missing):
        public_read.connection(row)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3)
    ),
    max_leaves=6,
)
CONNECTION_FIELDS = (
    "status",
    "schedule",
    "namespaceDefinition",
    "namespaceFormat",
    "prefix",
    "tags",
    "nonBreakingSchemaUpdatesBehavior",
    "configurations",
    "statusReason",
    "fieldOfTheFuture",
)
STREAM_FIELDS = (
    "namespace",
    "syncMode",
    "cursorField",
    "primaryKey",
    "selectedFields",
    "mappers",
    "includeFiles",
    "destinationObjectName",
    "fieldOfTheFuture",
)


@UNHURRIED
@given(st.dictionaries(st.sampled_from(CONNECTION_FIELDS), anything))
def test_no_field_of_a_connection_can_break_the_reader(fields: dict[str, Any]) -> None:
    """Malformed, for lists of things that are none, is the only way out."""
    try:
        public_read.connection(connection(**fields))
    except Malformed as malformed:
        assert "is missing" in str(malformed)  # noqa: PT017 - reading it at all is the other success


@UNHURRIED
@given(st.dictionaries(st.sampled_from(STREAM_FIELDS), anything))
def test_no_field_of_a_stream_can_break_the_reader(fields: dict[str, Any]) -> None:
    try:
        read_stream(**fields)
    except Malformed as malformed:
        assert "is missing" in str(malformed)  # noqa: PT017 - reading it at all is the other success


@UNHURRIED
@given(anything)
def test_no_answer_at_all_can_break_the_reader(data: Any) -> None:
    for read in (
        public_read.workspace,
        public_read.tag,
        public_read.connection,
        public_read.discovered,
        lambda row: public_read.definition("source", row),
        lambda row: public_read.actor("source", row, unresolved),
    ):
        with pytest.raises(Malformed):
            read(data)
