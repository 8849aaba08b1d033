"""lenient: accepts more and says more, so that documents written by hand run as they stand (CFG §12)."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator.generations import GENERATIONS
from tests.emulator.builders import MASK, POSTGRES, S3, Airbyte, Start, postgres

DESTINATION_POSTGRES = "25c5221d-dce2-4163-ade9-739ef790f503"
UNKNOWN = "11111111-2222-4333-8444-555555555555"
BUCKET: dict[str, Any] = {
    "s3_bucket_name": "lake",
    "s3_bucket_path": "raw/",
    "s3_bucket_region": "us-east-1",
    "access_key_id": "canary-key-id",
    "secret_access_key": "canary-access-key",
    "s3_endpoint": "http://minio:9000",
    "format": {"format_type": "Parquet", "compression_codec": "snappy"},
}


@pytest.fixture
def lenient(start: Start) -> Airbyte:
    return start(profile="lenient")


def by_part_of_name(airbyte: Airbyte, kind: str, part: str) -> Any:
    """As a document searches: the first whose name holds the word."""
    listed = airbyte.configured(f"{kind}_definitions/list", workspaceId="default-workspace-id")
    found = listed[f"{kind}Definitions"]
    return next(one for one in found if part.lower() in one["name"].lower())


@pytest.mark.parametrize("name", GENERATIONS)
def test_workspaces_can_be_listed_in_every_generation(start: Start, name: str):
    airbyte = start(profile="lenient", generation=GENERATIONS[name])
    (listed,) = airbyte.configured("workspaces/list")["workspaces"]
    assert (listed["workspaceId"], listed["slug"]) == (airbyte.workspace, "default-workspace")


@pytest.mark.parametrize(
    ("kind", "part", "name"),
    [
        ("source", "postgres", "Postgres"),
        ("source", "REST API", "REST API"),
        ("destination", "s3", "S3"),
    ],
)
def test_a_search_for_part_of_a_name_finds_the_right_one_first(
    start: Start, tmp_path, kind: str, part: str, name: str
):
    (tmp_path / "source-alloydb.json").write_text(
        """{"definitionId": "00000000-7777-4777-8777-777777777777", "name": "AlloyDB for PostgreSQL",
        "type": "source", "dockerRepository": "airbyte/source-alloydb",
        "connectionSpecification": {"type": "object"}}"""
    )
    airbyte = start(profile="lenient", connectors=tmp_path)
    assert by_part_of_name(airbyte, kind, part)["name"] == name


def test_a_source_definition_names_the_destination_of_its_name(start: Start, lenient: Airbyte):
    both = by_part_of_name(lenient, "source", "postgres")
    assert both["sourceDefinitionId"] == POSTGRES
    assert both["destinationDefinitionId"] == DESTINATION_POSTGRES
    alone = by_part_of_name(lenient, "source", "REST API")
    assert "destinationDefinitionId" not in alone
    strict = start().configured("source_definitions/get", sourceDefinitionId=POSTGRES)
    assert "destinationDefinitionId" not in strict


def test_made_up_ids_stand_for_what_their_words_say(lenient: Airbyte):
    source = lenient.configured(
        "sources/create",
        sourceDefinitionId="postgres-definition-id",
        workspaceId="default-workspace-id",
        connectionConfiguration=postgres(ssl=False, replication_method={"method": "Standard"}),
        name="PostgreSQL - Ecommerce",
    )
    assert (source["sourceDefinitionId"], source["workspaceId"]) == (POSTGRES, lenient.workspace)
    assert source["connectionConfiguration"]["password"] == MASK
    destination = lenient.configured(
        "destinations/create",
        destinationDefinitionId="s3-definition-id",
        workspaceId="default-workspace-id",
        connectionConfiguration=BUCKET,
        name="MinIO - Bronze Layer",
    )
    assert destination["destinationDefinitionId"] == S3


def test_an_examples_id_is_the_newest_of_its_kind(lenient: Airbyte):
    lenient.source("older")
    newer = lenient.source("newer")
    read = lenient.configured("sources/get", sourceId="source-id-123")
    assert read["sourceId"] == newer["sourceId"]
    checked = lenient.configured("sources/check_connection", sourceId="source-id-123")
    assert checked["status"] == "succeeded"
    assert lenient.config("destinations/get", destinationId="dest-id-456").status_code == 404


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("sources/get", {"sourceId": "shop"}),
        ("source_definitions/get", {"sourceDefinitionId": "oracle-definition-id"}),
        ("destination_definitions/get", {"destinationDefinitionId": "rest-api-definition-id"}),
        ("workspaces/get", {"workspaceId": "another-workspace-id"}),
    ],
)
def test_an_id_that_stands_for_nothing_is_not_found(
    start: Start, lenient: Airbyte, verb: str, fields: dict[str, str]
):
    assert lenient.config(verb, **fields).status_code == 404
    assert start().config(verb, **fields).status_code == 400


def test_a_rest_api_is_a_source_of_three_fields(lenient: Airbyte):
    definition = by_part_of_name(lenient, "source", "REST API")
    made = lenient.configured(
        "sources/create",
        sourceDefinitionId=definition["sourceDefinitionId"],
        workspaceId=lenient.workspace,
        connectionConfiguration={
            "url": "https://api.example.com/customers",
            "api_key": "canary-api-key",
            "method": "GET",
        },
        name="CRM API",
    )
    assert made["connectionConfiguration"]["api_key"] == MASK


def test_a_codec_may_be_in_lower_case(start: Start, lenient: Airbyte):
    upper = {**BUCKET, "format": {"format_type": "Parquet", "compression_codec": "SNAPPY"}}
    for airbyte, accepted in ((lenient, True), (start(), False)):
        body = {"destinationDefinitionId": S3, "workspaceId": airbyte.workspace, "name": "lake"}
        both = [
            airbyte.config("destinations/create", **body, connectionConfiguration=configuration)
            for configuration in (upper, BUCKET)
        ]
        assert [answer.is_success for answer in both] == [True, accepted]
    read = by_part_of_name(lenient, "destination", "s3")
    made = lenient.configured("destinations/get", destinationId="dest-id-456")
    assert made["connectionConfiguration"]["format"] == BUCKET["format"]
    assert made["destinationDefinitionId"] == read["destinationDefinitionId"]


def test_a_check_that_succeeds_says_so_in_words(lenient: Airbyte):
    key = {"sourceId": lenient.source()["sourceId"]}
    read = lenient.configured("sources/check_connection", **key)
    assert (read["status"], read["message"]) == ("succeeded", "Connection test succeeded")


def test_what_strict_refuses_for_its_content_lenient_refuses_too(lenient: Airbyte):
    body = {"workspaceId": lenient.workspace, "sourceDefinitionId": POSTGRES, "name": "x"}
    assert lenient.config("sources/create", **body, connectionConfiguration={}).status_code == 422
    assert lenient.config("sources/get", sourceId=UNKNOWN).status_code == 404
    assert lenient.config("nope/nope").text == "Object not found."
