"""Every answer of the Configuration API's first half fits Airbyte's OpenAPI document."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.emulator import serve
from reconciler.emulator.settings import DEFAULT_WORKSPACE_ID, Settings
from tests.emulator.builders import MASK, POSTGRES, SNOWFLAKE, postgres, snowflake
from tests.emulator.test_config_definitions import OAUTH
from tests.emulator.test_openapi import UNDECLARED, proxy

pytestmark = pytest.mark.contract

NOBODY = "00000000-0000-0000-0000-000000000000"
UNKNOWN = "11111111-2222-4333-8444-555555555555"
HERE = {"workspaceId": DEFAULT_WORKSPACE_ID}
RESOURCES = {
    "default": {"cpu_limit": "1"},
    "jobSpecific": [{"jobType": "sync", "resourceRequirements": {"memory_limit": "1Gi"}}],
}
KNOWN = (
    "Response body must have required property 'message'",
    "Response body must have required property 'validationErrors'",
    UNDECLARED,
)
"""What the document says and the real server does not do: bodies of refusals (CFG §8), and some statuses."""


class Proxied:
    """Calls through the validating proxy, which answers in the emulator's place where the document is
    broken."""

    def __init__(self, client: httpx.Client, emulator: str) -> None:
        self._client = client
        self.emulator = emulator

    def __call__(self, verb: str, **fields: Any) -> Any:
        """Without fields also without a body: two lists have none in the document."""
        answer = self._client.post(f"/{verb}", json=fields or None)
        assert answer.is_success, f"{verb}: {answer.text}"
        return answer.json() if answer.content else None

    def get(self, path: str) -> None:
        answer = self._client.get(f"/{path}")
        assert answer.is_success, f"{path}: {answer.text}"

    def refuses(self, verb: str, status: int, **fields: Any) -> None:
        """With a body that fits, or breaks the document only as the real server does."""
        answer = self._client.post(f"/{verb}", json=fields)
        broken = answer.json().get("validation", [])
        assert answer.status_code == (500 if broken else status), f"{verb}: {answer.text}"
        assert all(one["message"].startswith(KNOWN) for one in broken), f"{verb}: {broken}"
        direct = httpx.post(f"{self.emulator}/api/v1/{verb}", json=fields)
        assert direct.status_code == status


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A connector with an OAuth flow, and catalogs that a test may rewrite."""
    folder = tmp_path_factory.mktemp("emulated")
    (folder / "source-signed-in.json").write_text(json.dumps(OAUTH))
    return folder


@pytest.fixture(scope="module")
def api(folder: Path) -> Iterator[Proxied]:
    document = Path(__file__).parents[2].parent / "shared" / "openapi" / "airbyte-config.yaml"
    if not document.is_file():
        pytest.skip("the OpenAPI document beside the project (../shared) is absent")
    if shutil.which("npx") is None:
        pytest.skip("node is absent, which the validating proxy needs")
    settings = Settings(job_seconds=0, connectors=folder, catalogs=folder / "catalogs")
    with (
        serve.running(settings) as url,
        proxy(document, f"{url}/api") as base,
        httpx.Client(base_url=f"{base}/v1", timeout=30) as client,
    ):
        yield Proxied(client, url)


@pytest.fixture
def source(api: Proxied) -> dict[str, str]:
    body = {**HERE, "sourceDefinitionId": POSTGRES, "name": "s", "resourceAllocation": RESOURCES}
    made = api("sources/create", **body, connectionConfiguration=postgres())
    return {"sourceId": made["sourceId"]}


@pytest.fixture
def destination(api: Proxied) -> dict[str, str]:
    body = {**HERE, "destinationDefinitionId": SNOWFLAKE, "name": "d"}
    made = api("destinations/create", **body, connectionConfiguration=snowflake())
    return {"destinationId": made["destinationId"]}


def test_access(api: Proxied):
    api.get("health")
    api.get("instance_configuration")
    api("applications/token", client_id="a", client_secret="b")


def test_workspaces(api: Proxied):
    hook = {"notificationType": ["slack"], "slackConfiguration": {"webhook": "http://localhost"}}
    settings = {"sendOnFailure": hook}
    made = api("workspaces/create", name="x", organizationId=NOBODY, notificationSettings=settings)
    one = {"workspaceId": made["workspaceId"]}
    api(
        "workspaces/update", **one, notificationSettings={"sendOnSuccess": {"notificationType": []}}
    )
    api("workspaces/update_name", **one, name="y")
    api("workspaces/get", **one)
    api("workspaces/list_by_organization_id", organizationId=NOBODY)
    api("workspaces/list_by_user_id", userId=NOBODY)
    page = {"pageSize": 1, "rowOffset": 0}
    api("workspaces/list_paginated", workspaceIds=[one["workspaceId"]], pagination=page)
    api("workspaces/delete", **one)
    api("workspaces/get", **one, includeTombstone=True)
    api.refuses("workspaces/get", 404, **one)


@pytest.mark.parametrize("kind", ["source", "destination"])
def test_definitions(api: Proxied, source: Any, destination: Any, kind: str):
    definition = {f"{kind}DefinitionId": POSTGRES if kind == "source" else SNOWFLAKE}
    for verb in ("list", "list_latest"):
        api(f"{kind}_definitions/{verb}")
    api(f"{kind}_definitions/list_for_workspace", **HERE, filterByUsed=True)
    api(f"{kind}_definitions/get", **definition)
    specs = f"{kind}_definition_specifications"
    api(f"{specs}/get", **HERE, **definition)
    api(f"{specs}/get_for_{kind}", **(source if kind == "source" else destination))
    api.refuses(f"{specs}/get", 404, **HERE, **{f"{kind}DefinitionId": UNKNOWN})


def test_an_oauth_flow(api: Proxied):
    definition = {"sourceDefinitionId": OAUTH["definitionId"]}
    api("source_definitions/get", **definition)
    read = api("source_definition_specifications/get", **HERE, **definition)
    assert "oauthConfigSpecification" in read["advancedAuth"]


def test_actors(api: Proxied, source: Any, destination: Any):
    whole = {"name": "s2", "connectionConfiguration": postgres(password=MASK)}
    api("sources/update", **source, **whole, resourceAllocation=RESOURCES)
    api("sources/partial_update", **source, name="s3", connectionConfiguration={"host": "other"})
    api("destinations/update", **destination, name="d2", connectionConfiguration=snowflake())
    api("destinations/partial_update", **destination, name="d3")
    api("sources/get_with_metadata", **source, includeSecretCoordinates=True)
    for kind, one in (("source", source), ("destination", destination)):
        api(f"{kind}s/get", **one)
        api(f"{kind}s/list", **HERE, pageSize=2)
        page = {"pageSize": 2, "rowOffset": 0}
        api(f"{kind}s/list_paginated", workspaceIds=[DEFAULT_WORKSPACE_ID], pagination=page)
        api(f"{kind}s/search", **one)
        api(f"{kind}s/check_connection", **one)
        api(f"{kind}s/upgrade_version", **one)
    body = {**HERE, "sourceDefinitionId": POSTGRES, "name": "s"}
    api.refuses("sources/create", 422, **body, connectionConfiguration={})
    api.refuses("sources/get", 404, sourceId=UNKNOWN)
    api("destinations/delete", **destination)


@pytest.mark.parametrize("host", ["db", "fail.invalid", "crash.invalid"])
def test_checks(api: Proxied, source: Any, destination: Any, host: str):
    sent = {"connectionConfiguration": postgres(host=host)}
    api("sources/check_connection_for_update", **source, name="x", **sent)
    api("scheduler/sources/check_connection", **HERE, sourceDefinitionId=POSTGRES, **sent)
    other = {"connectionConfiguration": snowflake(jdbc_url_params=host)}
    api("destinations/check_connection_for_update", **destination, name="x", **other)
    definition = {"destinationDefinitionId": SNOWFLAKE}
    api("scheduler/destinations/check_connection", **HERE, **definition, **other)


def test_discovery(api: Proxied, source: Any):
    for options in ({}, {}, {"disable_cache": True, "priority": "high"}):
        assert api("sources/discover_schema", **source, **options)["catalogId"]
    api("sources/most_recent_source_actor_catalog", **source)
    rule = "POST /sources/discover_schema discover-failure times=1"
    httpx.post(f"{api.emulator}/_emulator/chaos", json={"rules": [rule]}).raise_for_status()
    assert "catalog" not in api("sources/discover_schema", **source, disable_cache=True)


def test_a_connection_compared_by_a_discover(
    api: Proxied, source: Any, destination: Any, folder: Path
):
    body = {**source, **destination, "configurations": {"streams": [{"name": "customers"}]}}
    answer = httpx.post(f"{api.emulator}/api/public/v1/connections", json=body)
    key = {"connectionId": answer.json()["connectionId"]}
    schema = {"properties": {"id": {"type": "string"}, "new": {"type": "string"}}}
    stream = {"name": "customers", "namespace": "public", "json_schema": schema}
    offered = {"stream": {**stream, "source_defined_primary_key": [["id"]]}}
    (folder / "catalogs").mkdir()
    (folder / "catalogs" / "postgres.json").write_text(json.dumps({"streams": [offered]}))
    read = httpx.post(
        f"{api.emulator}/api/v1/sources/discover_schema",
        json={**source, **key, "disable_cache": True},
    ).json()
    # The document asks for the jobInfo that this one answer goes without (CFG §4), so it is validated
    # with one put back.
    assert "jobInfo" not in read
    kinds = [transform["transformType"] for transform in read["catalogDiff"]["transforms"]]
    assert set(kinds) == {"remove_stream", "update_stream"}
    with pytest.raises(AssertionError, match="required property 'jobInfo'"):
        api("sources/discover_schema", **source, **key, disable_cache=True)


def test_tags(api: Proxied):
    tag = api("tags/create", **HERE, name="silver", color="000000")
    api.refuses("tags/create", 409, **HERE, name="silver", color="000000")
    api.refuses("tags/create", 400, **HERE, name="x" * 31, color="000000")
    one = {**HERE, "tagId": tag["tagId"]}
    api("tags/update", **one, name="bronze", color="111111")
    api("tags/list", **HERE)
    # The document promises the tag; the server says nothing.
    assert httpx.post(f"{api.emulator}/api/v1/tags/delete", json=one).content == b""
