"""Something between the product and the embedded Airbyte, on a port of its own: it sees every request and may
change every answer. A proxy, a gateway or a server that is not what it was.

Knows nothing of the product, and nothing of pytest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.emulator import serve
from reconciler.emulator.settings import Settings


@dataclass(frozen=True)
class Asked:
    """`path` is without the API's base path; `headers` by lower-case name."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_token(self) -> bool:
        return self.path == "/applications/token"

    @property
    def is_health(self) -> bool:
        """Answered in plain words."""
        return self.path == "/health"


@dataclass(frozen=True)
class Said:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def but(self, **changes: Any) -> Said:
        return replace(self, **changes)


Change = Callable[[Asked, Said], Said]


def as_it_is(_asked: Asked, said: Said) -> Said:
    return said


class Between:
    """`change` may be replaced between two runs; what was asked since `forget` is in `asked`."""

    def __init__(self) -> None:
        self.url = ""
        self.change: Change = as_it_is
        self.asked: list[Asked] = []
        self.errors: list[Exception] = []
        self._app: ASGIApp = _nobody
        self._answering = 0
        self._changed = threading.Condition()

    @contextmanager
    def before(self, settings: Settings) -> Iterator[None]:
        """An embedded Airbyte behind it, from now on and until the end; all as at the start."""
        with serve._app(settings) as app:
            self._app = app
            self.change = as_it_is
            self.forget()
            self.errors.clear()
            try:
                yield
            finally:
                self._app = _nobody
                with self._changed:  # whoever asked may be gone, and its request still be answered
                    self._changed.wait_for(lambda: self._answering == 0, 30)

    def forget(self) -> None:
        self.asked.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._counted():
            await self._answer(scope, receive, send)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._changed:
            self._answering += 1
        try:
            yield
        finally:
            with self._changed:
                self._answering -= 1
                self._changed.notify_all()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        asked = await _asked(scope, receive)
        self.asked.append(asked)
        start: Message = {}
        body = b""

        async def read() -> Message:
            return {"type": "http.request", "body": asked.body, "more_body": False}

        async def keep(message: Message) -> None:
            nonlocal start, body
            start = message if message["type"] == "http.response.start" else start
            body += message.get("body", b"")

        await self._app(scope, read, keep)
        headers = {name.decode(): text.decode() for name, text in start["headers"]}
        try:
            said = self.change(asked, Said(start["status"], body, headers))
        except Exception as error:
            self.errors.append(error)  # the product would only see a 500
            raise
        named = {**said.headers, "content-length": str(len(said.body))}
        lines = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in named.items()]
        await send({"type": "http.response.start", "status": said.status, "headers": lines})
        await send({"type": "http.response.body", "body": said.body})


async def _nobody(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 503, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _asked(scope: Scope, receive: Receive) -> Asked:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode(): text.decode("latin-1") for name, text in scope["headers"]}
    path = scope["path"].removeprefix("/api/public/v1").removeprefix("/api/v1")
    return Asked(scope["method"], path, headers, body)


@contextmanager
def between(proxy: Between) -> Iterator[None]:
    """Listening on a port of its own, in a thread that ends with it."""
    ready = threading.Event()
    with serve._listening("127.0.0.1", 0) as (listener, proxy.url):
        server = serve._server(proxy, ready.set)  # type: ignore[arg-type] # any ASGI application will do
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        assert ready.wait(30)
        try:
            yield
        finally:
            server.should_exit = True
            thread.join()
