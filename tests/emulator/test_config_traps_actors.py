"""Traps 1-4, 7-9, 17-19 and 29-31 of the Configuration API (CFG §9): workspaces, sources, discovery."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reconciler.emulator.generations import GENERATIONS
from tests.emulator.builders import MASK, POSTGRES, Airbyte, Start, postgres

ORGANIZATION = "00000000-0000-0000-0000-000000000000"
UNKNOWN = "11111111-2222-4333-8444-555555555555"

SPEC: dict[str, Any] = {
    "definitionId": "77777777-7777-4777-8777-777777777777",
    "name": "Nested",
    "type": "source",
    "dockerRepository": "acme/source-nested",
    "dockerImageTag": "1",
    "connectionSpecification": {
        "type": "object",
        "properties": {
            "top": {"type": "string", "airbyte_secret": True},
            "inner": {
                "type": "object",
                "properties": {"key": {"type": "string", "airbyte_secret": True}},
            },
            "shops": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"key": {"type": "string", "airbyte_secret": True}},
                },
            },
            "mode": {
                "type": "object",
                "oneOf": [
                    {"required": ["a"], "properties": {"a": {"type": "string"}}},
                    {"required": ["b"], "properties": {"b": {"type": "string"}}},
                ],
            },
        },
    },
}


def key(source: Any) -> dict[str, str]:
    return {"sourceId": source["sourceId"]}


def nested(start: Start, folder: Path, **configuration: Any) -> tuple[Airbyte, Any]:
    (folder / "source-nested.json").write_text(json.dumps(SPEC))
    airbyte = start(connectors=folder)
    return airbyte, airbyte.source("shop", SPEC["definitionId"], **configuration)


def test_cfg_t_01_workspaces_cannot_be_listed_since_1_7(start: Start):
    old, new = start(generation=GENERATIONS["1.6"]), start(generation=GENERATIONS["1.8"])
    (listed,) = old.configured("workspaces/list")["workspaces"]
    assert listed["workspaceId"] == old.workspace
    assert new.config("workspaces/list").status_code == 404
    body = {"organizationId": ORGANIZATION}
    (found,) = new.configured("workspaces/list_by_organization_id", **body)["workspaces"]
    assert found["workspaceId"] == new.workspace


def test_cfg_t_02_a_list_is_cut_at_twenty_without_a_word_since_1_8(start: Start):
    for name, length in (("1.6", 21), ("1.8", 20), ("2.0", 20)):
        airbyte = start(generation=GENERATIONS[name])
        for number in range(21):
            airbyte.source(f"s{number:02}")
        where = {"workspaceId": airbyte.workspace}
        assert len(airbyte.configured("sources/list", **where)["sources"]) == length


def test_cfg_t_03_a_create_that_is_repeated_makes_a_twin(airbyte: Airbyte):
    body = {
        "workspaceId": airbyte.workspace,
        "sourceDefinitionId": POSTGRES,
        "connectionConfiguration": postgres(),
        "name": "twin",
    }
    first, second = (airbyte.configured("sources/create", **body) for _ in range(2))
    assert first["sourceId"] != second["sourceId"]
    assert {**first, "sourceId": ""} == {**second, "sourceId": ""}


def test_cfg_t_04_a_refusal_tells_nothing_but_an_id_since_2_0(start: Start):
    for name, body in (("1.8", ["message"]), ("2.0", ["errorId"])):
        airbyte = start(generation=GENERATIONS[name])
        unknown = airbyte.config("sources/get", sourceId=UNKNOWN)
        tripped = airbyte.config("sources/create", name="x")
        assert (unknown.status_code, tripped.status_code) == (404, 500)
        assert list(unknown.json()) == list(tripped.json()) == body


def test_cfg_t_07_deleting_a_source_takes_every_connection_of_it_along(airbyte: Airbyte):
    source = airbyte.source()
    mine, foreign = (airbyte.connection({"name": "products"}, source=source) for _ in range(2))
    assert airbyte.config("sources/delete", **key(source)).status_code == 204
    assert airbyte.read(mine)["status"] == airbyte.read(foreign)["status"] == "deprecated"
    assert airbyte.listed("connections") == []


def test_cfg_t_08_a_deleted_source_still_answers_with_its_configuration_gone(airbyte: Airbyte):
    source = airbyte.source()
    airbyte.config("sources/delete", **key(source))
    answer = airbyte.config("sources/get", **key(source))
    assert answer.status_code == 200
    assert answer.json()["connectionConfiguration"] is None
    where = {"workspaceId": airbyte.workspace}
    assert airbyte.configured("sources/list", **where)["sources"] == []


def test_cfg_t_09_discovery_with_a_connection_can_switch_it_off(start: Start, tmp_path: Path):
    def offer(*columns: str) -> None:
        properties = {column: {"type": "string"} for column in columns}
        stream = {
            "name": "orders",
            "json_schema": {"properties": properties},
            "supported_sync_modes": ["full_refresh", "incremental"],
        }
        (tmp_path / "postgres.json").write_text(json.dumps({"streams": [{"stream": stream}]}))

    offer("id", "updated_at")
    airbyte = start(catalogs=tmp_path)
    source = airbyte.source()
    orders = {"name": "orders", "syncMode": "incremental_append", "cursorField": ["updated_at"]}
    made = airbyte.connection(orders, source=source)
    offer("id")
    airbyte.configured("sources/discover_schema", **key(source), disable_cache=True)
    assert airbyte.read(made)["status"] == "active"
    body = {**key(source), "disable_cache": True, "connectionId": made["connectionId"]}
    airbyte.configured("sources/discover_schema", **body)
    assert airbyte.read(made)["status"] == "inactive"


def test_cfg_t_17_a_mask_is_a_secret_only_where_one_is_restored(start: Start, tmp_path: Path):
    real = {
        "top": "canary-top",
        "inner": {"key": "canary-inner"},
        "shops": [{"key": "canary-shop"}],
    }
    airbyte, source = nested(start, tmp_path, **real)
    masked = airbyte.configured("sources/get", **key(source))["connectionConfiguration"]
    assert masked == {"top": MASK, "inner": {"key": MASK}, "shops": [{"key": MASK}]}
    body = {"name": "shop", "connectionConfiguration": masked}
    airbyte.configured("sources/update", **key(source), **body)
    # inside an array the asterisks have become the secret
    assert sorted(airbyte.stored_secrets()) == sorted(["canary-top", "canary-inner", MASK])
    top = {"connectionConfiguration": {"top": MASK}}
    airbyte.configured("sources/partial_update", **key(source), **top)
    assert sorted(airbyte.stored_secrets()) == sorted([MASK, "canary-inner", MASK])
    create = {"workspaceId": airbyte.workspace, "sourceDefinitionId": SPEC["definitionId"], **top}
    airbyte.configured("sources/create", **create, name="new")
    assert airbyte.stored_secrets().count(MASK) == 3


def test_cfg_t_18_a_partial_update_leaves_what_it_does_not_name(start: Start, tmp_path: Path):
    airbyte, source = nested(start, tmp_path, mode={"a": "x"})
    switched = {"mode": {"b": "y"}}
    answer = airbyte.config(
        "sources/partial_update", **key(source), connectionConfiguration=switched
    )
    # both branches are there now, so the configuration is of neither
    assert answer.status_code == 422
    assert "must be valid to one and only one schema, but 2 are valid" in answer.json()["message"]
    whole = {"name": "shop", "connectionConfiguration": switched}
    changed = airbyte.configured("sources/update", **key(source), **whole)
    assert changed["connectionConfiguration"] == switched


def test_cfg_t_19_resources_that_are_not_sent_again_are_erased(airbyte: Airbyte):
    resources = {"default": {"cpu_limit": "1"}}
    source = airbyte.source()
    whole = {"name": "shop", "connectionConfiguration": postgres(password=MASK)}
    for verb, body in (("sources/update", whole), ("sources/partial_update", {"name": "new"})):
        kept = airbyte.configured(
            "sources/update", **key(source), **whole, resourceAllocation=resources
        )
        assert kept["resourceAllocation"] == resources
        assert "resourceAllocation" not in airbyte.configured(verb, **key(source), **body)


def test_cfg_t_29_num_connections_counts_sources_and_a_source_has_createdat(airbyte: Airbyte):
    source = airbyte.source()
    for _ in range(2):
        airbyte.connection({"name": "products"}, source=source)
    listed = airbyte.configured("sources/list", workspaceId=airbyte.workspace)
    assert listed["num_connections"] == 1
    assert listed["sources"][0]["numConnections"] == 2
    assert listed["sources"][0]["createdAt"] == 1_700_000_000
    assert "created_at" not in listed["sources"][0]


def test_cfg_t_30_a_version_belongs_to_the_definition_and_no_update_sets_it(airbyte: Airbyte):
    source = airbyte.source()
    body = {"name": "shop", "connectionConfiguration": postgres(), "dockerImageTag": "0.0.1"}
    changed = airbyte.configured("sources/update", **key(source), **body)
    assert "dockerImageTag" not in changed
    definition = airbyte.configured("source_definitions/get", sourceDefinitionId=POSTGRES)
    assert definition["dockerImageTag"] not in ("", "0.0.1")
    assert airbyte.config("sources/upgrade_version", **key(source)).status_code == 204


def test_cfg_t_31_a_call_blocks_until_its_connector_is_done_and_each_runs_its_own(start: Start):
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    airbyte = start(sleep=sleep)
    source = airbyte.source()
    airbyte.chaos("POST /sources/* delay=400")
    for _ in range(3):
        body = {**key(source), "disable_cache": True}
        assert airbyte.configured("sources/discover_schema", **body)["catalog"]
    assert waited == [400.0] * 3
    assert len(airbyte.events("discover_ran")) == 3
