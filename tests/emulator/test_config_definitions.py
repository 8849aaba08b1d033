"""Connector definitions and their specifications over the Configuration API (CFG §2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.generations import GENERATIONS
from tests.emulator.builders import POSTGRES, S3, SNOWFLAKE, Airbyte, Start

UNKNOWN = "11111111-2222-4333-8444-555555555555"

OAUTH: dict[str, Any] = {
    "definitionId": "77777777-7777-4777-8777-777777777777",
    "name": "Signed in",
    "type": "source",
    "dockerRepository": "acme/source-signed-in",
    "dockerImageTag": "1.2.3",
    "supportLevel": "none",
    "specExtras": {
        "advanced_auth": {
            "auth_flow_type": "oauth2.0",
            "predicate_key": ["credentials", "type"],
            "oauth_config_specification": {
                "complete_oauth_output_specification": {
                    "properties": {"t": {"path_in_connector_config": ["credentials", "token"]}}
                }
            },
        }
    },
    "connectionSpecification": {
        "type": "object",
        "properties": {
            "credentials": {
                "type": "object",
                "properties": {"token": {"type": "string", "airbyte_secret": True}},
            }
        },
    },
}


def signed_in(folder: Path) -> dict[str, Any]:
    """Settings with a connector that has an OAuth flow."""
    (folder / "source-signed-in.json").write_text(json.dumps(OAUTH))
    return {"connectors": folder}


def named(definitions: list[Any], name: str) -> Any:
    (one,) = [definition for definition in definitions if definition["name"] == name]
    return one


def test_a_source_definition_is_read(airbyte: Airbyte):
    read = airbyte.configured("source_definitions/get", sourceDefinitionId=POSTGRES)
    assert read["name"] == "Postgres"
    assert read["dockerRepository"] == "airbyte/source-postgres"
    assert read["custom"] is False
    assert read["supportLevel"] == "community"
    assert "supportsDataActivation" not in read


def test_every_definition_is_listed_whatever_body_is_sent(airbyte: Airbyte):
    listed = airbyte.configured("destination_definitions/list")["destinationDefinitions"]
    assert named(listed, "S3")["destinationDefinitionId"] == S3
    again = airbyte.configured("destination_definitions/list", workspaceId="not-a-uuid")
    assert again["destinationDefinitions"] == listed
    assert airbyte("POST", "/api/v1/destination_definitions/list").json() == again


def test_definitions_in_use_can_be_asked_for(airbyte: Airbyte):
    where = {"workspaceId": airbyte.workspace, "filterByUsed": True}
    verb = "source_definitions/list_for_workspace"
    assert airbyte.configured(verb, **where) == {"sourceDefinitions": []}
    source = airbyte.source()
    used = airbyte.configured(verb, **where)["sourceDefinitions"]
    assert [definition["name"] for definition in used] == ["Postgres"]
    airbyte.config("sources/delete", sourceId=source["sourceId"])
    assert airbyte.configured(verb, **where) == {"sourceDefinitions": []}
    every = airbyte.configured(verb, workspaceId=airbyte.workspace)["sourceDefinitions"]
    assert len(every) > 1


def test_definitions_of_a_workspace_that_is_not_there_are_404(airbyte: Airbyte):
    answer = airbyte.config("source_definitions/list_for_workspace", workspaceId=UNKNOWN)
    assert answer.status_code == 404


def test_a_connector_from_elsewhere_is_custom(start: Start, tmp_path: Path):
    airbyte = start(**signed_in(tmp_path))
    read = airbyte.configured("source_definitions/get", sourceDefinitionId=OAUTH["definitionId"])
    assert (read["custom"], read["supportLevel"]) == (True, "none")
    assert read["documentationUrl"].startswith("https://")


# --- Specifications --------------------------------------------------------------------------


def test_a_specification_is_the_connectors_schema_and_no_container_ran(airbyte: Airbyte):
    read = airbyte.configured(
        "source_definition_specifications/get",
        sourceDefinitionId=POSTGRES,
        workspaceId=airbyte.workspace,
    )
    properties = read["connectionSpecification"]["properties"]
    assert properties["password"]["airbyte_secret"] is True
    assert "supportedDestinationSyncModes" not in read
    job = read["jobInfo"]
    assert (job["configType"], job["succeeded"], job["createdAt"]) == ("get_spec", True, 0)
    assert airbyte.events("check_ran") == []


def test_a_specification_can_be_asked_for_by_the_object(airbyte: Airbyte):
    by_id = airbyte.configured(
        "destination_definition_specifications/get",
        destinationDefinitionId=SNOWFLAKE,
        workspaceId=airbyte.workspace,
    )
    destination = airbyte.destination()
    by_object = airbyte.configured(
        "destination_definition_specifications/get_for_destination",
        destinationId=destination["destinationId"],
    )
    assert {**by_id, "jobInfo": None} == {**by_object, "jobInfo": None}


@pytest.mark.parametrize(("name", "known"), [("0.63", False), ("2.0", True)])
def test_deduplicating_overwrites_are_offered_where_both_parts_are(
    start: Start, name: str, known: bool
):
    airbyte = start(generation=GENERATIONS[name])

    def modes(definition: str) -> list[str]:
        verb = "destination_definition_specifications/get"
        where = {"destinationDefinitionId": definition, "workspaceId": airbyte.workspace}
        return list(airbyte.configured(verb, **where)["supportedDestinationSyncModes"])

    assert set(modes(S3)) == {"overwrite", "append"}
    assert ("overwrite_dedup" in modes(SNOWFLAKE)) == known


def test_an_oauth_flow_is_described_in_camel_case(start: Start, tmp_path: Path):
    airbyte = start(**signed_in(tmp_path))
    read = airbyte.configured(
        "source_definition_specifications/get",
        sourceDefinitionId=OAUTH["definitionId"],
        workspaceId=airbyte.workspace,
    )["advancedAuth"]
    assert read["authFlowType"] == "oauth2.0"
    assert read["predicateKey"] == ["credentials", "type"]
    flow = read["oauthConfigSpecification"]["completeOAuthOutputSpecification"]
    assert flow["properties"]["t"]["path_in_connector_config"] == ["credentials", "token"]


@pytest.mark.parametrize("kind", ["source", "destination"])
def test_a_specification_of_what_is_not_there_is_404(airbyte: Airbyte, kind: str):
    verb = f"{kind}_definition_specifications"
    where = {"workspaceId": airbyte.workspace, f"{kind}DefinitionId": UNKNOWN}
    assert airbyte.config(f"{verb}/get", **where).status_code == 404
    assert airbyte.config(f"{verb}/get_for_{kind}", **{f"{kind}Id": UNKNOWN}).status_code == 404
