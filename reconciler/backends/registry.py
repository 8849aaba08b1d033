"""From a target to the backend that speaks its API: the registry, and the rules of `url` and `api`.

Knows where each API lives on a server; nothing of what it answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import httpx

from reconciler.backends.protocol import Backend
from reconciler.backends.public_api import PublicApi
from reconciler.core.diagnostics import ReconcilerError, Unreachable
from reconciler.core.target import Target
from reconciler.transport import Exchange, Transport
from reconciler.transport.hosts import refuse_host

BACKENDS: Final[Mapping[str, Callable[[Transport], Backend]]] = {"public": PublicApi}

_PUBLIC_PATHS: Final = ("/api/public/v1", "/v1")
"""Where the public API lives on a self-managed server, and on the cloud."""
_CLOUD: Final = "api.airbyte.com"
_CONFIG_PATH: Final = "/api/v1"
_EMBEDDED: Final = "embedded"
_EMBEDDED_BASE: Final = "http://embedded/api/public/v1"


@asynccontextmanager
async def connect(
    target: Target,
    *,
    http_transport: httpx.AsyncBaseTransport | None = None,
    read_only: bool,
    redact: Callable[[str], str] = str,
    observe: Callable[[Exchange], None] | None = None,
    parallelism: int = 4,
    allowed_hosts: Sequence[str] | None = None,
) -> AsyncIterator[Backend]:
    """A backend for the target, its connections closed at the end. Raises ReconcilerError for a target
    that can't be meant, Unreachable where no API answers, and Refused, before anything is sent, for a
    host that is not allowed. `embedded` needs an `http_transport`."""

    def transport(base_url: str) -> Transport:
        return Transport(
            base_url,
            target.auth,
            http_transport=http_transport,
            read_only=read_only,
            redact=redact,
            observe=observe,
            parallelism=parallelism,
        )

    url = None if target.url == _EMBEDDED else _checked(target)
    api = _api_of(target, url)
    if url is not None:
        refuse_host(url, allowed_hosts, f"target {target.name}")
    base_url = _EMBEDDED_BASE if url is None else _stated_base(target, url)
    if target.url == _EMBEDDED and http_transport is None:
        raise ReconcilerError("the embedded Airbyte was not started")
    if base_url is None:
        base_url = await _probe(target, transport)
    async with transport(base_url) as opened:
        yield BACKENDS[api](opened)


def _api_of(target: Target, url: httpx.URL | None) -> str:
    api = target.api
    if api == "auto":
        path = url.path.rstrip("/") if url is not None else ""
        api = "config" if path.endswith(_CONFIG_PATH) else "public"
    if api == "config":
        raise ReconcilerError(
            f"target {target.name}: the Configuration API is not built into this version yet",
            hint="use the public API: api: public",
        )
    if api not in BACKENDS:
        raise ReconcilerError(
            f"target {target.name}: no API is called {api!r}",
            hint=f"api is one of auto, {', '.join(sorted(BACKENDS))}",
        )
    return api


def _stated_base(target: Target, url: httpx.URL) -> str | None:
    """The base that the url states, None where it has to be found."""
    path = url.path.rstrip("/")
    if not path:
        return None
    known = path.endswith(_PUBLIC_PATHS[0]) or (url.host == _CLOUD and path == _PUBLIC_PATHS[1])
    if target.api == "auto" and not known:
        raise ReconcilerError(
            f"target {target.name}: the path of {url} doesn't tell which API it is",
            hint="state api: public to take the url as that API's base, or leave the path out",
        )
    return str(url).rstrip("/")


def _checked(target: Target) -> httpx.URL:
    """Never quotes a url that holds credentials."""
    try:
        url = httpx.URL(target.url)
    except httpx.InvalidURL as invalid:
        raise ReconcilerError(f"target {target.name}: the url is not valid: {invalid}") from None
    if url.userinfo:
        raise ReconcilerError(
            f"target {target.name}: the url holds credentials",
            hint="state them under auth: username and password",
        )
    if url.scheme not in ("http", "https") or not url.host:
        raise ReconcilerError(
            f"target {target.name}: {target.url!r} is no http address",
            hint="write it like https://airbyte.example.com",
        )
    if url.query or url.fragment:
        raise ReconcilerError(f"target {target.name}: the url must not hold a ? or # part")
    return url


async def _probe(target: Target, transport: Callable[[str], Transport]) -> str:
    """The first base whose health answers. Only a definite 404 moves on: any other trouble is the
    server's, and guessing on would hide it."""
    origin = target.url.rstrip("/")
    for path in _PUBLIC_PATHS:
        async with transport(f"{origin}{path}") as candidate:
            if await candidate.exists("/health"):
                return candidate.base_url
    raise Unreachable(
        f"no Airbyte API at {origin}: no health at {' or '.join(_PUBLIC_PATHS)}",
        hint="write the API's whole base path as url, with api: public",
    )
