"""Which status and body the public API gives for each way of saying no (PUB §8)."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

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
        return JSONResponse({"errorId": instance.new_id()}, status_code=refusal.status)
    problem = as_problem(refusal)
    return JSONResponse(body(problem), status_code=PROBLEMS[problem.kind].status)


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
