"""From an HTTP request to a handler and back: one transaction, one answer.

Shared by every API that the emulator speaks; knows nothing of what any of them says.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconciler.emulator import jobs, tokens
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import Opaque, Refusal, framework_body

_log = logging.getLogger("reconciler.emulator")

MAX_BODY: Final = 10 * 1024 * 1024
CONDITIONS: Final = "reconciler.emulator.conditions"
ADMITTED: Final = "reconciler.emulator.admitted"
"""Keys in a request's scope: the Conditions to answer it under; that its token was good when it came."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler sees of a request."""

    path: Mapping[str, str]
    query: QueryParams
    body: bytes
    content_type: str


Handler = Callable[[Instance, Call], Response]
Refuse = Callable[[Instance, Refusal], Response]


@dataclass(frozen=True, slots=True)
class Endpoint:
    method: str
    path: str
    handler: Handler
    open: bool = False
    """Answered without a token also where one is asked for."""


def route(instance: Instance, endpoint: Endpoint, refuse: Refuse) -> Route:
    return Route(endpoint.path, _answer(instance, endpoint, refuse), methods=[endpoint.method])


def _answer(
    instance: Instance, endpoint: Endpoint, refuse: Refuse
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # to nobody
        if body is None:
            message = f"The body exceeds the maximum of {MAX_BODY} bytes."
            return JSONResponse(framework_body(message), status_code=413)
        if not (endpoint.open or _admitted(instance, request)):
            told = {"error": "Unauthorized"} if instance.lenient else {}
            return JSONResponse({"message": "Unauthorized", **told}, status_code=401)
        call = Call(
            request.path_params,
            request.query_params,
            body,
            request.headers.get("content-type", ""),
        )
        conditions = request.scope.get(CONDITIONS, instance.conditions)
        try:
            with instance.store.transaction(keep=Refusal):
                jobs.settle(instance)
                return endpoint.handler(replace(instance, conditions=conditions), call)
        except Refusal as refusal:
            return refuse(instance, refusal)
        except Exception as error:  # noqa: BLE001 - the boundary; logged with its traceback below
            # As the real server: the reason is in its log, the caller gets an id.
            _log.exception("%s %s failed", endpoint.method, endpoint.path)
            return refuse(instance, Opaque(500, repr(error)))

    return answer


def _admitted(instance: Instance, request: Request) -> bool:
    authorization = request.headers.get("authorization", "")
    return bool(request.scope.get(ADMITTED)) or tokens.admits(instance, authorization)


async def _body(request: Request) -> bytes | None:
    """None where it is too large; it is read to its end all the same, so that the answer gets through."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size <= MAX_BODY:
            parts.append(part)
    return b"".join(parts) if size <= MAX_BODY else None
