"""The outermost layer: numbers the requests to Airbyte's paths and does to them what the rules say.

Knows how a request goes wrong on its way, nothing of what it asks for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import anyio
import httpx
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.emulator import chaos, problems, tokens
from reconciler.emulator.calls import ADMITTED, CONDITIONS
from reconciler.emulator.chaos import Answer, Break, Counted, Hang, Late
from reconciler.emulator.instance import Conditions, Instance
from reconciler.emulator.run import LateWrite, Seen

MOUNTS: Final = ("/api/public/v1", "/api/v1")

Ending = Answer | Break | Hang | Late


class Reset(httpx.ReadError):
    """The connection was reset. A caller in this process sees what a client sees over a socket; over HTTP
    serve.py makes it so."""


class Truncated(httpx.RemoteProtocolError):
    """The connection ended in the middle of an answer; seen as Reset is."""


class Hung(httpx.ReadTimeout):
    """No answer came in time. A caller in this process is told at once; over HTTP nothing ever comes."""


class Turbulence:
    """Around the whole application, so that nothing answers in its place."""

    def __init__(self, instance: Instance, app: ASGIApp) -> None:
        self._instance = instance
        self._app = app
        # The real server answers on so many threads; whoever comes next waits (PUB-T 39).
        self._workers = anyio.Semaphore(instance.settings.workers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        run = self._instance.run
        seen = run.note(scope["method"], scope["path"])
        await run.catch_up(seen.index, self._instance.settings.clock())

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
            await send(message)

        async with self._workers:
            await self._answer(scope, receive, noted, seen)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, seen: Seen) -> None:
        conditions, ending = await self._upset(seen)
        inner = {**scope, CONDITIONS: conditions}
        match ending:
            case None:
                await self._app(inner, receive, send)
            case Answer():
                await self._answer_instead(ending, inner, receive, send)
            case Break(when):
                await self._break(when, inner, receive, send)
            case Hang(after):
                await (self._app(inner, receive, _lose) if after else _read(receive))
                raise Hung("no answer came in time")
            case Late():
                await self._put_off(ending, inner, receive, send, seen)

    async def _upset(self, seen: Seen) -> tuple[Conditions, Ending | None]:
        """What the rules make of a request before it is answered."""
        conditions, ending = Conditions(), None
        for counted in self._striking(seen):
            match counted.rule.fault:
                case chaos.Delay(seconds):
                    await self._instance.settings.sleep(seconds)
                case chaos.ExpireTokens():
                    self._instance.run.token_generation += 1
                case chaos.FailDiscover(message):
                    conditions = replace(conditions, discover_failure=message)
                case chaos.Disorder(order):
                    conditions = replace(conditions, order=order, random=counted.random)
                case fault:
                    if ending is not None:
                        continue  # the first that answers has answered
                    ending = fault
            counted.fired += 1
            seen.faults.append(counted.rule.text)
        return conditions, ending

    def _striking(self, seen: Seen) -> Sequence[Counted]:
        paths = (seen.path, *(seen.path.removeprefix(m) for m in MOUNTS if _is_below(seen.path, m)))
        return [c for c in self._instance.run.rules if c.strikes(seen.method, paths)]

    async def _answer_instead(
        self, fault: Answer, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if fault.after:
            await self._app(scope, receive, _lose)
        await _body(self._instance, fault)(scope, receive, send)

    async def _break(self, when: str, scope: Scope, receive: Receive, send: Send) -> None:
        if when == "before":
            await _read(receive)  # or the client may break off while it sends
            raise Reset("the connection was reset before the request was carried out")
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._app(scope, receive, keep)
        if when == "after":
            raise Reset("the connection was reset after the request was carried out")
        start, *parts = answer
        body = b"".join(part.get("body", b"") for part in parts)
        await send(start)
        await send(
            {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        )
        raise Truncated("the connection ended in the middle of the answer")

    async def _put_off(
        self, fault: Late, scope: Scope, receive: Receive, send: Send, seen: Seen
    ) -> None:
        if not tokens.admits(self._instance, Headers(scope=scope).get("authorization", "")):
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        due = math.inf if fault.requests is None else seen.index + fault.requests + 1
        now = self._instance.settings.clock()
        due_at = math.inf if fault.seconds is None else now + fault.seconds
        commit = partial(self._carry_out, {**scope, ADMITTED: True}, body)
        self._instance.run.late.append(LateWrite(due, commit, due_at))
        await _body(self._instance, Answer(fault.status, "html"))(scope, receive, send)

    async def _carry_out(self, scope: Scope, body: bytes) -> None:
        status = 0

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)

        await self._app(scope, receive, note)
        with self._instance.store.transaction():
            self._instance.record(
                "late_write", method=scope["method"], path=scope["path"], status=status
            )


def _is_below(path: str, mount: str) -> bool:
    return path == mount or path.startswith(f"{mount}/")


async def _lose(_message: Message) -> None:
    """The answer of a request that was carried out, and that nobody gets."""


async def _read(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


# --- Bodies ----------------------------------------------------------------------------------


def _body(instance: Instance, fault: Answer) -> Response:
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else None
    content = _CONTENTS[fault.body](instance, fault.status)
    if content is None:
        return Response(status_code=fault.status, headers=headers)
    if isinstance(content, str):
        return HTMLResponse(content, status_code=fault.status, headers=headers)
    return JSONResponse(content, status_code=fault.status, headers=headers)


_WRONG: Final = "Something went wrong."
_CONTENTS: Final[Mapping[str, Callable[[Instance, int], Any]]] = {
    "error-id": lambda instance, _status: {"errorId": instance.new_id()},
    "problem": lambda _instance, status: problems.body_of_status(status, _WRONG),
    "known": lambda instance, _status: {"message": _WRONG, "errorId": instance.new_id()},
    "framework": lambda _instance, _status: problems.framework_body(_WRONG),
    "rate-limit": lambda _instance, _status: {"message": "You are being rate limited."},
    "html": lambda _instance, status: (
        f"<html><head><title>{status}</title></head><body><h1>{status} from a proxy</h1></body></html>"
    ),
    "empty": lambda _instance, _status: None,
}
