"""What one of Airbyte's APIs can do. Knows neither API; each backend states its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

API_NAMES: Final[Mapping[str, str]] = {"public": "public API", "config": "Configuration API"}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an API can do, so that a plan can say it before anything is written. `operations` are those of
    core.jobs.Operation; `serves_specs`: it can be asked for a connector's specification."""

    api: str
    writes_interval_schedules: bool = False
    writes_time_zones: bool = False
    serves_specs: bool = False
    operations: frozenset[str] = frozenset()
