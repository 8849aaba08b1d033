"""Traps 21 to 40 of the public API (PUB §10): what a client would fall into, on the wire."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.emulator.settings import Chaos
from tests.emulator.builders import (
    GITHUB,
    POSTGRES,
    Airbyte,
    Clock,
    Start,
    columns,
    path_of,
    postgres,
    streams,
)

UNKNOWN = "11111111-2222-4333-8444-555555555555"
INCREMENTAL = {"syncMode": "incremental_append", "cursorField": ["updated_at"]}


def test_pub_t_21_a_propagating_connection_follows_its_source_behind_your_back(airbyte: Airbyte):
    source = airbyte.source()
    products = {"name": "products", "selectedFields": columns("id", "title")}
    kept, widened = (
        airbyte.connection(products, source=source, nonBreakingSchemaUpdatesBehavior=behaviour)
        for behaviour in ("ignore", "propagate_columns")
    )
    change = {
        "sourceId": source["sourceId"],
        "add_columns": [{"stream": "products", "column": "weight"}],
    }
    airbyte.made("POST", "/_emulator/auto-propagate", json=change)
    assert airbyte.read(kept) == kept
    (stream,) = streams(airbyte.read(widened))
    assert stream["selectedFields"] == columns("id", "title", "weight")


def test_pub_t_22_the_server_switches_a_failing_connection_off(airbyte: Airbyte):
    made = airbyte.connection({"name": "products"})
    airbyte.made("POST", "/_emulator/auto-disable", json={"connectionId": made["connectionId"]})
    assert airbyte.read(made) == {**made, "status": "inactive"}
    assert airbyte.changed(made, status="active")["status"] == "active"


@pytest.mark.parametrize("kind", ["source", "destination", "connection"])
def test_pub_t_23_what_was_deleted_still_answers_but_is_not_listed(airbyte: Airbyte, kind: str):
    path = path_of(getattr(airbyte, kind)())
    airbyte.made("DELETE", path)
    read = airbyte.made("GET", path)
    assert (read["status"] == "deprecated") if kind == "connection" else not read["configuration"]
    assert airbyte.listed(f"{kind}s") == []
    assert len(airbyte.listed(f"{kind}s", "?includeDeleted=true")) == 1
    assert airbyte("DELETE", path).status_code == 204


def test_pub_t_24_pages_without_an_order_repeat_and_hide_rows(start: Start):
    airbyte = start(chaos=Chaos(page_seed=7))
    names = [airbyte.source(f"s{number}")["name"] for number in range(10)]
    walked = [
        row["name"]
        for offset in (0, 5)
        for row in airbyte.listed("sources", f"?limit=5&offset={offset}")
    ]
    assert len(walked) == 10
    assert set(walked) < set(names)
    assert {row["name"] for row in airbyte.listed("sources")} == set(names)


def test_pub_t_25_next_stands_on_the_last_page_and_points_nowhere(airbyte: Airbyte):
    airbyte.source()
    page = airbyte.made("GET", f"/sources?workspaceIds={airbyte.workspace}&limit=5")
    assert page["previous"] == ""
    assert page["next"] == (
        "http://localhost:8001/api/public/v1/sources?includeDeleted=false"
        f"&workspaceIds={airbyte.workspace}&limit=5&offset=5"
    )
    empty = airbyte.made("GET", "/sources?limit=5&offset=5")
    assert (empty["next"], empty["data"]) == ("", [])


def test_pub_t_26_a_post_that_timed_out_may_have_created_and_a_second_creates_again(
    airbyte: Airbyte,
):
    airbyte.chaos("POST /sources 504 after times=1")
    body = {
        "name": "shop",
        "workspaceId": airbyte.workspace,
        "definitionId": POSTGRES,
        "configuration": postgres(),
    }
    assert airbyte("POST", "/sources", json=body).status_code == 504
    assert airbyte("POST", "/sources", json=body).status_code == 200
    assert [row["name"] for row in airbyte.listed("sources")] == ["shop", "shop"]


def test_pub_t_27_unknown_and_immutable_fields_are_ignored(airbyte: Airbyte):
    source = airbyte.source()
    sent = {"definitionId": GITHUB, "workspaceId": UNKNOWN, "nmae": "x"}
    assert airbyte.changed(source, **sent) == source


def test_pub_t_28_what_the_client_did_wrong_may_be_a_500_without_a_reason(airbyte: Airbyte):
    answer = airbyte("GET", "/sources/not-a-uuid")
    assert answer.status_code == 500
    assert list(answer.json()) == ["errorId"]


def test_pub_t_29_any_write_of_the_source_makes_the_next_discover_live(airbyte: Airbyte):
    source = airbyte.source()
    offered = f"/streams?sourceId={source['sourceId']}"
    airbyte.made("GET", offered)
    airbyte.made("GET", offered)
    assert len(airbyte.events("discover_ran")) == 1
    airbyte.changed(source, configuration={"password": postgres()["password"]})
    airbyte.made("GET", offered)
    assert len(airbyte.events("discover_ran")) == 2


def test_pub_t_30_a_patch_with_streams_accepts_the_newest_schema(start: Start, tmp_path):
    catalog = tmp_path / "postgres.json"
    text = '{"streams": [{"stream": {"name": "t", "json_schema": {"properties": {%s}}}}]}'
    catalog.write_text(text % '"a": {}')
    airbyte = start(catalogs=tmp_path)
    source = airbyte.source()
    made = airbyte.connection({"name": "t"}, source=source)
    catalog.write_text(text % '"a": {}, "b": {}')
    airbyte.changed(made, name="x")
    assert airbyte.events("schema_refreshed") == []
    airbyte.made("GET", f"/streams?sourceId={source['sourceId']}&ignoreCache=true")
    airbyte.changed(made, configurations={"streams": [{"name": "t"}]})
    assert [event["stream"] for event in airbyte.events("schema_refreshed")] == ["t"]


def test_pub_t_31_a_rename_alone_is_validated_against_todays_spec(start: Start, tmp_path):
    connectors = tmp_path / "connectors"
    connectors.mkdir()
    file = connectors / "source-made-up.json"
    text = """{"definitionId": "22222222-2222-4222-8222-222222222222", "name": "Made up", "type": "source",
      "dockerRepository": "acme/source-made-up", "dockerImageTag": "1.0.0",
      "connectionSpecification":
      {"type": "object", "required": %s, "properties": {"a": {"type": "string"}}}}"""
    file.write_text(text % "[]")
    before = start(db=tmp_path / "airbyte.db", connectors=connectors)
    source = before.source(definition="22222222-2222-4222-8222-222222222222", a="x")
    before.close()
    file.write_text(text % '["a", "added"]')
    answer = start(db=tmp_path / "airbyte.db", connectors=connectors).change(source, name="renamed")
    assert answer.status_code == 422
    assert "required property 'added' not found" in answer.json()["data"]["message"]


def test_pub_t_32_the_type_of_a_connector_outside_airbytes_list_reads_empty(airbyte: Airbyte):
    made = airbyte.destination(
        definition="a7bcc9d8-13b3-4e49-b80d-d020b90045e3",
        test_destination={"test_destination_type": "SILENT"},
    )
    assert made["destinationType"] == ""


def test_pub_t_33_spec_defaults_are_never_filled_in(airbyte: Airbyte):
    assert "schemas" not in airbyte.source()["configuration"]


def test_pub_t_34_null_clears_nothing_and_empty_text_does(airbyte: Airbyte):
    made = airbyte.connection(
        prefix="p_", namespaceDefinition="custom_format", namespaceFormat="raw"
    )
    assert airbyte.changed(made, prefix=None, namespaceFormat=None) == made
    cleared = airbyte.changed(made, prefix="", namespaceFormat="")
    assert (cleared["prefix"], cleared["namespaceFormat"]) == ("", "")


def test_pub_t_35_tags_are_replaced_as_a_whole(airbyte: Airbyte):
    gold, silver = airbyte.tag("gold"), airbyte.tag("silver")
    made = airbyte.connection(tags=[gold])
    assert airbyte.changed(made, tags=[silver])["tags"] == [silver]
    assert airbyte.changed(made, name="x")["tags"] == [silver]
    assert airbyte.changed(made, tags=[])["tags"] == []


def test_pub_t_36_overwrite_is_never_checked_and_its_deduped_form_never_listed(
    start: Start, tmp_path
):
    (tmp_path / "postgres.json").write_text(
        '{"streams": [{"stream": {"name": "t", "supported_sync_modes": ["incremental"]}},'
        ' {"stream": {"name": "u", "supported_sync_modes": ["full_refresh"]}}]}'
    )
    airbyte = start(catalogs=tmp_path)
    source, destination = airbyte.source(), airbyte.destination()
    sent = [
        {"name": "t", "syncMode": "full_refresh_overwrite"},
        {"name": "u", "syncMode": "full_refresh_overwrite_deduped"},
    ]
    made = airbyte.connection(*sent, source=source, destination=destination)
    assert [s["syncMode"] for s in streams(made)] == [s["syncMode"] for s in sent]
    query = f"?sourceId={source['sourceId']}&destinationId={destination['destinationId']}"
    modes = {mode for s in airbyte.made("GET", f"/streams{query}") for mode in s["syncModes"]}
    assert "full_refresh_overwrite" in modes
    assert "full_refresh_overwrite_deduped" not in modes


def test_pub_t_37_jobs_are_listed_oldest_first(airbyte: Airbyte, clock: Clock):
    made = airbyte.connection({"name": "products"})
    for _ in range(3):
        body = {"connectionId": made["connectionId"], "jobType": "sync"}
        airbyte.made("POST", "/jobs", json=body)
        clock.now += 10
    assert [job["jobId"] for job in airbyte.listed("jobs")] == [1, 2, 3]
    latest = airbyte.listed("jobs", "?orderBy=createdAt%7CDESC&limit=2")
    assert [job["jobId"] for job in latest] == [3, 2]


def test_pub_t_38_a_changed_cursor_or_destination_mode_keeps_the_state(airbyte: Airbyte):
    made = airbyte.connection({"name": "customers", **INCREMENTAL})
    airbyte.set_state(made, "customers")
    changed = {
        "name": "customers",
        "syncMode": "incremental_deduped_history",
        "cursorField": ["created_at"],
    }
    airbyte.changed(made, configurations={"streams": [changed]})
    assert airbyte.states(made) == ["customers"]


def test_pub_t_39_no_more_than_five_requests_are_answered_at_once(start: Start):
    under_way: list[int] = []
    now = 0

    async def slow(seconds: float) -> None:
        nonlocal now
        now += 1
        under_way.append(now)
        for _ in range(20):
            await asyncio.sleep(0)
        now -= 1

    airbyte = start(sleep=slow)
    airbyte.chaos("GET /sources delay=60")
    answers = airbyte.at_once(*[("GET", "/sources")] * 8)
    assert [answer.status_code for answer in answers] == [200] * 8
    assert (len(under_way), max(under_way)) == (8, 5)


def test_pub_t_40_locked_and_deprecated_can_be_written_and_do_harm(airbyte: Airbyte):
    locked, hidden = airbyte.connection(name="locked"), airbyte.connection(name="hidden")
    airbyte.changed(locked, status="locked")
    answer = airbyte.change(locked, status="active")
    assert (answer.status_code, answer.json()["type"]) == (409, "error:connection/locked")
    airbyte.changed(hidden, status="deprecated")
    assert [row["name"] for row in airbyte.listed("connections")] == ["locked"]
