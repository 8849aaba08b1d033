"""Which cron expressions Quartz reads, and when they fire (PUB §4.2)."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest

from reconciler.emulator import cron_times
from reconciler.emulator.problems import Problem
from reconciler.emulator.schedules import cron
from tests.emulator.builders import Start

# a Thursday
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

READ = [
    "0 0 12 * * ?",
    "0 0/15 * * * ?",
    "0 /5 * * * ?",
    "0 0 8-18/2 ? * MON-FRI",
    "0 0 6 ? * 2#1",
    "0 0 6 ? * FRIL",
    "0 0 6 L * ?",
    "0 0 6 L-3 * ?",
    "0 0 6 L-03 * ?",
    "0 0 6 08W * ?",
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
    "0 0 6 L-31 * ?",
    "0 0 6 00W * ?",
    "0 0 6 ? * MON,L",
    "0 0 6 ? * 6L,MON",
    "0 0 6 L,15 * ?",
    "0 0 6 1,LW * ?",
    "0 0 6 ? * MON#1,TUE#1",
    "0 0 6 1 * ? 2030-2026",
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


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 12 * * ?", ["2026-01-02T12:00", "2026-01-03T12:00"]),
        ("0 0/15 * * * ?", ["2026-01-01T12:15", "2026-01-01T12:30"]),
        ("0 0 22-2/2 * * ?", ["2026-01-01T22:00", "2026-01-02T00:00"]),
        ("0 0 6 ? * MON-FRI", ["2026-01-02T06:00", "2026-01-05T06:00"]),
        ("0 0 6 ? * 2#1", ["2026-01-05T06:00", "2026-02-02T06:00"]),
        ("0 0 6 ? * FRIL", ["2026-01-30T06:00", "2026-02-27T06:00"]),
        ("0 0 6 ? * L", ["2026-01-03T06:00", "2026-01-10T06:00"]),
        ("0 0 6 L * ?", ["2026-01-31T06:00", "2026-02-28T06:00"]),
        ("0 0 6 L-3 * ?", ["2026-01-28T06:00", "2026-02-25T06:00"]),
        ("0 0 6 LW * ?", ["2026-01-30T06:00", "2026-02-27T06:00"]),
        ("0 0 6 LW MAY ?", ["2026-05-29T06:00", "2027-05-31T06:00"]),
        ("0 0 6 L-30 * ?", ["2026-03-01T06:00", "2026-05-01T06:00"]),
        ("0 0 6 1W FEB,MAR ?", ["2026-02-02T06:00", "2026-03-02T06:00"]),
        ("0 0 6 29 2 ?", ["2028-02-29T06:00", "2032-02-29T06:00"]),
        ("0 0 6 1 1 ? 2027-2030", ["2027-01-01T06:00", "2028-01-01T06:00"]),
        ("0 0 6 1 1 ? 2020", []),
    ],
)
def test_fires_at(expression: str, expected: list[str]):
    times = islice(cron_times.after(expression, NOW), 2)
    assert [time.strftime("%Y-%m-%dT%H:%M") for time in times] == expected


@pytest.mark.parametrize(
    ("expression", "status"),
    [("0 0/30 * * * ?", 400), ("0 0,59 6 * * ?", 400), ("0 0 * * * ?", 200)],
)
def test_a_server_may_refuse_more_than_one_run_an_hour(start: Start, expression: str, status: int):
    airbyte = start(sub_hourly=False)
    made = airbyte.connection()
    schedule = {"scheduleType": "cron", "cronExpression": expression}
    answer = airbyte.change(made, schedule=schedule)
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["type"] == "error:cron-validation/under-one-hour-not-allowed"
        assert answer.json()["data"]["cronExpression"] == expression


def test_a_server_allows_any_run_a_minute_apart_unless_told_otherwise(start: Start):
    airbyte = start()
    schedule = {"scheduleType": "cron", "cronExpression": "0 * * * * ?"}
    assert airbyte.change(airbyte.connection(), schedule=schedule).status_code == 200
