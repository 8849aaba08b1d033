"""What only the Configuration API can do, against the embedded Airbyte of every generation."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.backends import Backend, connect
from reconciler.backends.config_api import ConfigApi
from reconciler.backends.config_endpoints import MEANINGS
from reconciler.core.diagnostics import ApiError, ReconcilerError, Refused
from reconciler.core.jobs import Job
from reconciler.core.model import (
    MANUAL,
    MASK,
    Columns,
    Connection,
    Destination,
    LiveObject,
    Namespace,
    Ref,
    Schedule,
    Secret,
    Source,
    Stream,
    Update,
    Workspace,
)
from reconciler.core.target import Target
from reconciler.emulator.app import create_app
from reconciler.emulator.generations import GENERATIONS, Generation
from reconciler.transport import Transport
from reconciler.transport.meaning import of_table
from tests.backends import world
from tests.backends.openapi import OF_OLDER_SERVERS, PRESENT, Checked, operation

pytestmark = pytest.mark.anyio

BASE = "http://embedded/api/v1"
SHOP = Source("shop", world.SHOP_ID, {"host": "db", "password": Secret("${env:P}", "first-one")})
LAKE = Destination("lake", world.LAKE_ID, {"host": "s3", "token": Secret("${env:T}", "first-one")})
USERS = Stream("users", "public", "full_refresh_overwrite")


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True)
class Bench:
    backend: Backend
    workspace: Workspace
    generation: Generation
    clock: Clock
    seen: Seen

    async def connection(self, **fields: Any) -> LiveObject:
        source = await self.backend.create(self.workspace, SHOP)
        lake = await self.backend.create(self.workspace, LAKE)
        pair = Connection("shop to lake", Ref(id=source.id), Ref(id=lake.id), streams=(USERS,))
        return await self.backend.create(self.workspace, replace(pair, **fields))

    async def patched(self, live: LiveObject, **fields: Any) -> Connection:
        update = Update(replace(live.spec, **fields), frozenset(fields))
        answered = await self.backend.update(live, update)
        assert await self.backend.read("connection", live.id) == answered
        assert isinstance(answered.spec, Connection)
        return answered.spec

    async def ended(self, job: Job) -> Job:
        self.clock.now += 60
        found = await self.backend.job(job.id)
        assert found is not None
        return found


class Seen(httpx.AsyncBaseTransport):
    """Passes requests on, and keeps path and body of each."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.requests: list[tuple[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        path = request.url.path.removeprefix("/api/v1")
        self.requests.append((path, json.loads(content) if content else None))
        return await self._inner.handle_async_request(request)


@pytest.fixture(params=sorted(GENERATIONS))
async def bench(
    request: pytest.FixtureRequest, tmp_path: Path, anyio_backend: str
) -> AsyncIterator[Bench]:
    clock, generation = Clock(), GENERATIONS[request.param]
    settings = world.settings(tmp_path, generation=generation, clock=clock)
    seen = Seen(Checked(httpx.ASGITransport(create_app(settings))))

    async def at_once(seconds: float) -> None:
        assert seconds >= 0

    async with Transport(
        BASE, http_transport=seen, meaning=of_table(MEANINGS), sleep=at_once
    ) as transport:
        backend = ConfigApi(transport)
        (workspace,) = await backend.workspaces()
        yield Bench(backend, workspace, generation, clock, seen)


SCHEDULES = [
    MANUAL,
    Schedule(every=6, unit="hours"),
    Schedule(every=90, unit="minutes"),
    Schedule(cron="0 0 6 * * ?", timezone="America/New_York"),
    Schedule(cron="0 30 6 ? * MON"),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
async def test_every_schedule_is_created_as_stated_and_reads_back_so(
    bench: Bench, schedule: Schedule
) -> None:
    live = await bench.connection(schedule=schedule)
    assert isinstance(live.spec, Connection)
    assert live.spec.schedule == schedule
    assert live in (await bench.backend.snapshot(bench.workspace)).objects


async def test_every_schedule_becomes_every_other(bench: Bench) -> None:
    live = await bench.connection(schedule=SCHEDULES[0])
    for before, after in permutations(SCHEDULES, 2):
        was = await bench.patched(live, schedule=before)
        assert await bench.patched(live, schedule=after) == replace(was, schedule=after)


@pytest.mark.parametrize(
    "change",
    [
        {"notify_schema_changes": True},
        {"resource_requirements": {"cpu_limit": "1", "memory_limit": "1Gi"}},
    ],
    ids=str,
)
async def test_what_only_this_api_knows_is_written_and_reads_back(
    bench: Bench, change: dict[str, Any]
) -> None:
    live = await bench.connection(**change)
    for name, value in change.items():
        assert getattr(live.spec, name) == value
    plain = await bench.connection()
    assert await bench.patched(plain, **change) == replace(plain.spec, **change)


async def test_a_backfill_is_kept_by_a_create_and_by_a_patch_that_states_nothing_else(
    bench: Bench,
) -> None:
    live = await bench.connection(backfill="enabled")
    assert isinstance(live.spec, Connection)
    assert (live.spec.backfill, live.spec.schema_changes) == ("enabled", "ignore")
    disabled = await bench.patched(live, backfill="disabled")
    assert disabled == replace(live.spec, backfill="disabled")


async def test_leaving_a_namespace_format_leaves_none_behind(bench: Bench) -> None:
    live = await bench.connection(namespace=Namespace("format", "stale"))
    await bench.patched(live, namespace=Namespace("source"))
    (path, sent) = bench.seen.requests[-2]
    assert (path, sent["namespaceFormat"]) == ("/connections/update", "")


async def test_a_merge_keeps_what_it_does_not_name_on_every_server(bench: Bench) -> None:
    live = await bench.backend.create(bench.workspace, SHOP)
    part = Update(replace(SHOP, configuration={"host": "db2"}), frozenset({"configuration"}))
    updated = await bench.backend.update(live, part)
    assert updated.spec == replace(SHOP, configuration={"host": "db2", "password": MASK})


async def test_a_trimmed_schema_is_stored_as_the_whole_one_would_be(bench: Bench) -> None:
    """The server trims it to the selection itself (CFG §5.4)."""
    live = await bench.connection(streams=(replace(USERS, columns=Columns(names=("id", "name"))),))

    async def ask(path: str, body: Any) -> Any:
        async with httpx.AsyncClient(transport=bench.seen, base_url=BASE) as client:
            answer = await client.post(path, json=body)
            assert answer.is_success, answer.text
            return answer.json()

    (sent,) = (body for path, body in bench.seen.requests if path == "/connections/create")
    (item,) = sent["syncCatalog"]["streams"]
    assert set(item["stream"]["jsonSchema"]["properties"]) == {"id", "name"}
    trimmed = await ask("/connections/get", {"connectionId": live.id})
    found = await ask("/sources/discover_schema", {"sourceId": sent["sourceId"]})
    (whole,) = (s for s in found["catalog"]["streams"] if s["stream"]["name"] == USERS.name)
    assert len(whole["stream"]["jsonSchema"]["properties"]) > 2
    streams = [{**item, "stream": whole["stream"]}]
    await ask("/connections/update", {"connectionId": live.id, "syncCatalog": {"streams": streams}})
    again = await ask("/connections/get", {"connectionId": live.id})
    assert again["syncCatalog"] == trimmed["syncCatalog"]


async def test_a_specification_is_served(bench: Bench) -> None:
    live = await bench.backend.snapshot(bench.workspace)
    shop = next(d for d in live.definitions if d.id == world.SHOP_ID)
    spec = await bench.backend.specification(bench.workspace, shop)
    assert spec is not None
    assert spec["properties"]["password"]["airbyte_secret"] is True
    unknown = replace(shop, id="00000000-0000-4000-8000-000000000000")
    assert await bench.backend.specification(bench.workspace, unknown) is None


@pytest.mark.parametrize(("host", "succeeded"), [("db", True), ("fail.invalid", False)])
async def test_a_connection_test_says_whether_it_worked(
    bench: Bench, host: str, succeeded: bool
) -> None:
    for kind, spec in (("source", SHOP), ("destination", LAKE)):
        there = {**spec.configuration, "host": host}
        live = await bench.backend.create(bench.workspace, replace(spec, configuration=there))
        found = await bench.backend.check(kind, live.id)
        assert found.succeeded is succeeded
        assert succeeded or found.message


async def test_a_job_is_started_watched_listed_and_not_started_twice(bench: Bench) -> None:
    live = await bench.connection()
    job = await bench.backend.start(live.id, "sync")
    assert (job.connection_id, job.kind, job.ended) == (live.id, "sync", False)
    with pytest.raises(ApiError) as caught:
        await bench.backend.start(live.id, "sync")
    assert caught.value.status == 409
    assert "already running" in caught.value.message
    done = await bench.ended(job)
    assert (done.status, done.ended) == ("succeeded", True)
    assert done.rows is not None
    for connection_id in (live.id, None):
        (listed,) = await bench.backend.jobs(bench.workspace, connection_id, 10)
        assert (listed.id, listed.status, listed.rows) == (job.id, "succeeded", done.rows)


async def test_a_running_job_is_cancelled_and_one_that_ended_stays_as_it_is(bench: Bench) -> None:
    live = await bench.connection()
    job = await bench.backend.start(live.id, "sync")
    assert (await bench.backend.cancel(job.id)).id == job.id
    assert (await bench.ended(job)).status == "cancelled"
    assert (await bench.backend.cancel(job.id)).status == "cancelled"


@pytest.mark.parametrize("streams", [(), (("public", "users"),)])
async def test_a_connection_is_cleared_on_every_server(bench: Bench, streams: Any) -> None:
    live = await bench.connection()
    job = await bench.backend.start(live.id, "clear", streams)
    assert job.kind == "clear"
    assert (await bench.ended(job)).status == "succeeded"


@pytest.mark.parametrize("streams", [(), (("public", "users"),)])
async def test_a_connection_is_refreshed_where_the_server_can(bench: Bench, streams: Any) -> None:
    live = await bench.connection()
    if not bench.generation.refreshes:
        with pytest.raises(Refused, match="no way to refresh"):
            await bench.backend.start(live.id, "refresh", streams, "truncate")
        assert "/connections/reset" not in [path for path, _ in bench.seen.requests]
        return
    job = await bench.backend.start(live.id, "refresh", streams, "truncate")
    assert job.kind == "refresh"
    assert bench.seen.requests[-1][1]["refreshMode"] == "Truncate"


async def test_a_job_that_never_was_is_none_where_the_server_says_so(bench: Bench) -> None:
    if bench.generation.error_style != "error-id":
        assert await bench.backend.job("99") is None
        return
    with pytest.raises(ApiError, match="500 Internal Server Error"):
        await bench.backend.job("99")


async def test_a_connection_that_is_not_active_is_not_run(bench: Bench) -> None:
    live = await bench.connection(status="inactive")
    with pytest.raises(ReconcilerError, match="500"):
        await bench.backend.start(live.id, "sync")


async def test_no_request_is_one_that_changes_what_it_reads(bench: Bench) -> None:
    live = await bench.connection(schedule=Schedule(every=6, unit="hours"))
    await bench.backend.discover(str(live.spec.source.id), None)  # type: ignore[union-attr]
    await bench.patched(live, streams=(replace(USERS, sync_mode="full_refresh_append"),))
    for path, body in bench.seen.requests:
        assert path in MEANINGS
        assert "web_backend" not in path
        if path == "/sources/discover_schema":
            assert set(body) == {"sourceId"}
        assert "withRefreshedCatalog" not in (body or {})


async def calls_that_write(backend: Backend, workspace: Workspace) -> None:
    """Every write that a backend offers; each is expected to be refused."""
    source = LiveObject("source", "s-1", SHOP)
    lake = LiveObject("destination", "d-1", LAKE)
    pair = Connection("c", Ref(id="s-1"), Ref(id="d-1"), streams=(USERS,))
    live = LiveObject("connection", "c-1", pair)
    rename = frozenset({"name"})
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: backend.create(workspace, SHOP),
        lambda: backend.create(workspace, LAKE),
        lambda: backend.create_tag(workspace, "gold"),
        lambda: backend.update(live, Update(pair, rename)),
        lambda: backend.cancel("1"),
        lambda: backend.start("c-1", "sync"),
        lambda: backend.start("c-1", "refresh"),
        lambda: backend.start("c-1", "clear"),
        lambda: backend.start("c-1", "clear", (("", "users"),)),
    ]
    for actor in (source, lake):
        calls.append(partial(backend.update, actor, Update(actor.spec, rename)))
        calls.append(partial(backend.update, actor, Update(actor.spec, rename, whole=True)))
    calls += [
        partial(backend.delete, kind, "1") for kind in ("source", "destination", "connection")
    ]
    for call in calls:
        with pytest.raises(Refused, match="was not sent: this command only reads"):
            await call()


async def test_a_connection_that_only_reads_is_refused_every_write(tmp_path: Path) -> None:
    seen = Seen(httpx.ASGITransport(create_app(world.settings(tmp_path))))
    target = Target(name="t", url="embedded", api="config")
    async with connect(target, http_transport=seen, read_only=True) as backend:
        await calls_that_write(backend, Workspace("w-1", "w"))
    assert seen.requests == []


def test_the_table_calls_read_only_what_has_a_reading_word() -> None:
    """A slip in the table would let a plan write."""
    words = ("list", "get", "check_connection", "discover_schema")
    for path, meaning in MEANINGS.items():
        verb = path.rpartition("/")[2]
        assert (meaning == "GET") is verb.startswith(words), path


@pytest.mark.skipif(not PRESENT, reason="no OpenAPI document beside the project")
def test_every_endpoint_in_the_table_is_airbytes() -> None:
    for path in MEANINGS:
        if f"/v1{path}" not in OF_OLDER_SERVERS:
            assert operation("POST", f"/v1{path}")
