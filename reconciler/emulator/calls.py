"""From an HTTP request to a handler and back: one transaction, one answer.

Shared by every API that the emulator speaks; knows nothing of what any of them says.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconciler.emulator import tokens
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import Opaque, Refusal

_log = logging.getLogger("reconciler.emulator")


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
        authorization = request.headers.get("authorization", "")
        call = Call(
            request.path_params,
            request.query_params,
            await request.body(),
            request.headers.get("content-type", ""),
        )
        if (
            instance.settings.auth
            and not endpoint.open
            and not tokens.is_valid(instance, authorization)
        ):
            return JSONResponse({"message": "Unauthorized"}, status_code=401)
        try:
            with instance.store.transaction(keep=Refusal):
                return endpoint.handler(instance, call)
        except Refusal as refusal:
            return refuse(instance, refusal)
        except Exception as error:  # noqa: BLE001 - the boundary; logged with its traceback below
            # As the real server: the reason is in its log, the caller gets an id.
            _log.exception("%s %s failed", endpoint.method, endpoint.path)
            return refuse(instance, Opaque(500, repr(error)))

    return answer
