"""The embedded Airbyte as one ASGI application, mounted as on a self-managed server."""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp

from reconciler.emulator import config, control, public
from reconciler.emulator.config.errors import no_such_route
from reconciler.emulator.connectors import connectors
from reconciler.emulator.gateway import Gateway
from reconciler.emulator.instance import open_instance
from reconciler.emulator.problems import framework_body
from reconciler.emulator.settings import Settings
from reconciler.emulator.turbulence import Turbulence

__all__ = ["close", "connectors", "create_app"]


PUBLIC: Final = "/api/public/v1"
CONFIG: Final = "/api/v1"
_NOT_FOUND: Final = 404
_LOCAL_PAGES: Final = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
"""Which web pages may read answers. The real server says all; this one guards data of a development
machine by nothing but its loopback."""


class _Application(Starlette):
    """With turbulence outside of everything: the framework's own answer to an error must not hide it."""

    def build_middleware_stack(self) -> ASGIApp:
        instance = self.state.instance
        return Turbulence(instance, Gateway(instance, super().build_middleware_stack()))


def create_app(settings: Settings) -> Starlette:
    """Opens the store at once; `close` closes it.

    Raises ReconcilerError where the folder of connectors can't be read.
    """
    instance = open_instance(settings)
    mounts = [
        Mount(CONFIG, routes=config.routes(instance)),
        Mount("/_emulator", routes=control.routes(instance)),
    ]
    if settings.generation.public_api:
        mounts.insert(0, Mount(PUBLIC, routes=public.routes(instance)))
    app = _Application(
        routes=mounts,
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origin_regex=_LOCAL_PAGES,
                allow_methods=["*"],
                allow_headers=["*"],
            )
        ],
        exception_handlers={HTTPException: _no_such_route},
    )
    app.state.instance = instance
    return app


def close(app: Starlette) -> None:
    """Closes the store of an application that will not be asked again."""
    app.state.instance.store.close()


async def _no_such_route(request: Request, error: Exception) -> Response:
    """404 and 405 in the framework's own form (PUB §8, form 4), or the one bare sentence of the
    Configuration API's 404 (CFG §8), which a server without the public API answers to that too."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    public_api = request.app.state.instance.generation.public_api
    below_public = public_api and request.url.path.startswith(f"{PUBLIC}/")
    if status == _NOT_FOUND and request.url.path.startswith("/api/") and not below_public:
        return no_such_route()
    detail = error.detail if isinstance(error, HTTPException) else "Internal Server Error"
    return JSONResponse(framework_body(detail), status_code=status)
