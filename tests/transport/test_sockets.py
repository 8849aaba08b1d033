"""Real connections over loopback: what a broken one looks like to the HTTP library is no guess."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from reconciler.core.diagnostics import OutcomeUnknown, Unreachable
from reconciler.transport import Transport

pytestmark = pytest.mark.anyio

CUT_SHORT = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
BROKEN_GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"


class Lines:
    """Answers each connection's request with the next of some raw answers, then hangs up."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.answers.pop(0))
        await writer.drain()
        writer.close()


async def at_once(seconds: float) -> None:
    assert seconds >= 0


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[Transport]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Transport(f"http://127.0.0.1:{port}", sleep=at_once) as transport:
        yield transport


@pytest.mark.parametrize("broken", [b"", b"HTTP/1.1 200", CUT_SHORT])
async def test_a_get_whose_answer_breaks_off_is_sent_again(broken: bytes) -> None:
    lines = Lines(broken, WHOLE)
    async with listening(lines.serve) as transport:
        assert await transport.request("GET", "/x") == {}
    assert len(lines.requests) == 2


@pytest.mark.parametrize("broken", [b"", b"HTTP/1.1 200", CUT_SHORT, BROKEN_GZIP])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_write_whose_answer_breaks_off_is_sent_once(method: str, broken: bytes) -> None:
    lines = Lines(broken)
    async with listening(lines.serve) as transport:
        with pytest.raises(OutcomeUnknown):
            await transport.request(method, "/x", json={})
    assert len(lines.requests) == 1


async def test_a_port_nobody_listens_on_is_unreachable_for_a_write_too() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        async with Transport(f"http://127.0.0.1:{port}", sleep=at_once) as transport:
            with pytest.raises(Unreachable, match="no connection to http://127") as caught:
                await transport.request("POST", "/x", json={})
    assert "is the server running" in caught.value.hint


async def test_tls_to_a_port_that_speaks_none_is_unreachable() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Transport(f"https://127.0.0.1:{port}", sleep=at_once) as transport:
        with pytest.raises(Unreachable):
            await transport.request("POST", "/x", json={})
