"""Health and tokens: what is answered to everybody (PUB §1)."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.responses import JSONResponse, PlainTextResponse, Response

from reconciler.emulator import tokens
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import Opaque
from reconciler.emulator.public import fields


def health(_instance: Instance, _call: Call) -> Response:
    return PlainTextResponse("Successful operation")


def token(instance: Instance, call: Call) -> Response:
    """Where auth is off every caller is the admin, so any credentials get a token."""
    if call.content_type.startswith("application/x-www-form-urlencoded"):
        form = parse_qs(call.body.decode("utf-8", errors="replace"))
        sent: fields.Body = {name: values[-1] for name, values in form.items()}
    else:
        sent = fields.body(call)
    client_id = fields.required_text(sent, "client_id")
    client_secret = fields.required_text(sent, "client_secret")
    auth = instance.settings.auth
    if auth and not tokens.accepts(auth, client_id, client_secret):
        raise Opaque(401, "unknown client")
    return JSONResponse(
        {
            "access_token": tokens.issue(instance, client_id),
            "token_type": "Bearer",
            "expires_in": instance.settings.token_ttl,
        }
    )


ENDPOINTS = (
    Endpoint("GET", "/health", health, open=True),
    Endpoint("POST", "/applications/token", token, open=True),
)
