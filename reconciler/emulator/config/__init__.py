"""The Configuration API (`/api/v1`): translation between its wire and the emulator's rules, nothing more."""

from __future__ import annotations

from starlette.routing import Route

from reconciler.emulator.calls import route
from reconciler.emulator.config import (
    access,
    actor_lists,
    actors,
    check,
    connection_lists,
    connections,
    definitions,
    discovery,
    errors,
    jobs,
    operations,
    state,
    tags,
    web_backend,
    web_backend_list,
    workspaces,
)
from reconciler.emulator.instance import Instance

ENDPOINTS = (
    *access.ENDPOINTS,
    *workspaces.ENDPOINTS,
    *definitions.ENDPOINTS,
    *actors.ENDPOINTS,
    *actor_lists.ENDPOINTS,
    *check.ENDPOINTS,
    *discovery.ENDPOINTS,
    *tags.ENDPOINTS,
    *connections.ENDPOINTS,
    *connection_lists.ENDPOINTS,
    *operations.ENDPOINTS,
    *jobs.ENDPOINTS,
    *state.ENDPOINTS,
    *web_backend.ENDPOINTS,
    *web_backend_list.ENDPOINTS,
)

_SERVED_FOR_DOCUMENTS = frozenset({"/workspaces/list"})
"""What lenient serves in every generation, because hand-written clients begin with it (CFG §12)."""


def routes(instance: Instance) -> list[Route]:
    """Those this generation has; to be mounted at `/api/v1`."""
    return [
        route(instance, endpoint, errors.refuse)
        for endpoint in ENDPOINTS
        if instance.generation.serves(endpoint.path)
        or (instance.lenient and endpoint.path in _SERVED_FOR_DOCUMENTS)
    ]
