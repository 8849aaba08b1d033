"""One HTTP request and its complete answer: connections, timeouts, limits, what an observer sees.

Knows nothing of credentials, retries by status, or JSON.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import anyio
import httpx

from reconciler.transport import retry
from reconciler.transport.answers import Answer
from reconciler.transport.failures import Failures, may_recover, timed_out

LARGEST_BODY: Final = 64 * 1024 * 1024
_FAST: Final = httpx.Timeout(60, connect=10, pool=600)
_SLOW: Final = httpx.Timeout(60, connect=10, read=600, pool=600)  # PUB-T 39
_SLOW_AT_ONCE: Final = 2
_ENCODINGS: Final = frozenset({"", "identity", "gzip", "deflate"})
"""Those whose every byte becomes a thousand at most; one inside another becomes a million."""
WHOLE_ANSWER: Final = 1_200.0
"""Seconds for one request with all of its answer: one that comes byte by byte meets no other limit."""

_SHOWN_AS: Final = {"x-redirected-to": "location"}

Params = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What an observer sees of one request: no headers, no bodies. `status` is 0 without an answer."""

    method: str
    path: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it will be sent, possibly more than once; `failures` words its errors."""

    method: str
    path: str
    failures: Failures = field(repr=False)
    params: Params = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)
    slow: bool = False

    @property
    def meaning(self) -> str:
        return self.failures.meaning


class Origin:
    """The server behind a base URL. At most `parallelism` requests are on the way at once, two of them
    slow ones: the public API has five threads (PUB §9)."""

    def __init__(
        self,
        base_url: str,
        http_transport: httpx.AsyncBaseTransport | None,
        observe: Callable[[Exchange], None] | None,
        clock: Callable[[], float],
        parallelism: int,
        largest_body: int = LARGEST_BODY,
        patience: float = WHOLE_ANSWER,
    ) -> None:
        self._largest_body = largest_body
        self._patience = patience
        self._base_url = base_url
        self._observe = observe
        self._clock = clock
        self._places = anyio.Semaphore(parallelism)
        self._slow_places = anyio.Semaphore(min(_SLOW_AT_ONCE, parallelism))
        self._client = httpx.AsyncClient(
            transport=http_transport,
            verify=_authorities() if http_transport is None else True,
            follow_redirects=False,
            event_hooks={"response": [_as_other_headers]},
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def place(self, call: Call) -> AsyncIterator[None]:
        """Held while a request is on its way. The wait for one may be longer than a token lives."""
        async with self._slow_places if call.slow else nullcontext(), self._places:
            yield

    async def send(self, call: Call, headers: Mapping[str, str]) -> Answer:
        """Any status is an answer. Raises ApiError, in a TryAgain where sending it again does no harm."""
        started, status = self._clock(), 0
        try:
            with anyio.fail_after(self._patience):
                answer = await self._send(call, headers)
            status = answer.status
        except TimeoutError as error:
            raise _broken(call, httpx.ReadTimeout("")) from error
        except httpx.InvalidURL as error:
            raise call.failures.no_address() from error
        except httpx.TransportError as error:
            raise _broken(call, error) from error
        finally:
            if self._observe is not None:
                seconds = self._clock() - started
                self._observe(Exchange(call.method, call.path, status, seconds))
        return answer

    async def _send(self, call: Call, headers: Mapping[str, str]) -> Answer:
        request = self._client.build_request(
            call.method,
            f"{self._base_url}{call.path}",
            params=dict[str, Any](call.params) or None,
            content=call.content,
            headers={
                "Accept": "application/json, */*;q=0.1",
                "Accept-Encoding": "gzip, deflate",
                "User-Agent": "airbyte-reconciler",
                **({"Content-Type": "application/json"} if call.content is not None else {}),
                **headers,
            },
            timeout=_SLOW if call.slow else _FAST,
        )
        response = await self._client.send(request, stream=True)
        try:
            body = await _body(call, response, self._largest_body)
            headers = {_SHOWN_AS.get(name, name): text for name, text in response.headers.items()}
            return Answer(response.status_code, body, headers)
        finally:
            await response.aclose()


@cache
def _authorities() -> ssl.SSLContext:
    """Read once a process, in 20 ms: a search for the API opens a client for each of the two."""
    return httpx.create_ssl_context()


async def _as_other_headers(response: httpx.Response) -> None:
    """The library makes a request of where a redirect points, followed or not, and fails where it can't."""
    for ours, theirs in _SHOWN_AS.items():
        if theirs in response.headers:
            response.headers[ours] = response.headers.pop(theirs)


async def _body(call: Call, response: httpx.Response, largest: int) -> bytes:
    body = bytearray()
    if response.headers.get("content-encoding", "").strip().lower() not in _ENCODINGS:
        raise call.failures.unusable("the answer is compressed in a way that was not asked for")
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > largest:
                limit = largest // 1024**2
                raise call.failures.unusable(f"the answer is larger than {limit} MB")
    except httpx.DecodingError:
        raise call.failures.unusable("the answer's compression is broken") from None
    return bytes(body)


def _broken(call: Call, error: httpx.TransportError) -> Exception:
    if isinstance(error, retry.NEVER_SENT):
        unreachable = call.failures.not_sent(error)
        return retry.TryAgain(unreachable) if may_recover(error) else unreachable
    lost = call.failures.lost(error)
    if call.meaning not in retry.REPEATABLE or (call.slow and timed_out(error)):
        return lost
    return retry.TryAgain(lost)
