"""How many worlds the laws see, and how often each feature occurred in them, printed at a run's end."""

from __future__ import annotations

from collections import Counter

import hypothesis
from hypothesis import HealthCheck, settings

_FEW = 100
_EXAMPLES = settings().max_examples
LAWS = settings(
    deadline=None,
    max_examples=_EXAMPLES if _EXAMPLES > _FEW else _EXAMPLES // 2,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""As many worlds as the profile says (tests/conftest.py); of a profile with few examples half as many, for
each world is a whole Airbyte, and all laws together shall take a minute."""

COUNTS: Counter[str] = Counter()


def event(feature: str) -> None:
    """Counts a feature, for this run and for Hypothesis's own statistics."""
    COUNTS[feature] += 1
    hypothesis.event(feature)
