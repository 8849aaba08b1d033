"""A server that takes a write and drops a part of it: told by name, and never called done (design §6.8)."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import httpx
import pytest

from reconciler import app
from tests.faults import clock, world
from tests.faults.sweep import APIS
from tests.faults.trial import ALL_OF_IT, Ground

FLOW = "connection/edit-prefix"
SOURCE = "source/edit-0"


class Deaf(httpx.AsyncBaseTransport):
    """What is written comes to the server without the prefix of connections, and with another host."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        if content and request.method != "GET":
            heard = _without(json.loads(content))
            url, method = request.url, request.method
            headers = {k: v for k, v in request.headers.items() if k != "content-length"}
            request = httpx.Request(method, url, headers=headers, content=json.dumps(heard))
        return await self._inner.handle_async_request(request)


def _without(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    kept = {key: _without(value) for key, value in body.items() if key != "prefix"}
    return {**kept, "host": "elsewhere"} if kept.get("host") == "replica.internal" else kept


@pytest.mark.parametrize("api", APIS)
def test_what_the_server_ignored_is_named_and_is_no_success(ground: Ground, api: str) -> None:
    with ground.server() as server:
        request = app.Request(
            ground.folder,
            world.ENV,
            api,
            allow=(ALL_OF_IT,),
            http_transport=Deaf(httpx.ASGITransport(server.app)),
        )
        work = partial(
            app.apply,
            request,
            confirm=lambda _plan: True,
            emit=lambda _event: None,
            now=server.time,
        )
        result = clock.run(work, server.time)
    assert isinstance(result, app.Applied)
    failed = {str(failure.change.address): failure for failure in result.outcome.failed}
    assert set(failed) == {FLOW, SOURCE, "source/edit-1"}
    assert failed[FLOW].message.endswith("does not hold what was asked: /prefix")
    assert failed[SOURCE].message.endswith("does not hold what was asked: /configuration/host")
    assert all(failure.written for failure in failed.values())
    assert result.exit_code == 4
