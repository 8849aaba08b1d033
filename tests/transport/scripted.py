"""A server that answers from a script: the fake at the transport for every test of HTTP behaviour."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from reconciler.core.target import Auth
from reconciler.transport import Transport

BASE = "https://airbyte.example.com/api/public/v1"

NOBODY = Auth()

Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def reply(status: int = 200, body: Any = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is None:
        return httpx.Response(status, headers=named)
    if isinstance(body, str):
        return httpx.Response(status, text=body, headers=named)
    return httpx.Response(status, json=body, headers=named)


def token(value: str, expires_in: object = 900) -> httpx.Response:
    return reply(200, {"access_token": value, "token_type": "Bearer", "expires_in": expires_in})


@dataclass
class Scripted:
    """Answers requests in the order of `replies`; one more than scripted fails the test."""

    replies: list[Reply]
    tokens: list[Reply] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    token_requests: list[httpx.Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    now: float = 1_000.0

    def answer(self, request: httpx.Request) -> httpx.Response:
        is_token = request.url.path.endswith("/applications/token")
        (self.token_requests if is_token else self.requests).append(request)
        script = self.tokens if is_token else self.replies
        assert script, f"unexpected {request.method} {request.url}"
        step = script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def transport(self, auth: Auth = NOBODY, base: str = BASE, **options: Any) -> Transport:
        return Transport(
            base,
            auth,
            http_transport=httpx.MockTransport(self.answer),
            sleep=self.sleep,
            clock=lambda: self.now,
            **options,
        )

    def sent(self, index: int = -1) -> Mapping[str, Any]:
        body: Mapping[str, Any] = json.loads(self.requests[index].content)
        return body
