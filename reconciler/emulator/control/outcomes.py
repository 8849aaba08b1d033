"""How the next job of a connection ends, where it should not simply succeed."""

from __future__ import annotations

from typing import Final

from starlette.responses import JSONResponse, Response

from reconciler.emulator import connections, jobs
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import bad_request
from reconciler.emulator.public import fields

MAX_ATTEMPTS: Final = 20


def fail_next(instance: Instance, call: Call) -> Response:
    """{connectionId, message, attempts?, recovers?}: so many attempts (1) of the next job fail with the
    message; then, if it `recovers`, one succeeds."""
    sent = fields.body(call)
    connection = connections.get(instance, fields.required_identifier(sent, "connectionId"))
    message = fields.required_text(sent, "message")
    attempts = sent.get("attempts", 1)
    if not isinstance(attempts, int) or not 1 <= attempts <= MAX_ATTEMPTS:
        raise bad_request(f"attempts is a number from 1 to {MAX_ATTEMPTS}")
    recovers = bool(fields.flag(sent, "recovers"))
    jobs.fail_next(instance, connection, message, attempts, recovers=recovers)
    return JSONResponse({"fails": connection.id})


ENDPOINTS = (Endpoint("POST", "/fail-next-job", fail_next, open=True),)
