"""An embedded Airbyte spoken to over raw HTTP, and builders for what most behaviours need."""

from __future__ import annotations

import asyncio
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

    def close(self) -> None:
        close(self._app)

    # --- builders: made, or the test is wrong -------------------------------------------------

    def made(self, method: str, path: str, **options: Any) -> Any:
        answer = self(method, path, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

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
