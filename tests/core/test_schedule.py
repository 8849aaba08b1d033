"""Quartz crons and intervals: what Airbyte takes, and the same in UTC."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import MANUAL, Schedule
from reconciler.core.schedule import (
    canonical_schedule,
    cron_problem,
    equal_utc_cron,
    parse_interval,
    parse_schedule,
)

VALID = [
    "0 0 12 * * ?",
    "0 */5 * * * ?",
    "0 0 0/6 ? * MON-FRI",
    "0 15 10 ? * MON,WED,FRI",
    "0 0 12 L * ?",
    "0 0 12 L-3 * ?",
    "0 0 12 LW * ?",
    "0 0 12 15W * ?",
    "0 0 12 ? * 6L",
    "0 0 12 ? * 6#3",
    "0 0 12 ? JAN-MAR SUN",
    "0 0 12 1 1 ? 2027",
    "0 0 /4 * * ?",
    "30 5,35 8-18/2 ? * 2-6",
]


@pytest.mark.parametrize("cron", VALID)
def test_a_quartz_cron_is_taken(cron: str) -> None:
    assert cron_problem(cron) is None
    assert parse_schedule({"cron": cron}) == Schedule(cron=cron)


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 12 * * *", "has 5 fields"),
        ("", "has 1 fields"),
        ("0 0 0 12 * * ? 2027", "has 8 fields"),
        ("* 0 12 * * ?", "seconds field must be a plain number"),
        ("0/5 0 12 * * ?", "seconds field must be a plain number"),
        ("0 * 12 * * ? 2027", "minutes field must be a plain number"),
        ("0 0 12 * * *", "exactly one"),
        ("0 0 12 ? * ?", "exactly one"),
        ("0 0 24 * * ?", "hours field"),
        ("0 60 1 * * ?", "minutes field"),
        ("99 0 1 * * ?", "seconds field"),
        ("0 0 1 32 * ?", "day of month field"),
        ("0 0 1 1 13 ?", "month field"),
        ("0 0 1 ? * 8", "day of week field"),
        ("0 0 1 ? * FOO", "day of week field"),
        ("0 0 1 * * ? 1969", "year field"),
        ("0 */0 * * * ?", "minutes field"),
        ("0 1,,2 * * * ?", "minutes field"),
        ("0 1- * * * ?", "minutes field"),
        ("0 ² * * * ?", "minutes field"),
        ("٣ 0 1 * * ?", "seconds field"),
        ("0 ? 1 * * ?", "minutes field"),
    ],
)
def test_what_airbyte_would_reject_is_said_before(cron: str, said: str) -> None:
    assert said in str(cron_problem(cron))


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert cron_problem(text) is None or isinstance(cron_problem(text), str)


@given(
    st.lists(
        st.text(alphabet="0123456789*?/,-LW#²٣ MONJAN", min_size=1, max_size=8),
        min_size=6,
        max_size=7,
    )
)
def test_anything_that_looks_like_a_cron_has_an_answer(fields: list[str]) -> None:
    problem = cron_problem(" ".join(fields))
    assert problem is None or problem


@pytest.mark.parametrize("number", ["9" * 5000, "²"])
def test_numbers_that_are_none_are_no_crash(number: str) -> None:
    assert cron_problem(f"0 0 {number} * * ?") is not None
    assert cron_problem(f"0 0 */{number} * * ?") is not None
    assert parse_interval(f"{number} hours") is None


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("6 hours", (6, "hours")),
        ("1 hour", (1, "hours")),
        ("Every 24 HOURS", (24, "hours")),
        (" 2 weeks ", (2, "weeks")),
        ("0 hours", None),
        ("six hours", None),
        ("6", None),
        ("6 seconds", None),
    ],
)
def test_an_interval_is_a_number_and_a_unit(text: str, interval: tuple[int, str] | None) -> None:
    assert parse_interval(text) == interval


@pytest.mark.parametrize(
    ("every", "unit", "cron"),
    [
        (6, "hours", "0 0 */6 * * ?"),
        (15, "minutes", "0 */15 * * * ?"),
        (60, "minutes", "0 0 * * * ?"),
        (24, "hours", "0 0 0 * * ?"),
        (1, "days", "0 0 0 * * ?"),
        (1, "weeks", "0 0 0 ? * SUN"),
        (1, "months", "0 0 0 1 * ?"),
        (7, "hours", None),
        (90, "minutes", None),
        (2, "days", None),
        (45, "minutes", None),
    ],
)
def test_an_interval_has_an_equal_cron_only_where_it_divides_the_next_unit(
    every: int, unit: str, cron: str | None
) -> None:
    assert equal_utc_cron(Schedule(every=every, unit=unit)) == cron
    assert cron is None or cron_problem(cron) is None


@pytest.mark.parametrize(
    ("zone", "equal"), [("UTC", True), ("Etc/UTC", True), ("Asia/Tokyo", False)]
)
def test_a_cron_is_its_own_equal_in_utc_only(zone: str, equal: bool) -> None:
    cron = "0 0 6 * * ?"
    assert equal_utc_cron(Schedule(cron=cron, timezone=zone)) == (cron if equal else None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Schedule(cron="0 0 6 ? * mon"), Schedule(cron="0  0 6 ? *  MON", timezone="Etc/UTC")),
        (Schedule(every=1, unit="hours"), Schedule(every=1, unit="hours", timezone="Asia/Tokyo")),
        (MANUAL, Schedule(timezone="Asia/Tokyo")),
    ],
)
def test_spelling_is_no_difference(one: Schedule, other: Schedule) -> None:
    assert canonical_schedule(one) == canonical_schedule(other)


@pytest.mark.parametrize(
    ("schedule", "form"),
    [
        (MANUAL, "manual"),
        (Schedule(every=1, unit="hours"), {"every": "1 hour"}),
        (Schedule(every=6, unit="hours"), {"every": "6 hours"}),
        (Schedule(cron="0 0 6 * * ?"), {"cron": "0 0 6 * * ?", "timezone": "UTC"}),
    ],
)
def test_a_schedule_reads_back_as_it_is_shown(schedule: Schedule, form: object) -> None:
    assert canonical_schedule(schedule) == form
    assert parse_schedule(form) == schedule


def test_a_time_zone_there_is_not_is_told_with_a_guess() -> None:
    assert parse_schedule({"cron": "0 0 1 * * ?", "timezone": "Europe/Berlinn"}) == (
        "there is no time zone 'Europe/Berlinn': did you mean Europe/Berlin?"
    )
    assert isinstance(
        parse_schedule({"cron": "0 0 1 * * ?", "timezone": "Europe/Berlin"}), Schedule
    )
