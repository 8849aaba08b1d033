"""Sources and destinations over the Configuration API: shapes, validation, how writes merge (CFG §3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.generations import GENERATIONS
from tests.emulator.builders import (
    FAKER,
    MASK,
    POSTGRES,
    S3,
    SNOWFLAKE,
    Airbyte,
    Start,
    postgres,
    snowflake,
)
from tests.emulator.test_config_definitions import OAUTH, signed_in

UNKNOWN = "11111111-2222-4333-8444-555555555555"
RESOURCES = {"default": {"cpu_request": "0.5", "memory_limit": "1Gi"}}


def create(airbyte: Airbyte, definition: str = POSTGRES, **fields: Any) -> Any:
    body = {
        "workspaceId": airbyte.workspace,
        "sourceDefinitionId": definition,
        "connectionConfiguration": postgres(),
        "name": "shop",
        **fields,
    }
    return airbyte.configured("sources/create", **body)


def key(source: Any) -> dict[str, str]:
    return {"sourceId": source["sourceId"]}


def test_a_created_source_is_read_back_with_its_secrets_masked(airbyte: Airbyte):
    made = create(airbyte)
    assert made.pop("sourceId")
    assert made == {
        "sourceDefinitionId": POSTGRES,
        "workspaceId": airbyte.workspace,
        "name": "shop",
        "sourceName": "Postgres",
        "connectionConfiguration": postgres(password=MASK),
        "createdAt": 1_700_000_000,
        "isVersionOverrideApplied": False,
        "isEntitled": True,
        "supportState": "supported",
    }


def test_a_destination_is_the_same_under_other_names(airbyte: Airbyte):
    made = airbyte.configured(
        "destinations/create",
        workspaceId=airbyte.workspace,
        destinationDefinitionId=SNOWFLAKE,
        connectionConfiguration=snowflake(),
        name="lake",
    )
    assert made["destinationName"] == "Snowflake"
    assert made["connectionConfiguration"]["credentials"]["password"] == MASK
    read = airbyte.configured("destinations/get", destinationId=made["destinationId"])
    assert read == made
    assert airbyte.config("sources/get", sourceId=made["destinationId"]).status_code == 404


@pytest.mark.parametrize("name", [None, ""])
def test_a_name_that_is_not_given_is_default(airbyte: Airbyte, name: str | None):
    assert create(airbyte, name=name)["name"] == "default"


def test_no_defaults_of_the_schema_are_filled_in(airbyte: Airbyte):
    made = create(airbyte, FAKER, connectionConfiguration={})
    assert made["connectionConfiguration"] == {}


def test_an_unknown_definition_or_workspace_is_404(airbyte: Airbyte):
    body = {"connectionConfiguration": postgres(), "name": "x"}
    for fields in (
        {"workspaceId": UNKNOWN, "sourceDefinitionId": POSTGRES},
        {"workspaceId": airbyte.workspace, "sourceDefinitionId": UNKNOWN},
        {"workspaceId": airbyte.workspace, "sourceDefinitionId": S3},
    ):
        assert airbyte.config("sources/create", **body, **fields).status_code == 404


# --- update ----------------------------------------------------------------------------------


def test_an_update_replaces_the_configuration_and_a_mask_keeps_the_secret(airbyte: Airbyte):
    made = create(airbyte, connectionConfiguration=postgres(schemas=["public"]))
    whole = postgres(host="other", password=MASK)
    changed = airbyte.configured(
        "sources/update", **key(made), name="new", connectionConfiguration=whole
    )
    assert changed["name"] == "new"
    assert changed["connectionConfiguration"] == whole
    assert airbyte.stored_secrets() == ["s3cret-of-shop"]


def test_a_secret_left_out_of_an_update_is_gone(airbyte: Airbyte):
    made = create(airbyte)
    without = {name: value for name, value in postgres().items() if name != "password"}
    changed = airbyte.configured(
        "sources/update", **key(made), name="shop", connectionConfiguration=without
    )
    assert "password" not in changed["connectionConfiguration"]
    assert airbyte.stored_secrets() == []


def test_an_update_needs_name_and_configuration(airbyte: Airbyte):
    made = create(airbyte)
    assert airbyte.config("sources/update", **key(made), name="x").status_code == 500
    body = {"connectionConfiguration": postgres()}
    assert airbyte.config("sources/update", **key(made), **body).status_code == 500


def test_an_update_ignores_another_definition_and_workspace(airbyte: Airbyte):
    made = create(airbyte)
    other = {"sourceDefinitionId": FAKER, "workspaceId": UNKNOWN}
    body = {"name": "shop", "connectionConfiguration": postgres(password=MASK)}
    assert airbyte.configured("sources/update", **key(made), **body, **other) == made


def test_an_update_of_a_configuration_that_does_not_fit_is_422_and_changes_nothing(
    airbyte: Airbyte,
):
    made = create(airbyte)
    body = {"name": "x", "connectionConfiguration": {"host": "db"}}
    assert airbyte.config("sources/update", **key(made), **body).status_code == 422
    assert airbyte.configured("sources/get", **key(made)) == made


# --- partial_update --------------------------------------------------------------------------


def test_a_partial_update_merges(airbyte: Airbyte):
    made = create(airbyte, connectionConfiguration=postgres(schemas=["public"]))
    changed = airbyte.configured(
        "sources/partial_update",
        **key(made),
        connectionConfiguration={"host": "other", "schemas": ["raw"]},
    )
    expected = postgres(host="other", schemas=["raw"], password=MASK)
    assert changed["connectionConfiguration"] == expected
    assert changed["name"] == "shop"
    assert airbyte.stored_secrets() == ["s3cret-of-shop"]


def test_a_partial_update_can_rename_alone(airbyte: Airbyte):
    made = create(airbyte)
    assert airbyte.configured("sources/partial_update", **key(made), name="new") == {
        **made,
        "name": "new",
    }


def test_what_an_oauth_flow_writes_is_refused_in_a_partial_update(start: Start, tmp_path: Path):
    airbyte = start(**signed_in(tmp_path))
    secret = {"credentials": {"token": "canary-of-a-token"}}
    made = create(airbyte, OAUTH["definitionId"], connectionConfiguration=secret)
    answer = airbyte.config("sources/partial_update", **key(made), connectionConfiguration=secret)
    assert answer.status_code == 422
    assert "Cannot set key 'token'" in answer.json()["message"]
    public = airbyte("PATCH", f"/sources/{made['sourceId']}", json={"configuration": secret})
    assert public.status_code == 200


# --- Resources -------------------------------------------------------------------------------


def test_resources_are_kept_as_sent_but_for_ephemeral_storage(airbyte: Airbyte):
    sent = {
        "default": {**RESOURCES["default"], "ephemeral_storage_limit": "5Gi"},
        "jobSpecific": [{"jobType": "sync", "resourceRequirements": {"cpu_limit": "2"}}],
    }
    made = create(airbyte, resourceAllocation=sent)
    assert made["resourceAllocation"] == {**sent, "default": RESOURCES["default"]}


# --- delete, and what is left ----------------------------------------------------------------


def test_a_delete_may_be_repeated_but_not_begun_with_an_unknown_id(airbyte: Airbyte):
    made = create(airbyte)
    for _ in range(2):
        answer = airbyte.config("sources/delete", **key(made))
        assert (answer.status_code, answer.content) == (204, b"")
    assert airbyte.config("sources/delete", sourceId=UNKNOWN).status_code == 404
    assert airbyte.stored_secrets() == []


def test_both_apis_delete_the_same_way(airbyte: Airbyte):
    public, config = airbyte.source("a"), create(airbyte, name="b")
    airbyte.config("sources/delete", **key(public))
    airbyte("DELETE", f"/sources/{config['sourceId']}")
    for source in (public, config):
        assert airbyte.read(source)["configuration"] is None
        read = airbyte.configured("sources/get", **key(source))
        assert read["connectionConfiguration"] is None


def test_the_coordinates_of_secrets_are_shown_on_demand(airbyte: Airbyte):
    made = create(airbyte)
    plain = airbyte.configured("sources/get_with_metadata", **key(made))
    assert plain == {**made, "metadata": {"workspaceName": "Default Workspace"}}
    shown = airbyte.configured(
        "sources/get_with_metadata", **key(made), includeSecretCoordinates=True
    )
    password = shown["connectionConfiguration"]["password"]
    assert password.startswith("secret_coordinate::airbyte_workspace_")


@pytest.mark.parametrize("name", GENERATIONS)
def test_a_source_goes_round_in_every_generation(start: Start, name: str):
    airbyte = start(generation=GENERATIONS[name])
    made = create(airbyte)
    body = {"name": "new", "connectionConfiguration": postgres(password=MASK)}
    changed = airbyte.configured("sources/update", **key(made), **body)
    listed = airbyte.configured("sources/list", workspaceId=airbyte.workspace)["sources"]
    assert [source["name"] for source in listed] == [changed["name"]]
