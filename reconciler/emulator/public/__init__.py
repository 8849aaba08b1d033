"""The public API (`/public/v1`): translation between its wire and the emulator's rules, nothing more."""

from __future__ import annotations

from starlette.routing import Route

from reconciler.emulator.calls import route
from reconciler.emulator.instance import Instance
from reconciler.emulator.public import (
    access,
    actors,
    connections,
    definitions,
    errors,
    jobs,
    oauth,
    streams,
    tags,
    workspaces,
)

ENDPOINTS = (
    *access.ENDPOINTS,
    *workspaces.ENDPOINTS,
    *oauth.ENDPOINTS,
    *definitions.ENDPOINTS,
    *actors.ENDPOINTS,
    *connections.ENDPOINTS,
    *streams.ENDPOINTS,
    *jobs.ENDPOINTS,
)


def routes(instance: Instance) -> list[Route]:
    """To be mounted at `/api/public/v1`."""
    known = [*ENDPOINTS, *(tags.ENDPOINTS if instance.generation.tags else ())]
    return [route(instance, endpoint, errors.refuse) for endpoint in known]
