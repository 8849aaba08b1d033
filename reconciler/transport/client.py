"""Transport: one API at one base URL, as `request` and `pages`, with credentials and retries.

Knows nothing of what the requests mean; a redirect is never followed, so no credential crosses an origin.
"""

from __future__ import annotations

import json as jsonlib
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

import anyio
import httpx

from reconciler.core.diagnostics import ApiError, OutcomeUnknown, Refused, Unreachable
from reconciler.core.model import Json
from reconciler.core.target import Auth
from reconciler.transport import retry
from reconciler.transport.answers import Answer, Redact, Unusable, describe_html, parse, safe
from reconciler.transport.credentials import Token, TokenSource, prepare, read_token
from reconciler.transport.cursor import read_cursor_pages
from reconciler.transport.exchange import (
    LARGEST_BODY,
    WHOLE_ANSWER,
    Call,
    Exchange,
    Origin,
    Params,
)
from reconciler.transport.failures import Failures
from reconciler.transport.meaning import Meaning, of_method
from reconciler.transport.pages import Row, Window, read_pages, rows_of

_TOKEN_PATH: Final = "/applications/token"  # noqa: S105 - a path


class Transport:
    """Raises only ApiError and its kin, and Refused for a write while `read_only`; `meaning` tells which
    requests are writes, and which may be repeated. `redact` takes secrets the caller knows out of foreign
    text; the credentials' own are known here."""

    def __init__(
        self,
        base_url: str,
        auth: Auth = Auth(),  # noqa: B008 - frozen
        *,
        http_transport: httpx.AsyncBaseTransport | None = None,
        meaning: Meaning = of_method,
        read_only: bool = False,
        redact: Redact = str,
        observe: Callable[[Exchange], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        clock: Callable[[], float] = time.monotonic,
        attempts: int = 4,
        parallelism: int = 4,
        largest_body: int = LARGEST_BODY,
        patience: float = WHOLE_ANSWER,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.read_only = read_only
        self._meaning = meaning
        self._credentials = prepare(auth)
        self._tokens = TokenSource(self._fetch_token, clock) if self._credentials.client else None
        self._redact_others = redact
        self._sleep = sleep
        self._clock = clock
        self._attempts = attempts
        self._origin = Origin(
            self.base_url, http_transport, observe, clock, parallelism, largest_body, patience
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._origin.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: Json | None = None,
        slow: bool = False,
    ) -> Json | None:
        """The parsed answer, None where it has no body. `slow`: ten minutes may pass before one comes."""
        if self.read_only and self._meaning(method, path) != "GET":
            raise Refused(
                f"{method} {path} was not sent: this command only reads",
                hint="this is a bug in reconciler; please report it",
            )
        content = None if json is None else jsonlib.dumps(json, allow_nan=False).encode()
        call = Call(method, path, self._failures(method, path), params or {}, content, slow)
        answer = await self._until_settled(call, lambda: self._authorized(call))
        try:
            return parse(answer, self._redact)
        except Unusable as unusable:
            raise call.failures.unusable(str(unusable)) from None

    async def pages(self, path: str, params: Params, *, key: str) -> tuple[Row, ...]:
        """All rows of a list, each `key` once, in the order they came; paged by our own offset (PUB-T 25)."""

        async def page(window: Window) -> Json:
            return await self.request("GET", path, params={**params, **window})

        return await read_pages(page, path, key)

    async def cursor_pages(self, path: str, body: Json, *, items: str, key: str) -> tuple[Row, ...]:
        """All rows of a list that is asked for by POST and paged by cursor, each `key` once (CFG-T 2)."""

        async def page(window: Mapping[str, Any]) -> Json:
            return await self.request("POST", path, json={**body, **window})

        return await read_cursor_pages(page, f"POST {path}", items, key)

    async def rows(self, path: str, params: Params, *, slow: bool = False) -> tuple[Row, ...]:
        """All rows of a list that the server doesn't page."""
        answer = await self.request("GET", path, params=params, slow=slow)
        return tuple(rows_of(answer, path))

    def readable(self, text: str) -> str:
        """Foreign text as it may be shown: one line, no secret."""
        return safe(text, self._redact)

    async def probe(self, path: str) -> str | None:
        """None where the path answers with a success; why not, where that is for certain another path's
        business: a 404, or HTML. All else raises. Asks for no token."""
        call = Call("GET", path, self._failures("GET", path))

        async def attempt() -> Answer:
            async with self._origin.place(call):
                answer = await self._origin.send(call, self._credentials.headers)
            return answer if answer.status == HTTPStatus.NOT_FOUND else _judged(call, answer)

        answer = await self._until_settled(call, attempt)
        if not answer.ok:
            return str(answer.status)
        return describe_html(answer, self._redact) if answer.is_html else None

    async def access_token(self) -> str:
        """The token that requests carry, valid for now; "" where they carry none."""
        if self._tokens is not None:
            return await self._tokens.token()
        scheme, _, token = self._credentials.headers.get("Authorization", "").partition(" ")
        return token if scheme == "Bearer" else ""

    async def _until_settled(self, call: Call, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        """Attempts with retries. Where one of them may have arrived, running out is OutcomeUnknown."""
        arrived = False

        async def once() -> Answer:
            nonlocal arrived
            try:
                return await attempt()
            except retry.TryAgain as again:
                arrived = arrived or isinstance(again.error, OutcomeUnknown)
                raise

        try:
            return await retry.persistently(once, attempts=self._attempts, sleep=self._sleep)
        except ApiError as last:
            if arrived and not _is_verdict(last):
                raise call.failures.unknown(last.message, last.status) from last
            raise

    async def _authorized(self, call: Call) -> Answer:
        """One attempt; a 401 is met once with a fresh token (PUB §1): the request was not processed."""
        async with self._origin.place(call):
            if self._tokens is None:
                return _judged(call, await self._origin.send(call, self._credentials.headers))
            token = await self._tokens.token()
            answer = await self._origin.send(call, self._credentials.bearing(token))
            if answer.status == HTTPStatus.UNAUTHORIZED:
                token = await self._tokens.token(rejected=token)
                answer = await self._origin.send(call, self._credentials.bearing(token))
        return _judged(call, answer)

    async def _fetch_token(self) -> Token:
        """Asking twice harms nobody, so a lost answer is asked for again, though it is a POST."""
        failures = self._failures("POST", _TOKEN_PATH)
        content = jsonlib.dumps(self._credentials.token_request).encode()
        call = Call("POST", _TOKEN_PATH, failures, content=content)

        async def attempt() -> Answer:
            try:
                answer = await self._origin.send(call, self._credentials.headers)
            except OutcomeUnknown as lost:
                raise retry.TryAgain(Unreachable(f"no access token: {lost.message}")) from lost
            if not answer.ok:
                raise failures.token_refused(answer)
            return answer

        answer = await retry.persistently(attempt, attempts=self._attempts, sleep=self._sleep)
        try:
            token = read_token(parse(answer, self._redact), self._clock())
        except Unusable as unusable:
            raise failures.no_token(str(unusable)) from None
        if token is None:
            raise failures.no_token("the answer holds no access_token")
        return token

    def _failures(self, method: str, path: str) -> Failures:
        return Failures(
            method,
            path,
            self._meaning(method, path),
            self.base_url,
            self._credentials.description,
            self._redact,
        )

    def _redact(self, text: str) -> str:
        own = self._credentials.redact(text)
        return self._redact_others(self._tokens.redact(own) if self._tokens else own)


def _is_verdict(error: ApiError) -> bool:
    """Whether the server refused the request itself: then no earlier attempt did it either."""
    refused = HTTPStatus.BAD_REQUEST <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return type(error) is ApiError and refused and error.status != retry.TOO_MANY


def _judged(call: Call, answer: Answer) -> Answer:
    """The answer if it is a success. Raises TryAgain where the request may be sent again."""
    if answer.ok:
        return answer
    error = call.failures.answered(answer)
    if retry.may_repeat(call.meaning, answer.status, slow=call.slow):
        raise retry.TryAgain(error, retry.retry_after(answer))
    raise error
