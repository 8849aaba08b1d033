"""The rules of chaos in force, and the writes that it keeps back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.chaos_syntax import BadRule, parse
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import bad_request
from reconciler.emulator.public import fields


def read(instance: Instance, _call: Call) -> Response:
    """The rules, how many requests each matched and struck, and how many writes are still to come."""
    return JSONResponse(
        {
            "rules": [
                {"rule": counted.rule.text, "matched": counted.matched, "fired": counted.fired}
                for counted in instance.run.rules
            ],
            "late": len(instance.run.late),
        }
    )


def replace(instance: Instance, call: Call) -> Response:
    """{rules: [text]}: these instead of those in force; the text is in chaos_syntax.SYNTAX."""
    texts = fields.texts(fields.body(call), "rules") or []
    try:
        instance.run.obey([parse(text) for text in texts])
    except BadRule as error:
        raise bad_request(str(error)) from error
    return read(instance, call)


def advance(instance: Instance) -> Callable[[Request], Awaitable[Response]]:
    """Carries out all late writes now. Not an endpoint of the usual form: each is a request of its own."""

    async def answer(_request: Request) -> Response:
        return JSONResponse({"committed": await instance.run.catch_up()})

    return answer


ENDPOINTS = (
    Endpoint("GET", "/chaos", read, open=True),
    Endpoint("POST", "/chaos", replace, open=True),
)
