"""Every answer fits Airbyte's OpenAPI document, as a validating proxy in front of the emulator sees it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.emulator import serve
from reconciler.emulator.settings import DEFAULT_WORKSPACE_ID, Settings
from tests.emulator.builders import MASK, POSTGRES, SNOWFLAKE, postgres, snowflake
from tests.emulator.test_mappers import VALID

pytestmark = pytest.mark.contract

UNDECLARED = "Unable to match the returned status code"
"""The document names only some of the statuses that the real server gives (PUB §8)."""

RESOURCES = {
    "default": {"cpu_limit": "1"},
    "jobSpecific": [{"jobType": "sync", "resourceRequirements": {"memory_limit": "1Gi"}}],
}


class Proxied:
    """Requests through the proxy; an answer that breaks the document fails the test."""

    def __init__(self, client: httpx.Client, emulator: str) -> None:
        self._client = client
        self._emulator = emulator

    def __call__(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        answer = self._client.request(method, path, **options)
        violations = answer.headers.get("sl-violations", "")
        assert answer.status_code == status, f"{method} {path}: {answer.text}"
        assert not violations or UNDECLARED in violations, f"{method} {path}: {violations}"
        return answer.json() if "json" in answer.headers.get("content-type", "") else None

    def edit(self, kind: str, identity: str, **fields: Any) -> None:
        body = {"kind": kind, "id": identity, "fields": fields}
        httpx.post(f"{self._emulator}/_emulator/edit", json=body).raise_for_status()


@contextmanager
def proxy(document: Path, upstream: str) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["npx", "--yes", "@stoplight/prism-cli@5", "proxy", "--errors"]
    command += ["-h", "127.0.0.1", "-p", str(port), str(document), upstream]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(240):
        if process.poll() is not None:
            pytest.fail("the validating proxy did not start")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    pytest.fail("the validating proxy did not answer within a minute")


@pytest.fixture(scope="module")
def api() -> Iterator[Proxied]:
    document = Path(__file__).parents[2].parent / "shared" / "openapi" / "airbyte-config.yaml"
    if not document.is_file():
        pytest.skip("the OpenAPI document beside the project (../shared) is absent")
    if shutil.which("npx") is None:
        pytest.skip("node is absent, which the validating proxy needs")
    with (
        serve.running(Settings(job_seconds=0)) as url,
        proxy(document, f"{url}/api") as base,
        httpx.Client(base_url=f"{base}/public/v1", timeout=30) as client,
    ):
        yield Proxied(client, url)


@pytest.fixture
def source(api: Proxied) -> Any:
    body = {"name": "s", "workspaceId": DEFAULT_WORKSPACE_ID, "definitionId": POSTGRES}
    body |= {"configuration": postgres(), "resourceAllocation": RESOURCES}
    return api("POST", "/sources", json=body)


@pytest.fixture
def destination(api: Proxied) -> Any:
    body = {"name": "d", "workspaceId": DEFAULT_WORKSPACE_ID, "definitionId": SNOWFLAKE}
    return api("POST", "/destinations", json={**body, "configuration": snowflake()})


@pytest.fixture
def ends(source: Any, destination: Any) -> dict[str, str]:
    return {"sourceId": source["sourceId"], "destinationId": destination["destinationId"]}


def test_access(api: Proxied):
    api("GET", "/health")
    credentials = {"client_id": "a", "client_secret": "b", "grant_type": "client_credentials"}
    api("POST", "/applications/token", json=credentials)


def test_workspaces(api: Proxied):
    made = api("POST", "/workspaces", json={"name": "x"})
    path = f"/workspaces/{made['workspaceId']}"
    hook = {"failure": {"webhook": {"enabled": True, "url": "http://localhost"}}}
    api("PATCH", path, json={"name": "y", "notifications": hook})
    api("GET", path)
    api("GET", "/workspaces")
    api("DELETE", path, 204)
    api("GET", path, 404)


def test_definitions(api: Proxied):
    base = f"/workspaces/{DEFAULT_WORKSPACE_ID}/definitions"
    for family in ("sources", "destinations", "declarative_sources"):
        api("GET", f"{base}/{family}")
    api("GET", f"{base}/sources/{POSTGRES}")
    for kind in ("source", "destination"):
        api("GET", f"/connector_definitions?type={kind}&workspaceId={DEFAULT_WORKSPACE_ID}")


def test_actors(api: Proxied, source: Any, destination: Any):
    path = f"/sources/{source['sourceId']}"
    whole = {
        "name": "s2",
        "configuration": postgres(password=MASK),
        "resourceAllocation": RESOURCES,
    }
    api("PUT", path, json=whole)
    api("PATCH", path, json={"name": "s3", "configuration": {"host": "other"}})
    other = f"/destinations/{destination['destinationId']}"
    api("PUT", other, json={"name": "d2", "configuration": snowflake()})
    api("PATCH", other, json={"name": "d3"})
    for one in (path, other):
        api("GET", one)
        api("GET", f"{one}?includeSecretCoordinates=true")
    for family in ("sources", "destinations"):
        api("GET", f"/{family}?workspaceIds={DEFAULT_WORKSPACE_ID}&limit=1")
        api("GET", f"/{family}?limit=1&offset=1")
    body = {"name": "s", "workspaceId": DEFAULT_WORKSPACE_ID, "definitionId": POSTGRES}
    api("POST", "/sources", 422, json={**body, "configuration": {}})
    api("DELETE", other, 204)


def test_streams(api: Proxied, ends: dict[str, str]):
    api("GET", "/streams", params=ends)
    api("GET", "/streams", params={"sourceId": ends["sourceId"]})


@pytest.mark.parametrize(("kind", "configuration"), VALID)
def test_every_mapper(api: Proxied, ends: dict[str, str], kind: str, configuration: Any):
    mapper = {"type": kind, "mapperConfiguration": configuration}
    streams = [{"name": "customers", "mappers": [mapper]}]
    made = api("POST", "/connections", json={**ends, "configurations": {"streams": streams}})
    read = api("GET", f"/connections/{made['connectionId']}")
    assert read["configurations"]["streams"][0]["mappers"][0]["type"] == kind


def test_connections(api: Proxied, ends: dict[str, str]):
    tag = {"name": "gold", "color": "75DCFF", "workspaceId": DEFAULT_WORKSPACE_ID}
    tag = api("POST", "/tags", json=tag)
    stream = {
        "name": "customers",
        "namespace": "public",
        "syncMode": "incremental_deduped_history",
        "cursorField": ["updated_at"],
        "selectedFields": [{"fieldPath": [name]} for name in ("id", "updated_at")],
    }
    body = {
        **ends,
        "prefix": "p_",
        "namespaceDefinition": "custom_format",
        "namespaceFormat": "raw",
        "nonBreakingSchemaUpdatesBehavior": "propagate_columns",
        "tags": [tag],
        "schedule": {"scheduleType": "cron", "cronExpression": "0 0 12 * * ?"},
        "configurations": {"streams": [stream, {"name": "products"}]},
    }
    made = api("POST", "/connections", json=body)
    path = f"/connections/{made['connectionId']}"
    api("PATCH", path, json={"configurations": {"streams": [{"name": "products"}]}})
    api("PATCH", path, 400, json={"configurations": {"streams": [{"name": "nope"}]}})
    api.edit(
        "connection",
        made["connectionId"],
        schedule={"type": "basic", "units": 6, "time_unit": "hours"},
    )
    api("GET", path)
    api("PATCH", path, json={"status": "locked"})
    api("PATCH", path, 409, json={"status": "active"})
    api("GET", f"/connections?limit=2&tagIds={tag['tagId']}")
    api("DELETE", path, 204)
    api("GET", path)


def test_tags(api: Proxied):
    body = {"name": "silver", "color": "000000", "workspaceId": DEFAULT_WORKSPACE_ID}
    tag = api("POST", "/tags", json=body)
    api("POST", "/tags", 409, json=body)
    api("POST", "/tags", 400, json={**body, "name": "x" * 31})
    path = f"/tags/{tag['tagId']}"
    api("PATCH", path, json={"name": "bronze", "color": "111111"})
    api("GET", path)
    api("GET", "/tags")
    api("DELETE", path, 204)


def test_jobs(api: Proxied, ends: dict[str, str]):
    made = api(
        "POST", "/connections", json={**ends, "configurations": {"streams": [{"name": "products"}]}}
    )
    job = api("POST", "/jobs", json={"connectionId": made["connectionId"], "jobType": "sync"})
    assert api("GET", f"/jobs/{job['jobId']}")["status"] == "succeeded"
    api("GET", "/jobs?orderBy=createdAt%7CDESC")
    api("POST", "/jobs", json={"connectionId": made["connectionId"], "jobType": "clear"})


def test_what_does_not_exist(api: Proxied):
    unknown = "11111111-2222-4333-8444-555555555555"
    for family in ("sources", "destinations", "connections", "workspaces", "tags"):
        api("GET", f"/{family}/{unknown}", 404)
