"""/jobs: asked for, read and cancelled as the Configuration API does (CFG §7)."""

from __future__ import annotations

from reconciler.emulator.calls import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = ()
