"""Bodies and statuses of refusals by the Configuration API, then and now (CFG §0, §8)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.emulator.generations import GENERATIONS, NEWEST
from tests.emulator.builders import POSTGRES, Airbyte, Start, postgres

UNKNOWN = "11111111-2222-4333-8444-555555555555"
OLD = [name for name, generation in GENERATIONS.items() if generation.error_style != "error-id"]


def source_body(airbyte: Airbyte, **fields: Any) -> dict[str, Any]:
    body = {
        "workspaceId": airbyte.workspace,
        "sourceDefinitionId": POSTGRES,
        "connectionConfiguration": postgres(),
        "name": "shop",
    }
    return body | fields


def test_an_unknown_id_is_a_404_that_tells_nothing(airbyte: Airbyte):
    answer = airbyte.config("sources/get", sourceId=UNKNOWN)
    assert answer.status_code == 404
    assert list(answer.json()) == ["errorId"]


@pytest.mark.parametrize("name", OLD)
def test_an_unknown_id_was_named_by_older_servers(start: Start, name: str):
    airbyte = start(generation=GENERATIONS[name])
    answer = airbyte.config("destinations/get", destinationId=UNKNOWN)
    assert answer.status_code == 404
    assert answer.json()["message"] == (
        "Internal Server Error: Could not find configuration for DESTINATION_CONNECTION:"
        f" {UNKNOWN}."
    )
    assert ("exceptionStack" in answer.json()) == (name == "0.40")
    assert "errorId" not in answer.json()


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        ("workspaces/get", "STANDARD_WORKSPACE"),
        ("sources/get", "SOURCE_CONNECTION"),
        ("destinations/get", "DESTINATION_CONNECTION"),
        ("source_definitions/get", "STANDARD_SOURCE_DEFINITION"),
        ("destination_definitions/get", "STANDARD_DESTINATION_DEFINITION"),
    ],
)
def test_a_404_names_airbytes_own_type(start: Start, verb: str, kind: str):
    field = (
        verb.split("/", maxsplit=1)[0].removesuffix("s").replace("_definition", "Definition") + "Id"
    )
    answer = start(generation=GENERATIONS["1.8"]).config(verb, **{field: UNKNOWN})
    assert answer.status_code == 404
    assert f" {kind}: {UNKNOWN}." in answer.json()["message"]


def test_an_unknown_route_is_404_with_a_bare_sentence_that_is_not_json(airbyte: Airbyte):
    answer = airbyte.config("nope/list")
    assert answer.status_code == 404
    assert answer.text == "Object not found."
    assert answer.headers["content-type"].startswith("application/json")
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()


def test_a_get_where_a_post_is_served_is_405(airbyte: Airbyte):
    assert airbyte("GET", "/api/v1/sources/list").status_code == 405


@pytest.mark.parametrize(
    "missing", ["workspaceId", "sourceDefinitionId", "connectionConfiguration"]
)
def test_a_missing_field_trips_the_server(airbyte: Airbyte, missing: str):
    body = source_body(airbyte)
    del body[missing]
    answer = airbyte.config("sources/create", **body)
    assert answer.status_code == 500
    assert list(answer.json()) == ["errorId"]


def test_older_servers_show_what_tripped_them(start: Start):
    answer = start(generation=GENERATIONS["1.8"]).config("sources/get")
    assert answer.status_code == 500
    assert answer.json() == {"message": "Internal Server Error: sourceId is null"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("workspaceId", "default"),
        ("sourceDefinitionId", 7),
        ("name", {"first": "x"}),
        ("resourceAllocation", []),
    ],
)
def test_a_field_of_the_wrong_type_is_400_in_the_frameworks_form(airbyte: Airbyte, field, value):
    answer = airbyte.config("sources/create", **source_body(airbyte, **{field: value}))
    assert answer.status_code == 400
    assert answer.json()["_embedded"]["errors"][0]["message"] == answer.json()["message"]
    assert field in answer.json()["message"]


@pytest.mark.parametrize(("name", "body"), [("2.0", ["errorId"]), ("1.8", ["message"])])
def test_a_body_that_is_not_json_is_422(start: Start, name: str, body: list[str]):
    airbyte = start(generation=GENERATIONS[name])
    answer = airbyte("POST", "/api/v1/sources/get", content=b"{nope")
    assert answer.status_code == 422
    assert list(answer.json()) == body


@pytest.mark.parametrize(
    ("name", "keys"), [("2.0", {"message", "errorId"}), ("1.8", {"message"}), ("0.40", {"message"})]
)
def test_a_configuration_that_does_not_fit_is_422_with_the_whole_schema(
    start: Start, name: str, keys: set[str]
):
    airbyte = start(generation=GENERATIONS[name])
    secret = "canary-of-a-password"
    body = source_body(airbyte, connectionConfiguration={"host": 1, "password": secret})
    answer = airbyte.config("sources/create", **body)
    assert answer.status_code == 422
    assert set(answer.json()) == keys
    told, _, schema = answer.json()["message"].partition("\nSchema: \n")
    assert told.startswith(
        "The provided configuration does not fulfill the specification. Errors: "
    )
    assert "$.host: integer found, string expected" in told
    assert "required property 'port' not found" in told
    assert schema.startswith("{")
    assert '"airbyte_secret": true' in schema
    assert secret not in answer.text


def test_unknown_fields_are_ignored_unless_the_flag_is_on(start: Start):
    fields = {"workspaceId": start().workspace, "nonsense": 1}
    assert start().config("workspaces/get", **fields).status_code == 200
    answer = start(generation=replace(NEWEST, rejects_unknown_fields=True)).config(
        "workspaces/get", **fields
    )
    assert answer.status_code == 400
    assert "nonsense" in answer.json()["message"]


def test_the_flag_looks_into_objects_and_spares_other_families(start: Start):
    airbyte = start(generation=replace(NEWEST, rejects_unknown_fields=True))
    settings = {"sendOnFailure": {"notificationType": ["slack"], "slackConfiguration": {"hook": 1}}}
    answer = airbyte.config(
        "workspaces/update", workspaceId=airbyte.workspace, notificationSettings=settings
    )
    assert answer.status_code == 400
    assert '"hook"' in answer.json()["message"]
    body = source_body(airbyte, nonsense=1)
    assert airbyte.config("sources/create", **body).status_code == 200


def test_a_body_of_more_than_ten_megabytes_is_413(airbyte: Airbyte):
    large = b" " * (10 * 1024 * 1024 + 1)
    assert airbyte("POST", "/api/v1/sources/create", content=large).status_code == 413


def test_problems_are_the_same_in_every_generation(start: Start):
    for name in ("1.6", "1.8", "2.0"):
        airbyte = start(generation=GENERATIONS[name])
        answer = airbyte.config(
            "tags/create", workspaceId=airbyte.workspace, name="x" * 31, color="75DCFF"
        )
        assert answer.status_code == 400
        assert answer.json()["type"] == "error:tag-name-too-long"
