"""sources/discover_schema and the last catalog (CFG §4)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.builders import FAKER, GITHUB, MASK, Airbyte, Start, path_of, postgres

UNKNOWN = "11111111-2222-4333-8444-555555555555"
Offer = Callable[..., None]


def discover(airbyte: Airbyte, source: Any, **fields: Any) -> Any:
    return airbyte.configured("sources/discover_schema", sourceId=source["sourceId"], **fields)


def names(answer: Any) -> list[str]:
    return [entry["stream"]["name"] for entry in answer["catalog"]["streams"]]


def stream(name: str = "orders", columns: str = "id updated_at note", **more: Any) -> Any:
    properties = {column: {"type": "string"} for column in columns.split()}
    return {
        "name": name,
        "namespace": "public",
        "json_schema": {"type": "object", "properties": properties},
        "supported_sync_modes": ["full_refresh", "incremental"],
        **more,
    }


@pytest.fixture
def offer(tmp_path: Path) -> Offer:
    """What Postgres sources hold from now on."""

    def write(*streams: Any) -> None:
        entries = [{"stream": stream} for stream in streams]
        (tmp_path / "postgres.json").write_text(json.dumps({"streams": entries}))

    return write


@pytest.fixture
def shop(start: Start, tmp_path: Path, offer: Offer) -> Airbyte:
    offer(stream())
    return start(catalogs=tmp_path)


# --- What it answers -------------------------------------------------------------------------


def test_a_stream_is_described_whole(shop: Airbyte):
    (entry,) = discover(shop, shop.source())["catalog"]["streams"]
    assert entry["stream"] == {
        "name": "orders",
        "namespace": "public",
        "jsonSchema": stream()["json_schema"],
        "supportedSyncModes": ["full_refresh", "incremental"],
        "sourceDefinedCursor": False,
        "defaultCursorField": [],
        "sourceDefinedPrimaryKey": [],
    }


KEYED = {"source_defined_cursor": True, "source_defined_primary_key": [["id"]]}
CURSOR = {"source_defined_cursor": True, "default_cursor_field": ["updated_at"]}


@pytest.mark.parametrize(
    ("more", "pair"),
    [
        ({}, ("full_refresh", "overwrite")),
        (KEYED, ("incremental", "append_dedup")),
        (CURSOR, ("full_refresh", "overwrite")),
        ({**CURSOR, "supported_sync_modes": ["incremental"]}, ("incremental", "append")),
    ],
)
def test_modes_are_proposed_by_what_the_source_defines(
    shop: Airbyte, offer: Offer, more: dict[str, Any], pair: tuple[str, str]
):
    offer(stream("my orders", **more))
    (entry,) = discover(shop, shop.source())["catalog"]["streams"]
    config = entry["config"]
    assert (config["syncMode"], config["destinationSyncMode"]) == pair
    assert config["cursorField"] == more.get("default_cursor_field", [])
    assert config["primaryKey"] == more.get("source_defined_primary_key", [])
    assert config["aliasName"] == "my_orders"


def test_only_a_single_stream_or_a_suggested_one_is_selected(shop: Airbyte, offer: Offer):
    def selected(answer: Any) -> list[str]:
        streams = answer["catalog"]["streams"]
        assert all(s["config"]["suggested"] == s["config"]["selected"] for s in streams)
        return [s["stream"]["name"] for s in streams if s["config"]["selected"]]

    source = shop.source()
    assert selected(discover(shop, source)) == ["orders"]
    offer(stream(), stream("customers"))
    assert selected(discover(shop, source, disable_cache=True)) == []
    github = {"repositories": ["a/b"], "credentials": {"personal_access_token": "x"}}
    suggested = selected(discover(shop, shop.source("hub", GITHUB, **github)))
    assert suggested
    assert "issues" in suggested


# --- Cache -----------------------------------------------------------------------------------


def test_a_run_has_a_job_and_a_cached_answer_a_made_up_one(shop: Airbyte):
    source = shop.source()
    first, second = discover(shop, source), discover(shop, source)
    assert first["jobInfo"]["configId"] == source["definitionId"]
    assert first["jobInfo"]["endedAt"] == 1_700_000_000
    assert second["jobInfo"]["configId"] == "NoConfiguration"
    assert (second["jobInfo"]["createdAt"], second["jobInfo"]["endedAt"]) == (0, 0)
    assert second["jobInfo"]["succeeded"] is True
    assert {**first, "jobInfo": 0} == {**second, "jobInfo": 0}
    assert len(shop.events("discover_ran")) == 1


def test_the_cache_can_be_passed_by_and_goes_with_the_configuration(shop: Airbyte, offer: Offer):
    source = shop.source()
    discover(shop, source)
    offer(stream(), stream("customers"))
    assert names(discover(shop, source)) == ["orders"]
    assert names(discover(shop, source, disable_cache=True)) == ["orders", "customers"]
    offer(stream("products"))
    assert names(discover(shop, source)) == ["orders", "customers"]
    shop.changed(source, "PUT", name="shop", configuration=postgres(host="new", password=MASK))
    assert names(discover(shop, source)) == ["products"]


def test_equal_catalogs_have_one_id_and_others_another(shop: Airbyte, offer: Offer):
    source = shop.source()
    first = discover(shop, source)["catalogId"]
    assert discover(shop, source, disable_cache=True)["catalogId"] == first
    offer(stream(), stream("customers"))
    assert discover(shop, source, disable_cache=True)["catalogId"] != first
    offer(stream())
    assert discover(shop, source, disable_cache=True)["catalogId"] == first


# --- Failures --------------------------------------------------------------------------------


def test_a_discover_that_fails_is_200_without_a_catalog(shop: Airbyte):
    source = shop.source()
    shop.chaos("POST /sources/discover_schema discover-failure='no route to host' times=1")
    failed = discover(shop, source)
    assert list(failed) == ["jobInfo"]
    assert failed["jobInfo"]["succeeded"] is False
    assert failed["jobInfo"]["failureReason"]["externalMessage"] == "no route to host"
    assert names(discover(shop, source)) == ["orders"]


def test_a_connector_without_a_catalog_says_what_is_missing(start: Start, tmp_path: Path):
    (tmp_path / "source-bare.json").write_text(
        """{"definitionId": "77777777-7777-4777-8777-777777777777", "name": "Bare", "type": "source",
        "dockerRepository": "acme/source-bare", "connectionSpecification": {"type": "object"}}"""
    )
    airbyte = start(connectors=tmp_path)
    source = airbyte.source("x", "77777777-7777-4777-8777-777777777777", any=1)
    failed = discover(airbyte, source)
    assert "no catalog for the connector" in failed["jobInfo"]["failureReason"]["externalMessage"]


def test_an_unknown_or_deleted_source_is_404(shop: Airbyte):
    assert shop.config("sources/discover_schema", sourceId=UNKNOWN).status_code == 404
    source = shop.source()
    shop("DELETE", path_of(source))
    key = {"sourceId": source["sourceId"]}
    assert shop.config("sources/discover_schema", **key).status_code == 404


# --- With a connection -----------------------------------------------------------------------

DEDUP = {
    "name": "orders",
    "syncMode": "incremental_deduped_history",
    "cursorField": ["updated_at"],
    "primaryKey": [["id"]],
}


def compare(airbyte: Airbyte, connection: Any, **fields: Any) -> Any:
    body = {"connectionId": connection["connectionId"], "disable_cache": True, **fields}
    return discover(airbyte, {"sourceId": connection["sourceId"]}, **body)


def test_a_breaking_change_switches_the_connection_off(shop: Airbyte, offer: Offer):
    made = shop.connection(DEDUP)
    offer(stream(columns="id note extra"))
    answer = compare(shop, made)
    assert "jobInfo" not in answer
    assert (answer["breakingChange"], answer["connectionStatus"]) == (True, "inactive")
    (transform,) = answer["catalogDiff"]["transforms"]
    assert transform["transformType"] == "update_stream"
    assert transform["streamDescriptor"] == {"name": "orders", "namespace": "public"}
    changes = {
        (change["transformType"], *change["fieldName"], change["breaking"])
        for change in transform["updateStream"]["fieldTransforms"]
    }
    assert changes == {("add_field", "extra", False), ("remove_field", "updated_at", True)}
    assert shop.read(made)["status"] == "inactive"
    (event,) = shop.events("connection_compared")
    assert (event["connectionId"], event["breaking"]) == (made["connectionId"], True)


@pytest.mark.parametrize(
    ("preference", "status"), [("ignore", "active"), ("disable_connection", "inactive")]
)
def test_any_change_switches_off_a_connection_that_asks_for_it(
    shop: Airbyte, offer: Offer, preference: str, status: str
):
    made = shop.connection(DEDUP, nonBreakingSchemaUpdatesBehavior=preference)
    offer(stream(), stream("customers"))
    answer = compare(shop, made)
    assert (answer["breakingChange"], answer["connectionStatus"]) == (False, status)
    added = {
        "transformType": "add_stream",
        "streamDescriptor": {"name": "customers", "namespace": "public"},
    }
    assert answer["catalogDiff"]["transforms"] == [added]


def test_a_lost_stream_breaks_nothing(shop: Airbyte, offer: Offer):
    made = shop.connection(DEDUP)
    offer(stream("products"))
    answer = compare(shop, made)
    kinds = [transform["transformType"] for transform in answer["catalogDiff"]["transforms"]]
    assert kinds == ["add_stream", "remove_stream"]
    assert answer["breakingChange"] is False


def test_a_changed_type_and_a_changed_key_are_told(shop: Airbyte, offer: Offer):
    offer(stream(source_defined_primary_key=[["id"]]))
    made = shop.connection({"name": "orders", "syncMode": "full_refresh_overwrite"})
    changed = stream(source_defined_primary_key=[["id"], ["note"]])
    changed["json_schema"]["properties"]["note"] = {"type": "integer"}
    offer(changed)
    update = compare(shop, made)["catalogDiff"]["transforms"][0]["updateStream"]
    assert update["fieldTransforms"] == [
        {
            "transformType": "update_field_schema",
            "fieldName": ["note"],
            "breaking": False,
            "updateFieldSchema": {
                "oldSchema": {"type": "string"},
                "newSchema": {"type": "integer"},
            },
        }
    ]
    (key,) = update["streamAttributeTransforms"]
    assert (key["transformType"], key["breaking"]) == ("update_primary_key", False)


def test_the_difference_is_to_the_catalog_the_connection_was_made_from(shop: Airbyte, offer: Offer):
    made = shop.connection(DEDUP)
    offer(stream(), stream("customers"))
    discover(shop, {"sourceId": made["sourceId"]}, disable_cache=True)
    transforms = compare(shop, made)["catalogDiff"]["transforms"]
    assert [t["streamDescriptor"]["name"] for t in transforms] == ["customers"]


def test_a_cache_hit_ignores_the_connection(shop: Airbyte):
    made = shop.connection(DEDUP)
    answer = compare(shop, made, disable_cache=False)
    assert "catalogDiff" not in answer
    assert shop.events("connection_compared") == []


def test_a_failed_run_leaves_the_connection_alone(shop: Airbyte):
    made = shop.connection(DEDUP)
    shop.chaos("POST /sources/discover_schema discover-failure")
    assert list(compare(shop, made)) == ["jobInfo"]
    assert shop.events("connection_compared") == []


def test_a_connection_that_is_not_there_is_404(shop: Airbyte):
    key = {"sourceId": shop.source()["sourceId"], "connectionId": UNKNOWN}
    assert shop.config("sources/discover_schema", **key).status_code == 404


# --- The last catalog ------------------------------------------------------------------------


def test_the_last_catalog_is_read_without_running_anything(airbyte: Airbyte):
    source = airbyte.source("made up", FAKER, count=1)
    key = {"sourceId": source["sourceId"]}
    assert airbyte.configured("sources/most_recent_source_actor_catalog", **key) == {}
    discover(airbyte, source)
    last = airbyte.configured("sources/most_recent_source_actor_catalog", **key)
    assert last["updatedAt"] == 1_700_000_000
    assert all("json_schema" in stream for stream in last["catalog"]["streams"])
    assert len(airbyte.events("discover_ran")) == 1
