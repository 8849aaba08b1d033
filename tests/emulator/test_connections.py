"""Connections: defaults, schedules, what a write costs, and their end (PUB §4)."""

from __future__ import annotations

import json

import pytest

from tests.emulator.builders import Airbyte, Start

UNKNOWN = "11111111-2222-4333-8444-555555555555"
INCREMENTAL = {"syncMode": "incremental_append", "cursorField": ["updated_at"]}


def patch(airbyte: Airbyte, connection, **fields):
    return airbyte("PATCH", f"/connections/{connection['connectionId']}", json=fields)


def patched(airbyte: Airbyte, connection, **fields):
    return airbyte.made("PATCH", f"/connections/{connection['connectionId']}", json=fields)


def names(connection) -> list[str]:
    return [stream["name"] for stream in connection["configurations"]["streams"]]


# --- Create ----------------------------------------------------------------------------------


def test_defaults_of_a_create(airbyte: Airbyte):
    source, destination = airbyte.source("shop"), airbyte.destination("lake")
    made = airbyte.connection(source=source, destination=destination)
    assert made.pop("connectionId")
    assert made == {
        "name": "shop <> lake",
        "sourceId": source["sourceId"],
        "destinationId": destination["destinationId"],
        "workspaceId": airbyte.workspace,
        "status": "active",
        "schedule": {"scheduleType": "manual"},
        "nonBreakingSchemaUpdatesBehavior": "ignore",
        "namespaceDefinition": "destination",
        "prefix": "",
        "configurations": {"streams": []},
        "createdAt": 1_700_000_000,
        "tags": [],
    }


def test_unknown_actors_are_404_the_destination_first(airbyte: Airbyte):
    body = {"sourceId": UNKNOWN, "destinationId": UNKNOWN}
    answer = airbyte("POST", "/connections", json=body)
    assert answer.status_code == 404
    assert answer.json()["data"]["resourceType"] == "DESTINATION_CONNECTION"


def test_actors_of_two_workspaces_are_a_500_without_a_reason(airbyte: Airbyte):
    other = airbyte.made("POST", "/workspaces", json={"name": "Other"})["workspaceId"]
    source = airbyte.source()
    airbyte.workspace = other
    body = {
        "sourceId": source["sourceId"],
        "destinationId": airbyte.destination()["destinationId"],
    }
    answer = airbyte("POST", "/connections", json=body)
    assert answer.status_code == 500
    assert answer.json()["data"] is None


@pytest.mark.parametrize("field", ["namespaceDefinition", "nonBreakingSchemaUpdatesBehavior"])
def test_an_explicit_null_breaks_a_create(airbyte: Airbyte, field: str):
    body = {
        "sourceId": airbyte.source()["sourceId"],
        "destinationId": airbyte.destination()["destinationId"],
        field: None,
    }
    assert airbyte("POST", "/connections", json=body).status_code == 500


def test_a_create_runs_discover(airbyte: Airbyte):
    airbyte.connection()
    assert len(airbyte.events("discover_ran")) == 1


def test_a_refused_create_leaves_no_connection_but_the_discovered_catalog(airbyte: Airbyte):
    source, destination = airbyte.source(), airbyte.destination()
    body = {
        "sourceId": source["sourceId"],
        "destinationId": destination["destinationId"],
        "configurations": {"streams": [{"name": "nope"}]},
    }
    assert airbyte("POST", "/connections", json=body).status_code == 400
    assert airbyte.made("GET", "/connections")["data"] == []
    airbyte.connection({"name": "products"}, source=source, destination=destination)
    assert len(airbyte.events("discover_ran")) == 1


def test_more_than_twenty_thousand_fields_are_refused_with_a_reason(start: Start, tmp_path):
    columns = {f"c{number}": {} for number in range(20_001)}
    stream = {"name": "wide", "json_schema": {"properties": columns}}
    (tmp_path / "postgres.json").write_text(json.dumps({"streams": [{"stream": stream}]}))
    airbyte = start(catalogs=tmp_path)
    body = {
        "sourceId": airbyte.source()["sourceId"],
        "destinationId": airbyte.destination()["destinationId"],
        "configurations": {"streams": [{"name": "wide"}]},
    }
    answer = airbyte("POST", "/connections", json=body)
    assert answer.status_code == 500
    assert "20001 fields" in answer.json()["data"]["message"]
    few = {"name": "wide", "selectedFields": [{"fieldPath": ["c0"]}]}
    body["configurations"] = {"streams": [few]}
    assert airbyte("POST", "/connections", json=body).status_code == 200


# --- Patch -----------------------------------------------------------------------------------


def test_a_patch_changes_only_what_it_states(airbyte: Airbyte):
    made = airbyte.connection({"name": "products"}, name="before", prefix="p_")
    after = patched(airbyte, made, name="after")
    assert after == {**made, "name": "after"}


def test_a_patch_without_streams_runs_no_discover(airbyte: Airbyte):
    source = airbyte.source()
    made = airbyte.connection({"name": "products"}, source=source)
    airbyte.made("PATCH", f"/sources/{source['sourceId']}", json={"configuration": {"host": "b"}})
    patched(airbyte, made, name="x")
    assert len(airbyte.events("discover_ran")) == 1
    patched(airbyte, made, configurations={"streams": [{"name": "products"}]})
    assert len(airbyte.events("discover_ran")) == 2


# --- State -----------------------------------------------------------------------------------


def test_a_deselected_stream_keeps_its_state(airbyte: Airbyte):
    made = airbyte.connection({"name": "products", **INCREMENTAL}, {"name": "customers"})
    airbyte.set_state(made, "products")
    patched(airbyte, made, configurations={"streams": [{"name": "customers"}]})
    assert airbyte.states(made) == ["products"]


# --- Schedules -------------------------------------------------------------------------------


def cron(expression: str | None) -> dict:
    return {"scheduleType": "cron", "cronExpression": expression}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (None, "Missing cron expression in the schedule."),
        ("0 12 * * *", "Cron expression contains 5 parts but we expect one of [6, 7]"),
        ("0 0 12 * * ? America/New_York x", "Cron expression contains 8 parts"),
        ("* 0 12 * * ?", "The first field"),
        ("0 * 12 * * ? 2030", "The second field"),
    ],
)
def test_pub_t_13b_a_cron_of_another_dialect_is_refused(
    airbyte: Airbyte, expression, expected: str
):
    made = airbyte.connection()
    answer = patch(airbyte, made, schedule=cron(expression))
    assert answer.status_code == 400
    assert answer.json()["data"]["message"].startswith(expected)


def test_pub_t_13c_an_interval_reads_as_a_sentence_and_cannot_be_written(airbyte: Airbyte):
    made = airbyte.connection()
    edit = {
        "kind": "connection",
        "id": made["connectionId"],
        "fields": {"schedule": {"type": "basic", "units": 24, "time_unit": "hours"}},
    }
    airbyte.made("POST", "/_emulator/edit", json=edit)
    read = airbyte.made("GET", f"/connections/{made['connectionId']}")
    assert read["schedule"] == {"scheduleType": "basic", "basicTiming": "Every 24 HOURS"}
    assert patch(airbyte, made, schedule=read["schedule"]).status_code == 422


# --- Status and tags -------------------------------------------------------------------------


def test_a_locked_connection_refuses_every_patch(airbyte: Airbyte):
    made = airbyte.connection()
    assert patched(airbyte, made, status="locked")["status"] == "locked"
    answer = patch(airbyte, made, status="active")
    assert answer.status_code == 409
    assert answer.json() == {
        "status": 409,
        "type": "error:connection/locked",
        "title": "Connection is locked",
        "detail": "The connection is locked and cannot be modified.",
        "documentationUrl": None,
        "data": {"connectionId": made["connectionId"], "statusReason": None},
    }


def test_pub_t_27b_tags_of_another_workspace_are_dropped_silently(airbyte: Airbyte):
    other = airbyte.made("POST", "/workspaces", json={"name": "Other"})["workspaceId"]
    foreign = airbyte.tag("foreign", other)
    unknown = {**foreign, "tagId": UNKNOWN}
    assert airbyte.connection(tags=[foreign, unknown])["tags"] == []


def test_a_tag_of_a_connection_needs_all_its_fields(airbyte: Airbyte):
    made = airbyte.connection()
    answer = patch(airbyte, made, tags=[{"tagId": airbyte.tag("gold")["tagId"]}])
    assert answer.status_code == 400


# --- Deletion --------------------------------------------------------------------------------


def test_pub_t_23b_a_deleted_connection_still_answers_and_can_be_written(airbyte: Airbyte):
    made = airbyte.connection({"name": "products", **INCREMENTAL})
    airbyte.set_state(made, "products")
    path = f"/connections/{made['connectionId']}"
    assert airbyte("DELETE", path).status_code == 204
    assert airbyte("DELETE", path).status_code == 204
    assert airbyte.made("GET", path)["status"] == "deprecated"
    assert airbyte.made("GET", "/connections")["data"] == []
    assert len(airbyte.made("GET", "/connections?includeDeleted=true")["data"]) == 1
    assert airbyte.states(made) == []
    assert patch(airbyte, made, status="active").status_code == 200
    assert len(airbyte.made("GET", "/connections")["data"]) == 1


def test_an_unknown_connection_is_404(airbyte: Airbyte):
    answer = airbyte("GET", f"/connections/{UNKNOWN}")
    assert answer.status_code == 404
    assert answer.json()["data"] == {"resourceType": "STANDARD_SYNC", "resourceId": UNKNOWN}
