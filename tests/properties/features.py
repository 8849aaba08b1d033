"""How often each feature occurred in the generated worlds of a run, printed at its end."""

from __future__ import annotations

from collections import Counter

import hypothesis

COUNTS: Counter[str] = Counter()


def event(feature: str) -> None:
    """Counts a feature, for this run and for Hypothesis's own statistics."""
    COUNTS[feature] += 1
    hypothesis.event(feature)
