"""`/_emulator/…`: what Airbyte has no API for: what happened, what shall go wrong, and what people and the
server do by themselves. Outside Airbyte's paths, never behind a token, never in the way of chaos."""

from __future__ import annotations

from starlette.routing import Route

from reconciler.emulator.calls import route
from reconciler.emulator.control import incidents, log, mischief, objects, outcomes, positions
from reconciler.emulator.instance import Instance
from reconciler.emulator.public import errors

ENDPOINTS = (
    *log.ENDPOINTS,
    *objects.ENDPOINTS,
    *positions.ENDPOINTS,
    *mischief.ENDPOINTS,
    *incidents.ENDPOINTS,
    *outcomes.ENDPOINTS,
)


def routes(instance: Instance) -> list[Route]:
    """To be mounted at `/_emulator`."""
    return [
        *(route(instance, endpoint, errors.refuse) for endpoint in ENDPOINTS),
        Route("/advance", mischief.advance(instance), methods=["POST"]),
    ]
