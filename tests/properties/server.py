"""An embedded Airbyte in memory behind a project's folder: the product's commands against it, and what it
holds and logs, read past both APIs."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx

from reconciler import app
from reconciler.core.model import Consent
from reconciler.core.plan import Plan
from reconciler.emulator import connections, jobs, rows, states
from reconciler.emulator.app import close, create_app
from reconciler.emulator.settings import Settings
from tests.properties.worlds import World

Data = dict[str, Any]


class Server:
    """One Airbyte and one project: `at` is the project's folder, `api` the one that commands use."""

    def __init__(self, folder: Path, api: str) -> None:
        self._clock = 1_700_000_000.0
        settings = Settings(
            connectors=folder / "connectors",
            catalogs=folder / "catalogs",
            clock=lambda: self._clock,
        )
        self._app = create_app(settings)
        self.folder = folder
        self.api = api

    @property
    def instance(self) -> Any:
        return self._app.state.instance

    def close(self) -> None:
        close(self._app)

    # --- commands ------------------------------------------------------------------------------

    def request(self, world: World, **more: Any) -> app.Request:
        transport = httpx.ASGITransport(app=self._app)
        given = {"api": self.api, "http_transport": transport, **more}
        return app.Request(project=self.folder, env=world.env, **given)

    def plan(self, world: World, **more: Any) -> Plan:
        async def run() -> Plan:
            return await app.plan(self.request(world, **more))

        return anyio.run(run)

    def apply(self, world: World, allow: Sequence[Consent] = (), **more: Any) -> app.Applied | Plan:
        async def run() -> app.Applied | Plan:
            request = self.request(world, allow=tuple(allow), **more)
            return await app.apply(request, confirm=lambda _: True, emit=lambda _: None)

        return anyio.run(run)

    # --- what is stored ------------------------------------------------------------------------

    def rows(self, kind: type) -> list[Any]:
        return list(self.instance.store.select(kind))

    def everything(self) -> dict[str, list[Data]]:
        """Each row that is an object of Airbyte's, whole: what nobody touched is the same later."""
        kept = (
            rows.Workspace,
            rows.Actor,
            rows.Connection,
            rows.ConnectionCatalog,
            rows.Tag,
            rows.Operation,
            rows.StreamState,
            rows.Secret,
            rows.Job,
        )
        return {kind.table: [dataclasses.asdict(row) for row in self.rows(kind)] for kind in kept}

    def events(self, after: int = 0) -> list[rows.Event]:
        return [event for event in self.rows(rows.Event) if event.id > after]

    @property
    def now(self) -> int:
        """The number of the latest event."""
        return max((event.id for event in self.rows(rows.Event)), default=0)

    # --- what others do ------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """What ran has ended then."""
        self._clock += seconds
        jobs.settle(self.instance)

    def sync_once(self) -> None:
        """Every incremental stream has a saved position, as after a first sync."""
        for connection in self.rows(rows.Connection):
            for stream in connections.streams_of(connection):
                if stream.sync_mode == "incremental" and connection.status != "deprecated":
                    states.save(self.instance, connection.id, stream.key, {"cursor": "2026"})

    def edit(self, kind: str, identity: str, **fields: Any) -> None:
        """As a person in the UI."""
        body = {"kind": kind, "id": identity, "fields": fields}
        self.post("/edit", body)

    def post(self, path: str, body: Data) -> Any:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://embedded/_emulator"
            ) as client:
                return await client.post(path, json=body)

        answer = anyio.run(send)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()


@contextmanager
def serving(world: World, api: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as name:
        server = Server(world.write(Path(name)), api)
        try:
            yield server
        finally:
            server.close()
