"""A Configuration API whose answers a test writes by path, for what the embedded Airbyte never says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from reconciler.backends.config_api import ConfigApi
from reconciler.backends.config_endpoints import MEANINGS
from reconciler.core.model import Workspace
from reconciler.transport import Transport
from reconciler.transport.meaning import of_table

BASE = "http://localhost:8001/api/v1"
WORKSPACE = Workspace("w-1", "Default Workspace")
NO_ROUTE = httpx.Response(
    404, content=b"Object not found.", headers={"content-type": "application/json"}
)
UNKNOWN = httpx.Response(404, json={"errorId": "e-404"})
UNKNOWN_THEN = httpx.Response(
    404, json={"message": "Internal Server Error: Could not find configuration for X: 1."}
)
FAILED = httpx.Response(500, json={"errorId": "e-500"})

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def ok(body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


EMPTY: Mapping[str, Answer] = {
    "/sources/list": ok({"sources": []}),
    "/destinations/list": ok({"destinations": []}),
    "/connections/list": ok({"connections": []}),
    "/source_definitions/list_for_workspace": ok({"sourceDefinitions": []}),
    "/destination_definitions/list_for_workspace": ok({"destinationDefinitions": []}),
    "/tags/list": ok([]),
}


@dataclass
class ScriptedConfig:
    """Answers by path below the base; a list of answers is used up, its last one stays. Anything else is
    what a server says to a path that it hasn't."""

    answers: Mapping[str, Answer | Sequence[Answer]]
    workspace: str | None = None
    secret: str = ""
    requests: list[httpx.Request] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        assert request.method == "POST"
        path = request.url.path.removeprefix("/api/v1")
        assert path in MEANINGS, f"{path} is in no table"
        step = self.answers.get(path, NO_ROUTE)
        if isinstance(step, Sequence):
            earlier = self.asked.count(path) - 1
            step = step[min(earlier, len(step) - 1)]
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step

    def backend(self) -> ConfigApi:
        async def at_once(seconds: float) -> None:
            assert seconds >= 0

        def redact(text: str) -> str:
            return text.replace(self.secret, "(secret)") if self.secret else text

        transport = Transport(
            BASE,
            http_transport=httpx.MockTransport(self.answer),
            meaning=of_table(MEANINGS),
            redact=redact,
            sleep=at_once,
        )
        return ConfigApi(transport, self.workspace)

    @property
    def asked(self) -> list[str]:
        return [request.url.path.removeprefix("/api/v1") for request in self.requests]

    def sent(self, path: str) -> dict[str, Any]:
        """The body of the last request to the path."""
        last = [r for r in self.requests if r.url.path == f"/api/v1{path}"][-1]
        body: dict[str, Any] = json.loads(last.content)
        return body


def source_row(**more: Any) -> dict[str, Any]:
    return {
        "sourceId": "s-1",
        "sourceDefinitionId": "d-1",
        "workspaceId": "w-1",
        "name": "shop",
        "sourceName": "Postgres",
        "connectionConfiguration": {"host": "db"},
        "createdAt": 1700000000,
        **more,
    }


def connection_row(**more: Any) -> dict[str, Any]:
    return {
        "connectionId": "c-1",
        "name": "shop to lake",
        "sourceId": "s-1",
        "destinationId": "d-1",
        "status": "active",
        "scheduleType": "manual",
        "namespaceDefinition": "destination",
        "syncCatalog": {"streams": []},
        **more,
    }


def discovered(*streams: dict[str, Any], **more: Any) -> httpx.Response:
    items = [{"stream": stream, "config": {"selected": True}} for stream in streams]
    return ok(
        {
            "catalog": {"streams": items},
            "catalogId": "catalog-1",
            "jobInfo": {"succeeded": True},
            **more,
        }
    )


def stream_object(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "jsonSchema": {"type": "object", "properties": {"id": {}, "at": {}, "email": {}}},
        "supportedSyncModes": ["full_refresh", "incremental"],
        "sourceDefinedCursor": False,
        "defaultCursorField": [],
        "sourceDefinedPrimaryKey": [],
        **more,
    }
