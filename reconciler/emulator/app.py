"""The embedded Airbyte as one ASGI application, mounted as on a self-managed server."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from reconciler.emulator import control, public
from reconciler.emulator.connectors import connectors
from reconciler.emulator.instance import open_instance
from reconciler.emulator.problems import framework_body
from reconciler.emulator.settings import Settings
from reconciler.emulator.turbulence import Turbulence

__all__ = ["close", "connectors", "create_app"]


class _Application(Starlette):
    """With turbulence outside of everything: the framework's own answer to an error must not hide it."""

    def build_middleware_stack(self) -> ASGIApp:
        return Turbulence(self.state.instance, super().build_middleware_stack())


def create_app(settings: Settings) -> Starlette:
    """Opens the store at once; `close` closes it.

    Raises ReconcilerError where the folder of connectors can't be read.
    """
    instance = open_instance(settings)
    app = _Application(
        routes=[
            Mount("/api/public/v1", routes=public.routes(instance)),
            Route("/api/v1/health", _health, methods=["GET"]),
            Mount("/_emulator", routes=control.routes(instance)),
        ],
        exception_handlers={HTTPException: _no_such_route},
    )
    app.state.instance = instance
    return app


def close(app: Starlette) -> None:
    """Closes the store of an application that will not be asked again."""
    app.state.instance.store.close()


async def _health(_request: Request) -> Response:
    return JSONResponse({"available": True})


async def _no_such_route(_request: Request, error: Exception) -> Response:
    """404 and 405 in the framework's own form (PUB §8, form 4)."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "Internal Server Error"
    return JSONResponse(framework_body(detail), status_code=status)
