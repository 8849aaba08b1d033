"""Every answer of the Configuration API about connections and jobs fits Airbyte's OpenAPI document."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.emulator import serve
from reconciler.emulator.settings import DEFAULT_WORKSPACE_ID, Settings
from tests.emulator.builders import columns
from tests.emulator.config_connections import Wired, cron, entries, every
from tests.emulator.test_config_openapi import KNOWN
from tests.emulator.test_mappers import VALID
from tests.emulator.test_openapi import proxy

pytestmark = pytest.mark.contract

UNKNOWN = "11111111-2222-4333-8444-555555555555"
HERE = {"workspaceId": DEFAULT_WORKSPACE_ID}
DBT = {
    "operatorType": "webhook",
    "webhook": {"webhookType": "dbtCloud", "dbtCloud": {"accountId": 1, "jobId": 2}},
}


class Proxied:
    """As the tests' Airbyte, but through the validating proxy: an answer that breaks the document comes back
    as a 500 of the proxy's own."""

    workspace = DEFAULT_WORKSPACE_ID

    def __init__(self, client: httpx.Client, emulator: str) -> None:
        self._client = client
        self.emulator = emulator

    def config(self, verb: str, **fields: Any) -> httpx.Response:
        return self._client.post(f"/{verb}", json=fields)

    def control(self, verb: str, **fields: Any) -> None:
        httpx.post(f"{self.emulator}/_emulator/{verb}", json=fields).raise_for_status()

    def refuses(self, verb: str, status: int, **fields: Any) -> None:
        """With a body that fits, or breaks the document only as the real server does (CFG §8)."""
        answer = self.config(verb, **fields)
        broken = answer.json().get("validation", [])
        assert answer.status_code == (500 if broken else status), f"{verb}: {answer.text}"
        assert all(one["message"].startswith(KNOWN) for one in broken), f"{verb}: {broken}"
        direct = httpx.post(f"{self.emulator}/api/v1/{verb}", json=fields)
        assert direct.status_code == status


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
        httpx.Client(base_url=f"{base}/v1", timeout=30) as client,
    ):
        yield Proxied(client, url)


@pytest.fixture(scope="module")
def wired(api: Proxied) -> Wired:
    return Wired(api)  # type: ignore[arg-type] # it calls nothing but `config`


def id_of(connection: Any) -> dict[str, str]:
    return {"connectionId": connection["connectionId"]}


@pytest.mark.parametrize(
    "schedule",
    [
        every(6),
        cron("0 0 12 * * ?", "Europe/Berlin"),
        {"scheduleType": "manual"},
        {"schedule": {"units": 1, "timeUnit": "days"}},
    ],
)
def test_schedules(wired: Wired, schedule: Any):
    made = wired.connection(**schedule)
    wired.read(made)
    wired.made("web_backend/connections/get", **id_of(made))


@pytest.mark.parametrize(("kind", "configuration"), VALID)
def test_every_mapper(wired: Wired, kind: str, configuration: Any):
    mapper = {"type": kind, "mapperConfiguration": configuration}
    made = wired.connection(wired.stream("customers", mappers=[mapper]))
    assert entries(wired.read(made))[0]["config"]["mappers"][0]["type"] == kind


def test_connections(api: Proxied, wired: Wired):
    tag = wired.made("tags/create", **HERE, name="gold", color="75DCFF")
    narrow = {"fieldSelectionEnabled": True, "selectedFields": columns("id", "title")}
    made = wired.connection(
        wired.incremental("customers"),
        wired.stream("products", **narrow),
        namespaceDefinition="customformat",
        namespaceFormat="raw",
        prefix="p_",
        resourceRequirements={"cpu_limit": "1"},
        nonBreakingChangesPreference="propagate_fully",
        backfillPreference="enabled",
        notifySchemaChanges=True,
        tags=[tag],
    )
    one = id_of(made)
    wired.updated(made, name="renamed", syncCatalog={"streams": [wired.incremental("customers")]})
    wired.made("connections/update_with_reason", connectionUpdate={**one, "prefix": ""})
    for verb in ("list", "list_all"):
        wired.made(f"connections/{verb}", **HERE)
    nobody = "00000000-0000-0000-0000-000000000000"
    page = {"pageSize": 1, "rowOffset": 0}
    ids = [DEFAULT_WORKSPACE_ID]
    wired.made("connections/list_paginated", workspaceIds=ids, userId=nobody, pagination=page)
    wired.made("connections/search", name="renamed")
    wired.updated(made, status="locked")
    api.refuses("connections/update", 409, **one, name="x")
    wired.made("connections/delete", **one)
    wired.read(made)
    api.refuses("connections/get", 404, connectionId=UNKNOWN)
    api.refuses("connections/update", 404, connectionId=UNKNOWN)


def test_what_the_ui_reads_and_saves(api: Proxied, wired: Wired):
    operation = {**HERE, "name": "dbt", "operatorConfiguration": DBT}
    catalog = {"streams": [wired.incremental("products")]}
    made = wired.made(
        "web_backend/connections/create",
        **wired.ends,
        status="active",
        syncCatalog=catalog,
        sourceCatalogId=wired.discovered["catalogId"],
        operations=[operation],
        **every(6),
    )
    one = id_of(made)
    changed = {"streams": [wired.incremental("products", cursorField=["id"])]}
    wired.made("web_backend/connections/update", **one, syncCatalog=changed)
    columns_now = [{"stream": "products", "column": "weight"}]
    source_id = wired.ends["sourceId"]
    api.control("auto-propagate", sourceId=source_id, add_columns=columns_now)
    wired.made("web_backend/connections/get", **one, withRefreshedCatalog=True)
    wired.made("web_backend/connections/list", **HERE, pageSize=1)
    wired.made("operations/list", **one)
    api.refuses("web_backend/connections/get", 404, connectionId=UNKNOWN)


def test_operations(wired: Wired):
    made = wired.made("operations/create", **HERE, name="dbt", operatorConfiguration=DBT)
    one = {"operationId": made["operationId"]}
    wired.made("operations/update", **one, name="run", operatorConfiguration=DBT)
    wired.made("operations/get", **one)
    wired.made("operations/check", **DBT)
    wired.made("operations/delete", **one)


def test_jobs_and_positions(api: Proxied, wired: Wired):
    made = wired.connection(wired.incremental("products"), wired.stream("customers"))
    one = id_of(made)
    products = [{"streamName": "products", "streamNamespace": "public"}]
    api.control("fail-next-job", **one, message="disk full", recovers=True)
    for verb, fields in (
        ("sync", {}),
        ("refresh", {"refreshMode": "Truncate", "streams": products}),
        ("reset", {}),
        ("clear", {}),
        ("reset/stream", {"streams": products}),
        ("clear/stream", {"streams": products}),
    ):
        assert wired.run(made, verb, **fields).status_code == 200, verb
    job = {"id": wired.jobs(made)[-1]["id"]}
    for verb in ("get", "get_without_logs", "get_light", "cancel"):
        wired.made(f"jobs/{verb}", **job)
    wired.made("jobs/get_last_replication_job", **one)
    types = {"configTypes": ["sync", "refresh"]}
    wired.made("jobs/list_for_workspaces", **types, workspaceIds=[DEFAULT_WORKSPACE_ID])
    state = {"stateType": "stream", **one, "streamState": [position("products")]}
    wired.made("state/create_or_update", **one, connectionState=state)
    wired.made("state/create_or_update_safe", **one, connectionState=state)
    wired.made("state/get", **one)
    wired.made("web_backend/state/get_type", **one)
    api.refuses("connections/sync", 404, connectionId=UNKNOWN)


def position(stream: str) -> dict[str, Any]:
    return {
        "streamDescriptor": {"name": stream, "namespace": "public"},
        "streamState": {"cursor": "2026-01-01"},
    }
