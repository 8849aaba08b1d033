"""How many worlds the laws see. Only tests import this: no profile is chosen before they are collected."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_FEW = 100
_EXAMPLES = settings().max_examples

LAWS = settings(
    deadline=None,
    max_examples=_EXAMPLES if _EXAMPLES > _FEW else _EXAMPLES // 2,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""As many as the profile says (tests/conftest.py); of a profile with few examples half as many, for each
world is a whole Airbyte, and all laws together shall take a minute."""
