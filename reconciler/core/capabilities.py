"""What one of Airbyte's APIs can do, on the server in use. Knows neither API; each backend states its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

API_NAMES: Final[Mapping[str, str]] = {"public": "public API", "config": "Configuration API"}


Feature: TypeAlias = Literal["mappers", "propagation", "tags"]
"""What manifests may state and older servers have not, whichever API they are asked by (CFG §0)."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an API can do, so that a plan can say it before anything is written. `operations` are those of
    core.jobs.Operation; `serves_specs`: it can be asked for a connector's specification; `lacks`: what
    the server in use was seen not to have, known once its workspace was read."""

    api: str
    writes_interval_schedules: bool = False
    writes_time_zones: bool = False
    serves_specs: bool = False
    operations: frozenset[str] = frozenset()
    lacks: frozenset[Feature] = frozenset()
