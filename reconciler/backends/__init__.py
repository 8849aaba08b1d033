"""Airbyte's APIs behind one Protocol: the registry, and how a target's API is found."""

from reconciler.backends.connect import BACKENDS, connect
from reconciler.backends.protocol import Backend

__all__ = ["BACKENDS", "Backend", "connect"]
