"""A public API whose answers a test writes by path, for what the embedded Airbyte never says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from reconciler.backends.public_api import PublicApi
from reconciler.core.model import Workspace
from reconciler.transport import Transport

BASE = "https://airbyte.example.com/api/public/v1"
WORKSPACE = Workspace("w-1", "Default Workspace")
NOT_ROUTED = httpx.Response(404, json={"message": "Not Found", "_links": {}, "_embedded": {}})
UNKNOWN = httpx.Response(404, json={"type": "x", "title": "resource-not-found", "status": 404})

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def ok(body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


def rows(*found: Mapping[str, Any]) -> httpx.Response:
    return ok({"data": list(found), "next": "", "previous": ""})


EMPTY: Mapping[str, Answer] = {
    "GET /sources": rows(),
    "GET /destinations": rows(),
    "GET /connections": rows(),
    "GET /workspaces/w-1/definitions/sources": rows(),
    "GET /workspaces/w-1/definitions/destinations": rows(),
    "GET /tags": rows(),
}


@dataclass
class ScriptedApi:
    """Answers by `METHOD /path`; anything else fails the test."""

    answers: Mapping[str, Answer]
    requests: list[httpx.Request] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.raw_path.decode().partition("?")[0].removeprefix("/api/public/v1")
        key = f"{request.method} {path}"
        assert key in self.answers, f"unexpected {key}"
        step = self.answers[key]
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step

    @property
    def backend(self) -> PublicApi:
        async def at_once(seconds: float) -> None:
            assert seconds >= 0

        return PublicApi(
            Transport(BASE, http_transport=httpx.MockTransport(self.answer), sleep=at_once)
        )

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]

    def sent(self) -> dict[str, Any]:
        """The body of the last request."""
        body: dict[str, Any] = json.loads(self.requests[-1].content)
        return body
