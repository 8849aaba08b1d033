"""Which status and body the Configuration API gives for each way of saying no, then and now (CFG §8)."""

from __future__ import annotations

import json
from typing import Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import (
    PROBLEMS,
    InvalidConfiguration,
    Known,
    NotFound,
    Opaque,
    Problem,
    Refusal,
    TooLarge,
    Unreadable,
    body,
    framework_body,
)

NO_SUCH_ROUTE: Final = b"Object not found."
"""As it stands on the wire: no JSON, whatever its content type says."""
_INTERNAL: Final = "Internal Server Error: "
"""Also in front of a 404's text; the words are the server's."""


def refuse(instance: Instance, refusal: Refusal) -> Response:
    if isinstance(refusal, Problem):
        return JSONResponse(body(refusal), status_code=PROBLEMS[refusal.kind].status)
    if isinstance(refusal, Unreadable):
        return JSONResponse(framework_body(str(refusal)), status_code=400)
    if isinstance(refusal, InvalidConfiguration):
        return _told(instance, 422, _dump(refusal))
    if isinstance(refusal, Known):
        return _told(instance, refusal.status, str(refusal))
    if isinstance(refusal, TooLarge):
        return _told(instance, 400, str(refusal))
    return _hidden(instance, refusal)


def no_such_route() -> Response:
    return Response(NO_SUCH_ROUTE, status_code=404, media_type="application/json")


def _dump(refusal: InvalidConfiguration) -> str:
    """With the whole schema in it (CFG §8)."""
    schema = json.dumps(refusal.schema, indent=2, ensure_ascii=False)
    return (
        "The provided configuration does not fulfill the specification. Errors: "
        f"{refusal}\nSchema: \n{schema}"
    )


def _told(instance: Instance, status: int, message: str) -> Response:
    """The text is shown in every generation; the newest add an id."""
    shown: dict[str, Json] = {"message": message}
    if instance.generation.error_style == "error-id":
        shown["errorId"] = instance.new_id()
    return JSONResponse(shown, status_code=status)


def _hidden(instance: Instance, refusal: Refusal) -> Response:
    """The newest generations answer with an id and nothing else (CFG-T 4)."""
    status, message, exception = _trouble(refusal)
    style = instance.generation.error_style
    if style == "error-id":
        return JSONResponse({"errorId": instance.new_id()}, status_code=status)
    shown: dict[str, Json] = {"message": message}
    if style == "stack":
        shown |= {"exceptionClassName": exception, "exceptionStack": []}
    return JSONResponse(shown, status_code=status)


def _trouble(refusal: Refusal) -> tuple[int, str, str]:
    """The status, the text and the exception's class of what the server itself stumbled over."""
    if isinstance(refusal, NotFound):
        where = f"{refusal.resource_type}: {refusal.resource_id}."
        message = f"{_INTERNAL}Could not find configuration for {where}"
        return 404, message, "io.airbyte.config.persistence.ConfigNotFoundException"
    if isinstance(refusal, Opaque):
        own = _INTERNAL if refusal.status >= 500 else ""  # noqa: PLR2004 - the server's fault
        return refusal.status, f"{own}{refusal}", "java.lang.RuntimeException"
    return 500, f"{_INTERNAL}{refusal}", "java.lang.IllegalArgumentException"
