"""Sources and destinations: shapes, validation, and how writes merge (PUB §3)."""

from __future__ import annotations

import pytest

from tests.emulator.builders import MASK, POSTGRES, S3, Airbyte, postgres, snowflake

UNKNOWN = "11111111-2222-4333-8444-555555555555"


def create(airbyte: Airbyte, **fields):
    body = {"name": "shop", "workspaceId": airbyte.workspace, "configuration": postgres(), **fields}
    return airbyte("POST", "/sources", json=body)


def message(answer) -> str:
    return answer.json()["data"]["message"]


def test_a_create_answers_200_with_the_whole_source(airbyte: Airbyte):
    answer = create(airbyte, definitionId=POSTGRES)
    assert answer.status_code == 200
    read = answer.json()
    assert read.pop("sourceId")
    assert read == {
        "name": "shop",
        "sourceType": "postgres",
        "definitionId": POSTGRES,
        "workspaceId": airbyte.workspace,
        "configuration": postgres(password=MASK),
        "createdAt": 1_700_000_000,
    }


def test_names_are_not_unique(airbyte: Airbyte):
    assert airbyte.source("twin")["sourceId"] != airbyte.source("twin")["sourceId"]


# --- Which connector -------------------------------------------------------------------------


def test_the_connector_may_be_named_by_a_source_type_anywhere_in_the_configuration(
    airbyte: Airbyte,
):
    top = create(airbyte, configuration=postgres(sourceType="postgres")).json()
    nested = create(airbyte, configuration=postgres(extra={"sourceType": "postgres"})).json()
    assert top["definitionId"] == nested["definitionId"] == POSTGRES


def test_pub_t_32b_the_top_level_source_type_never_reads_back(airbyte: Airbyte):
    source = create(airbyte, configuration=postgres(sourceType="postgres")).json()
    assert "sourceType" not in source["configuration"]
    written = airbyte.made(
        "PUT",
        f"/sources/{source['sourceId']}",
        json={"name": "shop", "configuration": postgres(sourceType="postgres")},
    )
    assert "sourceType" not in written["configuration"]


def test_no_definition_and_no_type_is_422_without_data(airbyte: Airbyte):
    answer = create(airbyte)
    assert answer.status_code == 422
    assert answer.json()["title"] == "unprocessable-entity"
    assert answer.json()["data"] is None


def test_an_unknown_type_is_400_value_not_found(airbyte: Airbyte):
    answer = create(airbyte, configuration={"sourceType": "postgress"})
    assert answer.status_code == 400
    assert answer.json() == {
        "status": 400,
        "type": "https://reference.airbyte.com/reference/errors",
        "title": "value-not-found",
        "detail": "The submitted value could not be found.",
        "documentationUrl": None,
        "data": {"value": "postgress"},
    }


def test_an_unknown_definition_is_404(airbyte: Airbyte):
    answer = create(airbyte, definitionId=UNKNOWN)
    assert answer.status_code == 404
    assert answer.json()["data"] == {
        "resourceType": "STANDARD_SOURCE_DEFINITION",
        "resourceId": UNKNOWN,
    }


def test_a_destination_definition_is_no_source_definition(airbyte: Airbyte):
    assert create(airbyte, definitionId=S3).status_code == 404


def test_an_unknown_workspace_is_404(airbyte: Airbyte):
    answer = create(airbyte, definitionId=POSTGRES, workspaceId=UNKNOWN)
    assert answer.status_code == 404
    assert answer.json()["data"]["resourceType"] == "STANDARD_WORKSPACE"


# --- Validation against the spec -------------------------------------------------------------


def test_a_configuration_that_does_not_fit_is_422_in_the_servers_words(airbyte: Airbyte):
    configuration = postgres()
    del configuration["host"]
    answer = create(airbyte, definitionId=POSTGRES, configuration=configuration)
    assert answer.status_code == 422
    assert answer.json() == {
        "status": 422,
        "type": "https://reference.airbyte.com/reference/errors#unprocessable-entity",
        "title": "unprocessable-entity",
        "detail": "The body of the request was not understood",
        "documentationUrl": None,
        "data": {
            "message": "json schema validation failed when comparing the data to the json schema. \n"
            "Errors: $: required property 'host' not found "
        },
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"port": "5432"}, "$.port: string found, integer expected"),
        ({"port": 99_999}, "$.port: must have a maximum value of 65536"),
        ({"schemas": ["a", "a"]}, "$.schemas: must have only unique items in the array"),
        ({"schemas": ["a", 1]}, "$.schemas[1]: integer found, string expected"),
        (
            {"ssl_mode": {"mode": "verify-ca"}},
            "$.ssl_mode: must be valid to one and only one schema, but 0 are valid",
        ),
        (
            {"ssl_mode": {"mode": "verify-ca"}},
            "$.ssl_mode: required property 'ca_certificate' not found",
        ),
    ],
)
def test_each_violation_names_its_path(airbyte: Airbyte, change: dict, expected: str):
    answer = create(airbyte, definitionId=POSTGRES, configuration=postgres(**change))
    assert answer.status_code == 422
    assert expected in message(answer)


def test_a_violation_never_quotes_the_value(airbyte: Airbyte):
    answer = create(airbyte, definitionId=POSTGRES, configuration=postgres(port="canary-value"))
    assert answer.status_code == 422
    assert "canary-value" not in answer.text


def test_the_format_of_s3_accepts_a_codec_in_upper_case_only(airbyte: Airbyte):
    bucket = {"s3_bucket_name": "b", "s3_bucket_path": "p", "s3_bucket_region": "eu-west-1"}

    def lake(codec: str) -> int:
        form = {"format_type": "Parquet", "compression_codec": codec}
        body = {
            "name": "lake",
            "workspaceId": airbyte.workspace,
            "definitionId": S3,
            "configuration": {**bucket, "format": form},
        }
        return airbyte("POST", "/destinations", json=body).status_code

    assert lake("SNAPPY") == 200
    assert lake("snappy") == 422


def test_keys_that_the_spec_does_not_know_are_kept(airbyte: Airbyte):
    assert airbyte.source(**postgres(hots="typo"))["configuration"]["hots"] == "typo"


# --- PATCH -----------------------------------------------------------------------------------


def patch(airbyte: Airbyte, source, **fields):
    return airbyte("PATCH", f"/sources/{source['sourceId']}", json=fields)


def test_a_patch_merges_objects_and_replaces_arrays(airbyte: Airbyte):
    source = airbyte.source(**postgres(schemas=["a", "b"], ssl_mode={"mode": "allow", "note": 1}))
    answer = patch(
        airbyte, source, configuration={"schemas": ["c"], "ssl_mode": {"mode": "prefer"}}
    )
    configuration = answer.json()["configuration"]
    assert configuration["schemas"] == ["c"]
    assert configuration["ssl_mode"] == {"mode": "prefer", "note": 1}
    assert configuration["host"] == "db"


def test_pub_t_08b_an_object_replaced_by_a_scalar_is_ignored(airbyte: Airbyte):
    source = airbyte.source(**postgres(ssl_mode={"mode": "allow"}))
    answer = patch(airbyte, source, configuration={"ssl_mode": "allow"})
    assert answer.status_code == 200
    assert answer.json() == source


def test_pub_t_08c_a_one_of_switch_keeps_the_old_branchs_keys(airbyte: Airbyte):
    tunnel = {
        "tunnel_method": "SSH_PASSWORD_AUTH",
        "tunnel_host": "bastion",
        "tunnel_port": 22,
        "tunnel_user": "u",
        "tunnel_user_password": "hop-password",
    }
    source = airbyte.source(**postgres(tunnel_method=tunnel))
    answer = patch(airbyte, source, configuration={"tunnel_method": {"tunnel_method": "NO_TUNNEL"}})
    kept = answer.json()["configuration"]["tunnel_method"]
    assert kept == {**tunnel, "tunnel_method": "NO_TUNNEL", "tunnel_user_password": MASK}


def test_pub_t_34b_null_is_stored_as_null_and_then_usually_refused(airbyte: Airbyte):
    source = airbyte.source(**postgres(extra=1))
    assert (
        patch(airbyte, source, configuration={"extra": None}).json()["configuration"]["extra"]
        is None
    )
    answer = patch(airbyte, source, configuration={"host": None})
    assert answer.status_code == 422
    assert "$.host: null found, string expected" in message(answer)


# --- PUT -------------------------------------------------------------------------------------


def put(airbyte: Airbyte, source, configuration, **fields):
    body = {"name": source["name"], "configuration": configuration, **fields}
    return airbyte("PUT", f"/sources/{source['sourceId']}", json=body)


def test_a_put_replaces_the_whole_configuration(airbyte: Airbyte):
    source = airbyte.source(**postgres(jdbc_url_params="a=1"))
    written = put(airbyte, source, postgres(), name="renamed").json()
    assert written["name"] == "renamed"
    assert "jdbc_url_params" not in written["configuration"]


@pytest.mark.parametrize("missing", ["name", "configuration"])
def test_a_put_needs_name_and_configuration(airbyte: Airbyte, missing: str):
    source = airbyte.source()
    body = {"name": "x", "configuration": postgres()}
    del body[missing]
    answer = airbyte("PUT", f"/sources/{source['sourceId']}", json=body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["errorId"]


# --- Resources -------------------------------------------------------------------------------

RESOURCES = {"default": {"cpu_limit": "2", "memory_limit": "1Gi"}}


def test_resources_that_are_echoed_stay(airbyte: Airbyte):
    source = create(airbyte, definitionId=POSTGRES, resourceAllocation=RESOURCES).json()
    written = patch(airbyte, source, name="renamed", resourceAllocation=RESOURCES).json()
    assert written["resourceAllocation"] == RESOURCES


def test_resources_without_a_default_break_every_read(airbyte: Airbyte):
    source = airbyte.source()
    limit = {"jobType": "sync", "resourceRequirements": {"cpu_limit": "2"}}
    answer = patch(airbyte, source, name="renamed", resourceAllocation={"jobSpecific": [limit]})
    assert answer.status_code == 500
    assert airbyte("GET", "/sources").status_code == 500
    assert patch(airbyte, source, resourceAllocation=RESOURCES).json()["name"] == "renamed"
    assert airbyte("GET", "/sources").status_code == 200


def test_ephemeral_storage_is_dropped_on_write(airbyte: Airbyte):
    asked = {
        "default": {"cpu_limit": "2", "ephemeral_storage_limit": "1Gi"},
        "jobSpecific": [
            {"jobType": "sync", "resourceRequirements": {"ephemeral_storage_request": "1Gi"}}
        ],
    }
    source = create(airbyte, definitionId=POSTGRES, resourceAllocation=asked).json()
    assert source["resourceAllocation"] == {
        "default": {"cpu_limit": "2"},
        "jobSpecific": [{"jobType": "sync", "resourceRequirements": {}}],
    }


# --- Deletion --------------------------------------------------------------------------------


def test_pub_t_02b_deleting_a_destination_takes_its_connections(airbyte: Airbyte):
    destination = airbyte.destination()
    doomed = airbyte.connection({"name": "customers"}, destination=destination)
    airbyte.made("DELETE", f"/destinations/{destination['destinationId']}")
    read = airbyte.made("GET", f"/connections/{doomed['connectionId']}")
    assert read["status"] == "deprecated"


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_deleted_source_cannot_be_written(airbyte: Airbyte, method: str):
    source = airbyte.source()
    path = f"/sources/{source['sourceId']}"
    airbyte.made("DELETE", path)
    answer = airbyte(method, path, json={"name": "x", "configuration": postgres()})
    assert answer.status_code == 500
    assert airbyte.made("GET", path)["configuration"] is None


def test_a_deleted_source_offers_no_streams(airbyte: Airbyte):
    source = airbyte.source()
    airbyte.made("DELETE", f"/sources/{source['sourceId']}")
    assert airbyte("GET", f"/streams?sourceId={source['sourceId']}").status_code == 404


def test_deleting_what_never_existed_is_404(airbyte: Airbyte):
    answer = airbyte("DELETE", f"/sources/{UNKNOWN}")
    assert answer.status_code == 404
    assert answer.json()["data"] == {"resourceType": "SOURCE_CONNECTION", "resourceId": UNKNOWN}


def test_a_source_is_no_destination(airbyte: Airbyte):
    assert airbyte("GET", f"/destinations/{airbyte.source()['sourceId']}").status_code == 404


def test_destinations_behave_as_sources_do(airbyte: Airbyte):
    lake = airbyte.destination()
    path = f"/destinations/{lake['destinationId']}"
    assert lake["destinationType"] == "snowflake"
    merged = airbyte.made("PATCH", path, json={"configuration": {"role": "ETL"}})
    assert merged["configuration"]["role"] == "ETL"
    whole = airbyte.made("PUT", path, json={"name": "lake", "configuration": snowflake()})
    assert whole["configuration"]["role"] == "LOADER"
    assert airbyte("DELETE", path).status_code == 204
