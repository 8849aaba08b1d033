"""Airbyte's APIs behind one Protocol: the registry, and how a target's API is found."""

from reconciler.backends.detection import for_one_run, leaves_open, stated_api
from reconciler.backends.protocol import Backend
from reconciler.backends.registry import BACKENDS, connect

__all__ = ["BACKENDS", "Backend", "connect", "for_one_run", "leaves_open", "stated_api"]
