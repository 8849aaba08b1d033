"""What a self-managed server answers to everything about OAuth: not here (PUB §3.1, §7)."""

from __future__ import annotations

from starlette.responses import Response

from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.instance import Instance


def not_here(_instance: Instance, _call: Call) -> Response:
    return Response(status_code=501)


ENDPOINTS = (
    Endpoint("PUT", "/workspaces/{workspaceId}/oauthCredentials", not_here),
    Endpoint("DELETE", "/workspaces/{workspaceId}/oauthCredentials", not_here),
    Endpoint("POST", "/sources/initiateOAuth", not_here),
)
