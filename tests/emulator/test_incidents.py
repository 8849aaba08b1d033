"""What the server does by itself when a source's schema changes (PUB-T 21, PUB-T 22)."""

from __future__ import annotations

import pytest

from tests.emulator.builders import S3, Airbyte, columns, streams

INCREMENTAL = {"name": "products", "syncMode": "incremental_append", "cursorField": ["updated_at"]}
HASHING = {
    "type": "hashing",
    "mapperConfiguration": {"targetField": "title", "method": "MD5", "fieldNameSuffix": "_h"},
}
LAKE = {
    "s3_bucket_name": "b",
    "s3_bucket_path": "p",
    "s3_bucket_region": "",
    "format": {"format_type": "JSONL"},
}
NEW_STREAM = {
    "name": "reviews",
    "namespace": "public",
    "json_schema": {"properties": {"id": {"type": "number"}}},
    "supported_sync_modes": ["full_refresh", "incremental"],
}


def propagate(airbyte: Airbyte, source, **change):
    body = {"sourceId": source["sourceId"], **change}
    return airbyte.made("POST", "/_emulator/auto-propagate", json=body)


def connected(airbyte: Airbyte, source, behaviour: str, *chosen, **more):
    return airbyte.connection(
        *chosen, source=source, nonBreakingSchemaUpdatesBehavior=behaviour, **more
    )


def selected(connection) -> list[str]:
    return [stream["name"] for stream in streams(connection)]


WEIGHT = {"add_columns": [{"stream": "products", "column": "weight"}]}


def test_the_source_offers_what_was_changed_in_it(airbyte: Airbyte):
    source = airbyte.source()
    propagate(
        airbyte,
        source,
        add_columns=[{"stream": "products", "column": "weight", "schema": {"type": "number"}}],
        remove_columns=[{"stream": "products", "namespace": "public", "column": "title"}],
        add_streams=[NEW_STREAM],
        remove_streams=[{"stream": "customers"}],
    )
    offered = airbyte.made("GET", f"/streams?sourceId={source['sourceId']}&ignoreCache=true")
    by_name = {stream["streamName"]: stream["propertyFields"] for stream in offered}
    assert ["weight"] in by_name["products"]
    assert ["title"] not in by_name["products"]
    assert by_name["reviews"] == [["id"]]
    assert "customers" not in by_name


def test_another_source_of_the_same_connector_offers_what_it_did(airbyte: Airbyte):
    changed, other = airbyte.source(), airbyte.source("other")
    propagate(airbyte, changed, remove_streams=[{"stream": "customers"}])
    offered = airbyte.made("GET", f"/streams?sourceId={other['sourceId']}")
    assert "customers" in {stream["streamName"] for stream in offered}


@pytest.mark.parametrize(
    "change",
    [
        {"remove_streams": [{"stream": "nope"}]},
        {"remove_streams": [{"stream": "orders"}]},  # there are two of this name
        {"remove_columns": [{"stream": "products", "column": "nope"}]},
        {"add_streams": [{"json_schema": {}}]},
    ],
)
def test_a_change_of_what_is_not_there_is_refused(airbyte: Airbyte, change):
    body = {"sourceId": airbyte.source()["sourceId"], **change}
    assert airbyte("POST", "/_emulator/auto-propagate", json=body).status_code == 400


def test_ignore_leaves_the_connection_alone(airbyte: Airbyte):
    source = airbyte.source()
    made = connected(airbyte, source, "ignore", {"name": "products"})
    outcome = propagate(airbyte, source, **WEIGHT)
    assert outcome == {"disabled": [], "propagated": [], "failed": []}
    assert airbyte.read(made) == made


@pytest.mark.parametrize("change", [WEIGHT, {"add_streams": [NEW_STREAM]}])
def test_disable_connection_switches_it_off(airbyte: Airbyte, change):
    source = airbyte.source()
    made = connected(airbyte, source, "disable_connection", {"name": "products"})
    assert propagate(airbyte, source, **change)["disabled"] == [made["connectionId"]]
    assert airbyte.read(made) == {**made, "status": "inactive"}
    assert [event["because"] for event in airbyte.events("auto_disabled")] == ["schema change"]


def test_a_changed_column_of_a_stream_that_is_not_synced_is_no_change(airbyte: Airbyte):
    source = airbyte.source()
    made = connected(airbyte, source, "disable_connection", {"name": "customers"})
    propagate(airbyte, source, **WEIGHT)
    assert airbyte.read(made) == made


def test_propagate_columns_widens_and_narrows_selections_and_no_streams(airbyte: Airbyte):
    source = airbyte.source()
    chosen = {"name": "products", "selectedFields": columns("id", "title")}
    made = connected(airbyte, source, "propagate_columns", chosen, {"name": "customers"})
    propagate(
        airbyte,
        source,
        **WEIGHT,
        remove_columns=[{"stream": "products", "column": "title"}],
        add_streams=[NEW_STREAM],
        remove_streams=[{"stream": "customers"}],
    )
    after = airbyte.read(made)
    assert selected(after) == ["products", "customers"]
    assert streams(after)[0]["selectedFields"] == columns("id", "weight")


def test_propagate_fully_adds_and_removes_streams(airbyte: Airbyte):
    source = airbyte.source()
    made = connected(
        airbyte, source, "propagate_fully", {"name": "products"}, {"name": "customers"}
    )
    propagate(airbyte, source, add_streams=[NEW_STREAM], remove_streams=[{"stream": "customers"}])
    after = airbyte.read(made)
    assert selected(after) == ["products", "reviews"]
    assert streams(after)[1]["syncMode"] == "full_refresh_overwrite"


BOTH, ONLY_INCREMENTAL = ["full_refresh", "incremental"], ["incremental"]
ID_AND_CURSOR = {
    "source_defined_cursor": True,
    "default_cursor_field": ["id"],
    "source_defined_primary_key": [["id"]],
}
CURSOR = {"source_defined_cursor": True, "default_cursor_field": ["id"]}


@pytest.mark.parametrize(
    ("modes", "defined", "destination", "expected"),
    [
        (BOTH, ID_AND_CURSOR, "snowflake", "incremental_deduped_history"),
        (BOTH, ID_AND_CURSOR, "s3", "full_refresh_overwrite"),
        (BOTH, CURSOR, "snowflake", "full_refresh_overwrite"),
        (ONLY_INCREMENTAL, CURSOR, "snowflake", "incremental_append"),
        # whatever comes first, though it makes a pair without a name
        (ONLY_INCREMENTAL, ID_AND_CURSOR, "s3", None),
    ],
)
def test_a_stream_that_is_added_gets_the_servers_usual_mode(
    airbyte: Airbyte, modes, defined, destination: str, expected: str | None
):
    source = airbyte.source()
    lakes = {"snowflake": airbyte.destination, "s3": lambda: airbyte.destination("s3", S3, **LAKE)}
    made = connected(
        airbyte, source, "propagate_fully", {"name": "products"}, destination=lakes[destination]()
    )
    added = {**NEW_STREAM, **defined, "supported_sync_modes": modes}
    propagate(airbyte, source, add_streams=[added])
    assert streams(airbyte.read(made))[1].get("syncMode") == expected


def test_propagation_keeps_positions_mappers_and_choices(airbyte: Airbyte):
    source = airbyte.source()
    chosen = {**INCREMENTAL, "mappers": [HASHING]}
    made = connected(airbyte, source, "propagate_fully", chosen)
    airbyte.set_state(made, "products")
    propagate(airbyte, source, **WEIGHT)
    assert airbyte.read(made) == made
    assert airbyte.states(made) == ["products"]


def test_a_lost_key_breaks_a_deduplicating_connection(airbyte: Airbyte):
    source = airbyte.source()
    merged = {**INCREMENTAL, "syncMode": "incremental_deduped_history"}
    made = connected(airbyte, source, "ignore", merged)
    propagate(airbyte, source, remove_columns=[{"stream": "products", "column": "id"}])
    assert airbyte.read(made)["status"] == "inactive"


@pytest.mark.parametrize("behaviour", ["ignore", "propagate_fully"])
def test_a_lost_cursor_breaks_the_connection_whatever_it_prefers(airbyte: Airbyte, behaviour: str):
    source = airbyte.source()
    made = connected(airbyte, source, behaviour, INCREMENTAL)
    propagate(airbyte, source, remove_columns=[{"stream": "products", "column": "updated_at"}])
    assert airbyte.read(made) == {**made, "status": "inactive"}


def test_a_mapper_that_no_longer_fits_stops_the_propagation(airbyte: Airbyte):
    source = airbyte.source()
    chosen = {"name": "products", "mappers": [HASHING]}
    made = connected(airbyte, source, "propagate_columns", chosen)
    change = {"remove_columns": [{"stream": "products", "column": "title"}]}
    assert propagate(airbyte, source, **change)["failed"] == [made["connectionId"]]
    assert airbyte.read(made) == made


def test_an_inactive_connection_finds_nothing_out(airbyte: Airbyte):
    source = airbyte.source()
    chosen = {"name": "products", "selectedFields": columns("id")}
    made = connected(airbyte, source, "propagate_fully", chosen, status="inactive")
    propagate(airbyte, source, **WEIGHT)
    assert airbyte.read(made) == made


def test_a_stream_that_vanished_earlier_stays_through_later_changes(airbyte: Airbyte):
    source = airbyte.source()
    made = connected(
        airbyte, source, "propagate_columns", {"name": "products"}, {"name": "customers"}
    )
    propagate(airbyte, source, remove_streams=[{"stream": "customers"}])
    propagate(airbyte, source, **WEIGHT)
    assert selected(airbyte.read(made)) == ["products", "customers"]
