"""Airbyte's own Python SDK against the embedded Airbyte over HTTP: its strict models parse every answer.

The SDK is generated from Airbyte's own description of this API, so that it is a second reader of it that
knows nothing of us. In it a configuration is a union of one model a connector, chosen by `sourceType` or
`destinationType` inside the configuration: a plain dict needs that key when it is sent. The server strips
it and never gives it back (PUB-T 32), so that SDK 1.0 reads a source as whatever model fits best, and can't
read any destination at all, here and on a real server. Most tests therefore put the key back into what was
received, and then the connector's own model must parse the rest; two show what happens without.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from airbyte_api import AirbyteAPI, api, errors, models

from reconciler.emulator.serve import running
from reconciler.emulator.settings import DEFAULT_WORKSPACE_ID, Credentials, Settings
from tests.emulator.builders import MASK, POSTGRES, postgres, snowflake

AUTH = Credentials("sdk", "canary-client-secret")
WORKSPACE = DEFAULT_WORKSPACE_ID
UNLISTED: dict[str, tuple[str, Any]] = {
    "source": ("7b1f0c52-3a7e-4d0f-8c46-5b9d2e6a1f84", {"url": "https://api.example.com"}),
    "destination": (
        "a7bcc9d8-13b3-4e49-b80d-d020b90045e3",
        {"test_destination": {"test_destination_type": "SILENT"}},
    ),
}
MAPPERS: dict[str, tuple[Any, Any]] = {
    "hashing": (
        models.HashingMapperConfiguration,
        {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"},
    ),
    "field-filtering": (models.FieldFilteringMapperConfiguration, {"targetField": "phone"}),
    "field-renaming": (
        models.FieldRenamingMapperConfiguration,
        {"originalFieldName": "name", "newFieldName": "full_name"},
    ),
    "row-filtering": (
        models.RowFilteringMapperConfiguration,
        {"conditions": {"type": "EQUAL", "fieldName": "country", "comparisonValue": "DE"}},
    ),
    "encryption": (
        models.EncryptionMapperAESConfiguration,
        {
            "algorithm": "AES",
            "targetField": "email",
            "fieldNameSuffix": "_sealed",
            "key": "00112233445566778899aabbccddeeff",
            "mode": "CBC",
            "padding": "PKCS5Padding",
        },
    ),
}


class Labelled(httpx.HTTPTransport):
    """Puts each configuration's type back into it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        content = answer.read()
        if answer.headers.get("content-type") != "application/json":
            return answer
        body = json.loads(content)
        listed = body.get("data") if isinstance(body, dict) else None
        for item in listed if isinstance(listed, list) else [body]:
            _label(item)
        return httpx.Response(answer.status_code, json=body)


def _label(item: Any) -> None:
    for name in ("sourceType", "destinationType"):
        if isinstance(item, dict) and item.get(name) and item.get("configuration"):
            item["configuration"][name] = item[name]


@contextmanager
def connected(url: str, **options: Any) -> Iterator[AirbyteAPI]:
    """With client credentials, so that the SDK's way to a token is part of every test."""
    credentials = models.SchemeClientCredentials(
        client_id=AUTH.client_id,
        client_secret=AUTH.client_secret,
        token_url=f"{url}/applications/token",
    )
    security = models.Security(client_credentials=credentials)
    with AirbyteAPI(server_url=url, security=security, **options) as client:
        yield client


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(Settings(auth=AUTH, job_seconds=3600)) as url:
        yield f"{url}/api/public/v1"


@pytest.fixture(scope="module")
def sdk(url: str) -> Iterator[AirbyteAPI]:
    with httpx.Client(transport=Labelled()) as labelled, connected(url, client=labelled) as client:
        yield client


@pytest.fixture(scope="module")
def plain(url: str) -> Iterator[AirbyteAPI]:
    """The SDK as it comes."""
    with connected(url) as client:
        yield client


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    """Past the SDK, for what it has no words for."""
    client = {"client_id": AUTH.client_id, "client_secret": AUTH.client_secret}
    token = httpx.post(f"{url}/applications/token", json=client).json()["access_token"]
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as past:
        yield past


@pytest.fixture
def source(sdk: AirbyteAPI) -> models.SourceResponse:
    request = {
        "name": "shop",
        "workspace_id": WORKSPACE,
        "configuration": {"sourceType": "postgres", **postgres()},
    }
    return sdk.sources.create_source(request=request).source_response


@pytest.fixture
def destination(sdk: AirbyteAPI) -> models.DestinationResponse:
    request = {
        "name": "lake",
        "workspace_id": WORKSPACE,
        "configuration": {"destinationType": "snowflake", **snowflake()},
    }
    return sdk.destinations.create_destination(request=request).destination_response


@pytest.fixture
def connection(sdk: AirbyteAPI, source, destination) -> models.ConnectionResponse:
    request = {
        "name": "shop to lake",
        "source_id": source.source_id,
        "destination_id": destination.destination_id,
        "schedule": {"schedule_type": "cron", "cron_expression": "0 0 6 * * ?"},
        "configurations": {
            "streams": [
                {
                    "name": "customers",
                    "sync_mode": "incremental_append",
                    "cursor_field": ["updated_at"],
                    "selected_fields": [{"field_path": ["id"]}, {"field_path": ["updated_at"]}],
                }
            ]
        },
    }
    return sdk.connections.create_connection(request=request).connection_response


def test_health_and_workspaces(sdk: AirbyteAPI):
    assert sdk.health.get_health_check().status_code == 200
    listed = sdk.workspaces.list_workspaces(request=api.ListWorkspacesRequest())
    assert WORKSPACE in {w.workspace_id for w in listed.workspaces_response.data}
    read = sdk.workspaces.get_workspace(request={"workspace_id": WORKSPACE})
    assert read.workspace_response.name == "Default Workspace"


def test_a_workspace_is_created_renamed_and_deleted(sdk: AirbyteAPI):
    made = sdk.workspaces.create_workspace(request={"name": "Team"}).workspace_response
    renamed = sdk.workspaces.update_workspace(
        request={"workspace_id": made.workspace_id, "workspace_update_request": {"name": "Data"}}
    )
    assert renamed.workspace_response.name == "Data"
    gone = sdk.workspaces.delete_workspace(request={"workspace_id": made.workspace_id})
    assert gone.status_code == 204


def test_definitions_of_both_kinds(sdk: AirbyteAPI):
    sources = sdk.source_definitions.list_source_definitions(request={"workspace_id": WORKSPACE})
    assert POSTGRES in {d.id for d in sources.definitions_response.data}
    destinations = sdk.destination_definitions.list_destination_definitions(
        request={"workspace_id": WORKSPACE}
    )
    assert destinations.definitions_response.data
    one = sdk.source_definitions.get_source_definition(
        request={"workspace_id": WORKSPACE, "definition_id": POSTGRES}
    )
    assert one.definition_response.docker_repository == "airbyte/source-postgres"
    custom = sdk.declarative_source_definitions.list_declarative_source_definitions(
        request={"workspace_id": WORKSPACE}
    )
    assert custom.declarative_source_definitions_response.data == []


def test_a_source_is_read_listed_patched_and_replaced(sdk: AirbyteAPI, source):
    identity = {"source_id": source.source_id}
    assert (source.source_type, source.definition_id) == ("postgres", POSTGRES)
    read = sdk.sources.get_source(request=identity)
    assert read.raw_response.json()["configuration"]["password"] == MASK
    listed = sdk.sources.list_sources(request=api.ListSourcesRequest(limit=100))
    assert source.source_id in {s.source_id for s in listed.sources_response.data}
    patched = sdk.sources.patch_source(
        request={**identity, "source_patch_request": {"name": "renamed"}}
    )
    assert patched.source_response.name == "renamed"
    replacement = {"sourceType": "postgres", **postgres(host="other")}
    replaced = sdk.sources.put_source(
        request={
            **identity,
            "source_put_request": {
                "name": "shop",
                "configuration": replacement,
                "resource_allocation": {"default": {"cpu_limit": "2"}},
            },
        }
    )
    assert replaced.source_response.resource_allocation.default.cpu_limit == "2"
    assert replaced.raw_response.json()["configuration"]["host"] == "other"


def test_a_destination_is_read_listed_patched_and_replaced(sdk: AirbyteAPI, destination):
    identity = {"destination_id": destination.destination_id}
    read = sdk.destinations.get_destination(request=identity)
    assert read.raw_response.json()["configuration"]["credentials"]["password"] == MASK
    listed = sdk.destinations.list_destinations(request=api.ListDestinationsRequest(limit=100))
    assert destination in listed.destinations_response.data
    patched = sdk.destinations.patch_destination(
        request={**identity, "destination_patch_request": {"name": "renamed"}}
    )
    assert patched.destination_response.name == "renamed"
    configuration = {"destinationType": "snowflake", **snowflake(role="OTHER")}
    replaced = sdk.destinations.put_destination(
        request={
            **identity,
            "destination_put_request": {"name": "lake", "configuration": configuration},
        }
    )
    assert replaced.raw_response.json()["configuration"]["role"] == "OTHER"


def test_without_its_type_a_source_is_read_as_something_and_a_destination_not_at_all(
    plain: AirbyteAPI, source, destination
):
    read = plain.sources.get_source(request={"source_id": source.source_id})
    assert read.source_response.source_id == source.source_id
    assert isinstance(source.configuration, models.SourcePostgres)
    with pytest.raises(errors.ResponseValidationError, match="destination_type"):
        plain.destinations.get_destination(request={"destination_id": destination.destination_id})


def unlisted(http: httpx.Client, kind: str) -> Any:
    definition, configuration = UNLISTED[kind]
    body = {
        "name": "unlisted",
        "workspaceId": WORKSPACE,
        "definitionId": definition,
        "configuration": configuration,
    }
    made = http.post(f"/{kind}s", json=body).json()
    assert made[f"{kind}Type"] == ""
    return made


def test_a_source_of_a_type_that_reads_empty_is_read(sdk: AirbyteAPI, http):
    """PUB-T 32: connectors outside the server's fixed list."""
    request = {"source_id": unlisted(http, "source")["sourceId"]}
    assert sdk.sources.get_source(request=request).source_response.source_type == ""


def test_a_destination_of_a_type_that_reads_empty_is_more_than_the_sdk_can_read(
    sdk: AirbyteAPI, http
):
    identity = unlisted(http, "destination")["destinationId"]
    with pytest.raises(errors.ResponseValidationError, match="destination_type"):
        sdk.destinations.get_destination(request={"destination_id": identity})
    http.delete(f"/destinations/{identity}")  # or no list of this server could be read any more


def test_offered_streams(sdk: AirbyteAPI, source, destination):
    found = sdk.streams.get_stream_properties(
        request={"source_id": source.source_id, "destination_id": destination.destination_id}
    )
    offered = {stream.stream_name: stream for stream in found.stream_properties_response}
    assert offered["customers"].default_cursor_field == []
    assert models.ConnectionSyncModeEnum.INCREMENTAL_APPEND in offered["customers"].sync_modes


def test_a_connection_is_read_listed_and_patched(sdk: AirbyteAPI, connection):
    identity = {"connection_id": connection.connection_id}
    (stream,) = connection.configurations.streams
    assert [field.field_path for field in stream.selected_fields] == [["id"], ["updated_at"]]
    assert connection.schedule.cron_expression == "0 0 6 * * ? UTC"
    assert sdk.connections.get_connection(request=identity).connection_response == connection
    listed = sdk.connections.list_connections(request=api.ListConnectionsRequest(limit=100))
    assert connection in listed.connections_response.data
    patched = sdk.connections.patch_connection(
        request={
            **identity,
            "connection_patch_request": {
                "status": "inactive",
                "prefix": "raw_",
                "namespace_definition": "custom_format",
                "namespace_format": "raw_${SOURCE_NAMESPACE}",
                "non_breaking_schema_updates_behavior": "propagate_columns",
            },
        }
    ).connection_response
    assert patched.status == models.ConnectionStatusEnum.INACTIVE
    assert patched.configurations == connection.configurations


@pytest.mark.parametrize("kind", MAPPERS)
def test_every_kind_of_mapper_fits_its_own_model(sdk: AirbyteAPI, http, connection, kind: str):
    """The SDK's union of them can't: it looks for `algorithm` in each, and stops where there is none. So
    only a connection whose mappers all encrypt can be read by it, here and on a real server."""
    model, configuration = MAPPERS[kind]
    mapper = {"type": kind, "mapperConfiguration": configuration}
    body = {"configurations": {"streams": [{"name": "customers", "mappers": [mapper]}]}}
    answer = http.patch(f"/connections/{connection.connection_id}", json=body).json()
    (received,) = answer["configurations"]["streams"][0]["mappers"]
    model.model_validate(received["mapperConfiguration"])
    identity = {"connection_id": connection.connection_id}
    if kind == "encryption":
        read = sdk.connections.get_connection(request=identity).connection_response
        assert read.configurations.streams[0].mappers[0].id == received["id"]
    else:
        with pytest.raises(errors.ResponseValidationError, match="field algorithm"):
            sdk.connections.get_connection(request=identity)
        http.delete(f"/connections/{connection.connection_id}")


def test_tags(sdk: AirbyteAPI, connection):
    request = {"name": "gold", "color": "75DCFF", "workspace_id": WORKSPACE}
    made = sdk.tags.create_tag(request=request).tag_response
    identity = {"tag_id": made.tag_id}
    assert sdk.tags.get_tag(request=identity).tag_response == made
    assert made in sdk.tags.list_tags(request=api.ListTagsRequest()).tags_response.data
    tagged = sdk.connections.patch_connection(
        request={
            "connection_id": connection.connection_id,
            "connection_patch_request": {"tags": [made.model_dump()]},
        }
    )
    assert [tag.name for tag in tagged.connection_response.tags] == ["gold"]
    change = {"name": "silver", "color": "CCCCCC"}
    renamed = sdk.tags.update_tag(request={**identity, "tag_patch_request": change})
    assert renamed.tag_response.name == "silver"
    assert sdk.tags.delete_tag(request=identity).status_code == 204


def test_jobs(sdk: AirbyteAPI, connection):
    request = {"connection_id": connection.connection_id, "job_type": "sync"}
    started = sdk.jobs.create_job(request=request).job_response
    assert started.status == models.JobStatusEnum.RUNNING
    identity = {"job_id": started.job_id}
    assert sdk.jobs.get_job(request=identity).job_response.job_id == started.job_id
    listed = sdk.jobs.list_jobs(request={"connection_id": connection.connection_id})
    assert [job.job_id for job in listed.jobs_response.data] == [started.job_id]
    cancelled = sdk.jobs.cancel_job(request=identity).job_response
    assert cancelled.status == models.JobStatusEnum.CANCELLED


def test_what_was_deleted_is_gone_from_the_lists(sdk: AirbyteAPI, connection):
    assert (
        sdk.connections.delete_connection(
            request={"connection_id": connection.connection_id}
        ).status_code
        == 204
    )
    gone = sdk.connections.get_connection(request={"connection_id": connection.connection_id})
    assert gone.connection_response.status == models.ConnectionStatusEnum.DEPRECATED
    sdk.sources.delete_source(request={"source_id": connection.source_id})
    sdk.destinations.delete_destination(request={"destination_id": connection.destination_id})
    sources = sdk.sources.list_sources(request=api.ListSourcesRequest(limit=100)).sources_response
    assert connection.source_id not in {source.source_id for source in sources.data}


def test_a_deleted_source_is_more_than_the_sdk_can_read(sdk: AirbyteAPI, source):
    """The server answers 200 with a configuration of null (PUB-T 23), which the SDK's own description of a
    source doesn't allow: the real one's answer fails in the same way."""
    identity = {"source_id": source.source_id}
    sdk.sources.delete_source(request=identity)
    with pytest.raises(errors.ResponseValidationError) as unread:
        sdk.sources.get_source(request=identity)
    assert unread.value.raw_response.status_code == 200
    assert unread.value.raw_response.json()["configuration"] is None


def test_refusals_reach_the_sdks_caller_with_their_problem(sdk: AirbyteAPI):
    unknown = "11111111-2222-4333-8444-555555555555"
    with pytest.raises(errors.SDKError) as refused:
        sdk.sources.get_source(request={"source_id": unknown})
    assert refused.value.status_code == 404
    assert "resource-not-found" in refused.value.body
