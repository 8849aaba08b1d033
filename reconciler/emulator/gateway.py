"""The proxy that stood before the servers of the docker-compose era: HTTP Basic, and a page for a 401
(CFG §1). Knows nothing of either API."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.emulator import tokens
from reconciler.emulator.calls import ADMITTED
from reconciler.emulator.instance import Instance

_PAGE: Final = (
    "<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body>\r\n"
    "<center><h1>401 Authorization Required</h1></center>\r\n<hr><center>nginx</center>\r\n"
    "</body>\r\n</html>\r\n"
)


class Gateway:
    """Lets nothing through to Airbyte's paths without the password, health included."""

    def __init__(self, instance: Instance, app: ASGIApp) -> None:
        self._instance = instance
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._passes(scope):
            await self._app(scope, receive, send)
            return
        realm = {"WWW-Authenticate": 'Basic realm="Welcome to Airbyte"'}
        await HTMLResponse(_PAGE, status_code=401, headers=realm)(scope, receive, send)

    def _passes(self, scope: Scope) -> bool:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            return True
        if self._instance.generation.tokens or scope.get(ADMITTED):
            return True
        return tokens.admits(self._instance, Headers(scope=scope).get("authorization", ""))
