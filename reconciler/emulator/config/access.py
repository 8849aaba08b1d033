"""Health, tokens, and what the instance says of itself (CFG §0, §1)."""

from __future__ import annotations

from typing import Final

from starlette.responses import JSONResponse, Response

from reconciler.emulator import tokens
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.config import fields
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import Opaque
from reconciler.emulator.settings import DEFAULT_WORKSPACE_ID

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""The id of the one organization and of the one user of a self-managed server (CFG §2)."""


def health(_instance: Instance, _call: Call) -> Response:
    return JSONResponse({"available": True})


def token(instance: Instance, call: Call) -> Response:
    """Where auth is off every caller is the admin, so any credentials get a token."""
    sent = fields.body(instance, call)
    client_id = fields.required_text(sent, "client_id")
    client_secret = fields.required_text(sent, "client_secret")
    auth = instance.settings.auth
    if auth and not tokens.accepts(auth, client_id, client_secret):
        raise Opaque(401, "unknown client")
    return JSONResponse({"access_token": tokens.issue(instance, client_id)})


def configuration(instance: Instance, _call: Call) -> Response:
    """Open to everybody, since the login page asks it first."""
    return JSONResponse(
        {
            "edition": "community",
            "version": instance.generation.version,
            "licenseStatus": "pro",
            "auth": {"mode": "simple" if instance.settings.auth else "none"},
            "airbyteUrl": "http://localhost:8000",
            "initialSetupComplete": True,
            "defaultUserId": NOBODY,
            "defaultOrganizationId": NOBODY,
            "defaultOrganizationEmail": "embedded@example.com",
            "defaultWorkspaceId": DEFAULT_WORKSPACE_ID,
            "trackingStrategy": "logging",
        }
    )


ENDPOINTS = (
    Endpoint("GET", "/health", health, open=True),
    Endpoint("POST", "/applications/token", token, open=True),
    Endpoint("GET", "/instance_configuration", configuration, open=True),
)
