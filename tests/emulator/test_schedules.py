"""Which cron expressions Quartz reads (PUB §4.2)."""

from __future__ import annotations

import pytest

from reconciler.emulator.problems import Problem
from reconciler.emulator.schedules import cron

READ = [
    "0 0 12 * * ?",
    "0 0/15 * * * ?",
    "0 /5 * * * ?",
    "0 0 8-18/2 ? * MON-FRI",
    "0 0 6 ? * 2#1",
    "0 0 6 ? * FRIL",
    "0 0 6 L * ?",
    "0 0 6 L-3 * ?",
    "0 0 6 LW * ?",
    "0 0 6 15W JAN,jul ?",
    "0 30 6 1,15 * ? 2030",
    "0 0 6 1 * ? 2026-2030",
    "0 0 22-2 * * ?",
]
NOT_READ = [
    "0 99 * * * ?",
    "0 0 24 * * ?",
    "60 0 12 * * ?",
    "0 0 12 * * *",
    "0 0 12 ? * ?",
    "0 0 12 1 * 1",
    "0 0 12 32 * ?",
    "0 0 12 0 * ?",
    "0 0 12 ? * 8",
    "0 0 12 ? 13 1",
    "0 0 12 ? FEBR 1",
    "0 0 ? * * ?",
    "0 0 12 * * ? 1969",
    "0 0 */0 * * ?",
    "0 0 1- * * ?",
]


@pytest.mark.parametrize("expression", READ)
def test_is_read(expression: str):
    assert cron(expression)["expression"] == expression


@pytest.mark.parametrize("expression", NOT_READ)
def test_is_refused_with_the_expression(expression: str):
    with pytest.raises(Problem) as refused:
        cron(expression)
    assert refused.value.kind == "cron-invalid-expression"
    assert refused.value.data["cronExpression"] == expression
