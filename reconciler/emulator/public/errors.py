"""Which status and body the public API gives for each way of saying no (PUB §8)."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import (
    PROBLEMS,
    ConnectorFailed,
    InvalidConfiguration,
    NotFound,
    Opaque,
    Problem,
    Refusal,
    body,
)


def refuse(instance: Instance, refusal: Refusal) -> Response:
    if isinstance(refusal, Opaque):
        hidden = {"errorId": instance.new_id()}
        told = {"error": "error", "message": str(refusal), **hidden}
        return JSONResponse(told if instance.lenient else hidden, status_code=refusal.status)
    problem = as_problem(refusal)
    shown = body(problem)
    if instance.lenient:
        shown = {**_told(refusal, shown), **shown}
    return JSONResponse(shown, status_code=PROBLEMS[problem.kind].status)


def _told(refusal: Refusal, shown: Mapping[str, Json]) -> dict[str, Json]:
    """What lenient adds, so that hand-written clients find the two fields they look for."""
    said = (shown["data"] or {}).get("message")
    if isinstance(refusal, NotFound):
        said = f"{refusal.resource_type} {refusal.resource_id} not found"
    return {"error": shown["title"], "message": said or shown["detail"]}


def as_problem(refusal: Refusal) -> Problem:
    """What the caller did wrong below the service surfaces as a 500 (PUB-T 28)."""
    if isinstance(refusal, Problem):
        return refusal
    if isinstance(refusal, NotFound):
        data = {"resourceType": refusal.resource_type, "resourceId": refusal.resource_id}
        return Problem("resource-not-found", data)
    if isinstance(refusal, InvalidConfiguration):
        return Problem("unprocessable-entity", {"message": str(refusal)})
    if isinstance(refusal, ConnectorFailed):
        message = f"Something went wrong in the connector. logs:{refusal}"
        return Problem("unexpected-problem", {"message": message})
    return Problem("unexpected-problem", {"message": str(refusal)})
