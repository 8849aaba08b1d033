"""The embedded Airbyte over HTTP, on the loopback unless told otherwise."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope

from reconciler.emulator.app import close, create_app
from reconciler.emulator.settings import Settings
from reconciler.emulator.turbulence import Hung, Reset, Truncated


class _Server(uvicorn.Server):
    """Says when it listens; uvicorn itself only logs that."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


class PortTaken(OSError):
    """Nothing was served: one of the addresses can't be listened on."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address}: {reason}")
        self.address = address
        self.reason = reason


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    ports: Sequence[int] = (0,),
    *,
    on_ready: Callable[[Sequence[str]], None],
) -> None:
    """Serves the same application on each port until SIGINT or SIGTERM. `on_ready` gets the base URLs in
    the ports' order once requests are answered; port 0 takes a free one. Raises PortTaken."""
    with ExitStack() as stack:
        bound = [stack.enter_context(_listening(host, port)) for port in ports]
        app = stack.enter_context(_app(settings))
        urls = [url for _, url in bound]
        _server(app, lambda: on_ready(urls)).run(sockets=[listener for listener, _ in bound])


@contextmanager
def running(settings: Settings, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """The base URL of a server in a thread of this process, stopped at the end."""
    ready = threading.Event()
    with _listening(host, port) as (listener, url), _app(settings) as app:
        server = _server(app, ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not ready.wait(0.05):
            if not thread.is_alive():
                raise RuntimeError("the embedded Airbyte did not start")
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def _listening(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    name = f"[{host}]" if ":" in host else host
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise PortTaken(f"{name}:{port}", error.strerror or str(error)) from error
    with listener:
        yield listener, f"http://{name}:{listener.getsockname()[1]}"


@contextmanager
def _app(settings: Settings) -> Iterator[Starlette]:
    app = create_app(settings)
    try:
        yield app
    finally:
        close(app)


def _server(app: Starlette, on_ready: Callable[[], None]) -> _Server:
    config = uvicorn.Config(
        _breakable(app), log_level="warning", access_log=False, lifespan="off", proxy_headers=False
    )
    return _Server(config, on_ready)


def _breakable(app: ASGIApp) -> ASGIApp:
    """Ends the connection where the application says that it ended."""

    async def answer(scope: Scope, receive: Receive, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except (Hung, Reset, Truncated) as lost:
            # ASGI has no word for this, so the socket is taken from uvicorn's own `send`.
            transport = send.__self__.transport
            if isinstance(lost, Reset):
                no_goodbye = struct.pack("ii", 1, 0)
                connection = transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_goodbye)
                transport.abort()
            elif isinstance(lost, Truncated):
                transport.close()
            while (await receive())["type"] != "http.disconnect":
                pass

    return answer
