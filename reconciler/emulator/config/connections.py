"""/connections: written and read as the Configuration API does (CFG §5)."""

from __future__ import annotations

from reconciler.emulator.calls import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = ()
