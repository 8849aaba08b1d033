"""An embedded Airbyte spoken to over raw HTTP, and builders for what most behaviours need."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx

from reconciler.emulator.app import close, create_app
from reconciler.emulator.settings import DEFAULT_WORKSPACE_ID, Settings

POSTGRES = "decd338e-5647-4c0b-adf4-da0e75f5a750"
FAKER = "dfd88b22-b603-4c3d-aad7-3701784586b1"
GITHUB = "ef69ef6e-aa7f-4af1-a01d-ef775033524e"
POKEAPI = "6371b14b-bc68-4236-bfbd-468e8df8e968"
S3 = "4816b78f-1489-44c1-9060-4b19d5fa9362"
SNOWFLAKE = "424892c4-daac-4491-b35d-c6688ba547ba"
MASK = "*" * 10


class Clock:
    """A clock that stands still unless told otherwise."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Airbyte:
    """One emulator; each call is one HTTP request, answered in process."""

    def __init__(self, settings: Settings, runner: asyncio.Runner) -> None:
        self._app = create_app(settings)
        self._runner = runner
        self.workspace = DEFAULT_WORKSPACE_ID

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            base = (
                "http://embedded"
                if path.startswith(("/api", "/_"))
                else "http://embedded/api/public/v1"
            )
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                return await client.request(method, path, **options)

        return self._runner.run(send())

    def at_once(self, *requests: tuple[str, str]) -> list[httpx.Response]:
        """The answers to requests that are all under way together."""

        async def send() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self._app)
            base = "http://embedded/api/public/v1"
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                sent = (client.request(method, path) for method, path in requests)
                return list(await asyncio.gather(*sent))

        return self._runner.run(send())

    def stored_secrets(self) -> list[Any]:
        """What the store holds as secrets, as an attacker or a curious test would read it."""
        rows = self._app.state.instance.store._db.execute("SELECT value FROM secret ORDER BY id")
        return [json.loads(row[0]) for row in rows]

    def close(self) -> None:
        close(self._app)

    # --- builders: made, or the test is wrong -------------------------------------------------

    def made(self, method: str, path: str, **options: Any) -> Any:
        answer = self(method, path, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def config(self, verb: str, **fields: Any) -> httpx.Response:
        """A call of the Configuration API: `config("sources/get", sourceId=...)`."""
        return self("POST", f"/api/v1/{verb}", json=fields)

    def configured(self, verb: str, **fields: Any) -> Any:
        return self.made("POST", f"/api/v1/{verb}", json=fields)

    def source(self, name: str = "shop", definition: str = POSTGRES, **configuration: Any) -> Any:
        body = {
            "name": name,
            "workspaceId": self.workspace,
            "definitionId": definition,
            "configuration": configuration or postgres(),
        }
        return self.made("POST", "/sources", json=body)

    def destination(
        self, name: str = "lake", definition: str = SNOWFLAKE, **configuration: Any
    ) -> Any:
        body = {
            "name": name,
            "workspaceId": self.workspace,
            "definitionId": definition,
            "configuration": configuration or snowflake(),
        }
        return self.made("POST", "/destinations", json=body)

    def connection(
        self, *streams: Any, source: Any = None, destination: Any = None, **more: Any
    ) -> Any:
        source, destination = source or self.source(), destination or self.destination()
        body = {
            "sourceId": source["sourceId"],
            "destinationId": destination["destinationId"],
            "configurations": {"streams": list(streams)},
            **more,
        }
        return self.made("POST", "/connections", json=body)

    def change(self, thing: Any, method: str = "PATCH", **fields: Any) -> httpx.Response:
        """PATCHes (or PUTs) a connection, source or destination as it was read."""
        return self(method, path_of(thing), json=fields)

    def changed(self, thing: Any, method: str = "PATCH", **fields: Any) -> Any:
        return self.made(method, path_of(thing), json=fields)

    def read(self, thing: Any, query: str = "") -> Any:
        return self.made("GET", f"{path_of(thing)}{query}")

    def listed(self, resource: str, query: str = "?limit=100") -> list[Any]:
        return list(self.made("GET", f"/{resource}{query}")["data"])

    def edit(self, kind: str, identity: str, **fields: Any) -> httpx.Response:
        """As a person would in the UI."""
        body = {"kind": kind, "id": identity, "fields": fields}
        return self("POST", "/_emulator/edit", json=body)

    def chaos(self, *rules: str) -> Any:
        """These rules from now on."""
        return self.made("POST", "/_emulator/chaos", json={"rules": list(rules)})

    def requests(self) -> list[Any]:
        return list(self.made("GET", "/_emulator/requests")["requests"])

    def tag(self, name: str, workspace: str | None = None) -> Any:
        body = {"name": name, "color": "75DCFF", "workspaceId": workspace or self.workspace}
        return self.made("POST", "/tags", json=body)

    def set_state(self, connection: Any, stream: str, namespace: str | None = "public") -> None:
        body = {
            "connectionId": connection["connectionId"],
            "streamName": stream,
            "streamNamespace": namespace,
            "state": {"cursor": "2026-01-01"},
        }
        self.made("POST", "/_emulator/state", json=body)

    def states(self, connection: Any) -> list[str]:
        path = f"/_emulator/state?connectionId={connection['connectionId']}"
        return [state["streamName"] for state in self.made("GET", path)["states"]]

    def events(self, kind: str) -> list[Any]:
        every = self.made("GET", "/_emulator/events")["events"]
        return [event for event in every if event["kind"] == kind]


def path_of(thing: Any) -> str:
    for kind in ("connection", "source", "destination"):
        # a connection names its source and destination too, so it comes first
        if f"{kind}Id" in thing:
            return f"/{kind}s/{thing[f'{kind}Id']}"
    raise ValueError(f"neither a connection nor a source nor a destination: {thing}")


def streams(connection: Any) -> list[Any]:
    return list(connection["configurations"]["streams"])


def columns(*names: str) -> list[Any]:
    """`selectedFields` of these columns."""
    return [{"fieldPath": [name]} for name in names]


def postgres(**more: Any) -> dict[str, Any]:
    base = {
        "host": "db",
        "port": 5432,
        "database": "shop",
        "username": "etl",
        "password": "s3cret-of-shop",
    }
    return {**base, **more}


def snowflake(**more: Any) -> dict[str, Any]:
    base = {
        "host": "acme.snowflakecomputing.com",
        "role": "LOADER",
        "warehouse": "WH",
        "database": "RAW",
        "schema": "PUBLIC",
        "username": "etl",
        "credentials": {"auth_type": "Username and Password", "password": "s3cret-of-snowflake"},
    }
    return {**base, **more}


Start = Callable[..., Airbyte]
"""Starts an emulator with the settings given."""
