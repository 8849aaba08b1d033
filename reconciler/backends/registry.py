"""From a target to the backend that speaks its API: the registry, and the checks of `url` and `api`.

Knows which backend speaks which API; nothing of what either answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from reconciler.backends import detection
from reconciler.backends.config_api import ConfigApi
from reconciler.backends.config_endpoints import MEANINGS
from reconciler.backends.detection import EMBEDDED
from reconciler.backends.protocol import Backend
from reconciler.backends.public_api import PublicApi
from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.target import Target
from reconciler.transport import Exchange, Transport
from reconciler.transport.hosts import refuse_host
from reconciler.transport.meaning import Meaning, of_method, of_table

BACKENDS: Final[Mapping[str, Callable[..., Backend]]] = {"public": PublicApi, "config": ConfigApi}
"""Each takes the Transport, and what _WIRES says besides."""


@dataclass(frozen=True, slots=True)
class _Wire:
    """`meaning`: what each request of the API does. `told`: what its backend is to know of the target.
    `largest_body`: bytes of an answer that are still plausible."""

    meaning: Meaning
    told: Callable[[Target], Mapping[str, Any]]
    largest_body: int


_WIRES: Final[Mapping[str, _Wire]] = {
    "public": _Wire(of_method, lambda _target: {}, 64 * 1024**2),
    "config": _Wire(
        of_table(MEANINGS), lambda target: {"workspace": target.workspace}, 512 * 1024**2
    ),
}
"""Connections come in one list with all their JSON Schemas on the Configuration API (CFG §5.2): a thousand of
fifty streams are more than a hundred megabytes."""


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

    def transport(api: str, base_url: str) -> Transport:
        return Transport(
            base_url,
            target.auth,
            http_transport=http_transport,
            meaning=_WIRES[api].meaning,
            largest_body=_WIRES[api].largest_body,
            read_only=read_only,
            redact=redact,
            observe=observe,
            parallelism=parallelism,
        )

    url = None if target.url == EMBEDDED else _checked(target)
    _refuse_unknown(target)
    if url is not None:
        refuse_host(url, allowed_hosts, f"target {target.name}", target.referred.get("url"))
    found = detection.stated_base(target, url)
    if url is None and http_transport is None:
        raise ReconcilerError("the embedded Airbyte was not started")
    if found is None:
        found = await detection.search(target, transport)
    async with transport(found.api, found.base_url) as opened:
        yield BACKENDS[found.api](opened, **_WIRES[found.api].told(target))


def _refuse_unknown(target: Target) -> None:
    if target.api not in (detection.AUTO, *BACKENDS):
        raise ReconcilerError(
            f"target {target.name}: no API is called {target.api!r}",
            hint=f"api is one of auto, {', '.join(sorted(BACKENDS))}",
        )


def _checked(target: Target) -> httpx.URL:
    """Never quotes a url that holds credentials."""
    try:
        url = httpx.URL(target.url)
    except httpx.InvalidURL as invalid:
        why = "" if "@" in target.url or "url" in target.referred else f": {invalid}"
        raise ReconcilerError(f"target {target.name}: the url is not valid{why}") from None
    if url.userinfo:
        raise ReconcilerError(
            f"target {target.name}: the url holds credentials",
            hint="state them under auth: username and password",
        )
    if url.scheme not in ("http", "https") or not url.host:
        what = "the url" if "@" in target.url else target.told("url")
        raise ReconcilerError(
            f"target {target.name}: {what} is no http address",
            hint="write it like https://airbyte.example.com",
        )
    if url.query or url.fragment:
        raise ReconcilerError(f"target {target.name}: the url must not hold a ? or # part")
    return url
