"""Quartz crons and intervals: what Airbyte takes, and the same in UTC."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import MANUAL, Schedule
from reconciler.core.schedule import (
    canonical_cron,
    canonical_schedule,
    canonical_timezone,
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


FIELDS = {
    "minutes": "0 {} 12 * * ?",
    "hours": "0 0 {} * * ?",
    "day of month": "0 0 12 {} * ?",
    "month": "0 0 12 ? {} MON",
    "day of week": "0 0 12 ? * {}",
    "year": "0 0 12 * * ? {}",
}
"""Each with a hole for the one field that is asked about."""

TAKEN = {
    "minutes": "* 0 59 00 5,35 0-59 50-10 */1 */59 0/15 /15 10-50/20 0,10-20,*/30",
    "hours": "* 0 23 007 1,2,3 8-18 20-8 */1 */23 0/6 /6 8-18/2 0-4,20-23/2",
    "day of month": "* 1 31 1,15,31 1-31 25-5 */1 */31 1/10 /10 1-15/2 L LW L-1 L-30 L-3W 1W 31W 15W,31",
    "month": "* 1 12 JAN DEC 1,JUN NOV-FEB 11-2 3-MAY */1 */12 1/3 /3 JAN-JUN/2",
    "day of week": "* 1 7 SUN SAT MON-FRI FRI-MON 2-6 SUN,3 */1 */7 2/2 MON/2 L 1L 7L FRIL 1#1 7#5 FRI#3 "
    "MON,FRI#2",
    "year": "* 1970 2099 2027,2030 2027-2030 2027-2027 */2 2027/5 /5 2027-2035/2",
}

REFUSED = {
    "minutes": "60 -1 1- - / */ */0 */60 0/61 0/x 1/2/3 1-2-3 1,, ,1 *-5 5-* ** *5 0-60 60-0 1.5 +1 x MON L "
    "5W 1#1 00005 ? ?,1 */-1",
    "hours": "24 -1 1- - / */ */0 */24 0/25 0/x 1/2/3 1-2-3 1,, ,1 *-5 5-* ** 0-24 24-0 x MON L 5W 1#1 ?",
    "day of month": "0 32 0-5 1-32 */0 */32 1/32 0W 32W 99W W WL 1W-5 5-10W L-31 L-99 L-100 L- L-x L/2 5L "
    "15WL LW-3 L,15 1,LW 1W,L 1#1 JAN MON ?,1 1,? ??",
    "month": "0 13 0-5 1-13 */0 */13 1/13 FOO MON JAN-FOO FOO-JAN JANUARY L 1L 5W 1#1 ? JAN-",
    "day of week": "0 8 0-5 1-8 */0 */8 1/8 FOO JAN MON-FOO MONDAY 0L 8L FOOL LL L-3 L/2 LW 5W 0#1 8#1 FOO#1 "
    "1#0 1#6 1#10 1# #1 1#1#2 1#1,2#1 MON,L L,MON 2L,3 2,6L 1#1,6L ?,1 ??",
    "year": "1969 2100 1969-2000 2000-2100 2030-2029 2030-2020/2 */0 L JAN ? 20270 */2100",
}


@pytest.mark.parametrize(
    ("field", "text"), [(field, text) for field, all_ in TAKEN.items() for text in all_.split()]
)
def test_what_a_field_may_hold(field: str, text: str) -> None:
    assert cron_problem(FIELDS[field].format(text)) is None
    assert cron_problem(FIELDS[field].format(text.lower())) is None


@pytest.mark.parametrize(
    ("field", "text"), [(field, text) for field, all_ in REFUSED.items() for text in all_.split()]
)
def test_what_a_field_may_not_hold(field: str, text: str) -> None:
    cron = FIELDS[field].format(text)
    assert str(cron_problem(cron)).startswith(f"the {field} field is not valid Quartz (allowed: ")
    assert parse_schedule({"cron": cron}) == cron_problem(cron)


@pytest.mark.parametrize(
    ("field", "allowed"),
    [
        ("minutes", "0-59"),
        ("hours", "0-23"),
        ("day of month", "1-31"),
        ("month", "1-12"),
        ("day of week", "1-7"),
        ("year", "1970-2099"),
    ],
)
def test_a_refusal_says_what_is_allowed(field: str, allowed: str) -> None:
    assert cron_problem(FIELDS[field].format("9999")) == (
        f"the {field} field is not valid Quartz (allowed: {allowed}, lists, ranges, steps)"
    )


def test_the_first_field_that_is_wrong_is_told() -> None:
    assert "seconds field is not" in str(cron_problem("60 60 24 32 13 ?"))
    assert "minutes field is not" in str(cron_problem("0 60 24 32 13 ?"))
    assert "month field is not" in str(cron_problem("0 0 0 1 13 ? 1000"))


@pytest.mark.parametrize(
    "month", ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
)
def test_months_have_names(month: str) -> None:
    assert cron_problem(f"0 0 12 1 {month} ?") is None


@pytest.mark.parametrize("day", ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])
def test_days_have_names(day: str) -> None:
    assert cron_problem(f"0 0 12 ? * {day}") is None


def test_with_a_year_the_minutes_are_one_number() -> None:
    said = "with a year field, the minutes field must be a plain number"
    for minutes in ("*", "0,30", "0-5", "0/15"):
        assert cron_problem(f"0 {minutes} 12 * * ? 2027") == said
        assert cron_problem(f"0 {minutes} 12 * * ?") is None
    assert cron_problem("0 30 12 * * ? *") is None


@pytest.mark.parametrize("spaces", [" ", "  ", "\t", "\n"])
def test_fields_are_told_apart_by_any_space(spaces: str) -> None:
    cron = f"{spaces}0 0{spaces}12 ? *{spaces}mon-Fri{spaces}"
    assert cron_problem(cron) is None
    assert canonical_cron(cron) == "0 0 12 ? * MON-FRI"


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
        ("1 minute", (1, "minutes")),
        ("45 minutes", (45, "minutes")),
        ("every 1 day", (1, "days")),
        ("3 months", (3, "months")),
        ("1 Week", (1, "weeks")),
        ("06 hours", (6, "hours")),
        ("999999 days", (999999, "days")),
        ("1000000 days", None),
        ("-6 hours", None),
        ("1.5 hours", None),
        ("6hours", None),
        ("6  hours", None),
        ("6 hourss", None),
        ("6 hours later", None),
        ("about 6 hours", None),
        ("every every 6 hours", None),
        ("every", None),
        ("", None),
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
        (1, "minutes", "0 */1 * * * ?"),
        (30, "minutes", "0 */30 * * * ?"),
        (120, "minutes", "0 0 */2 * * ?"),
        (1440, "minutes", "0 0 0 * * ?"),
        (1, "hours", "0 0 * * * ?"),
        (2, "hours", "0 0 */2 * * ?"),
        (12, "hours", "0 0 */12 * * ?"),
        (36, "hours", None),
        (7, "days", "0 0 0 ? * SUN"),
        (168, "hours", "0 0 0 ? * SUN"),
        (14, "days", None),
        (2, "weeks", None),
        (30, "days", None),
        (2, "months", None),
    ],
)
def test_an_interval_has_an_equal_cron_only_where_it_divides_the_next_unit(
    every: int, unit: str, cron: str | None
) -> None:
    assert equal_utc_cron(Schedule(every=every, unit=unit)) == cron
    assert cron is None or cron_problem(cron) is None


def test_the_manual_schedule_has_no_equal_cron() -> None:
    assert equal_utc_cron(MANUAL) is None


@pytest.mark.parametrize(
    ("zone", "equal"),
    [
        ("UTC", True),
        ("gmt", True),
        ("Europe/London", False),
        ("Etc/UTC", True),
        ("Asia/Tokyo", False),
    ],
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
        (Schedule(every=60, unit="minutes"), Schedule(every=1, unit="hours")),
        (Schedule(every=24, unit="hours"), Schedule(every=1, unit="days")),
        (Schedule(every=1440, unit="minutes"), Schedule(every=1, unit="days")),
        (Schedule(every=2, unit="weeks"), Schedule(every=14, unit="days")),
        (Schedule(every=168, unit="hours"), Schedule(every=1, unit="weeks")),
    ],
)
def test_spelling_is_no_difference(one: Schedule, other: Schedule) -> None:
    assert canonical_schedule(one) == canonical_schedule(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (MANUAL, Schedule(every=1, unit="hours")),
        (Schedule(every=90, unit="minutes"), Schedule(every=1, unit="hours")),
        (Schedule(every=25, unit="hours"), Schedule(every=1, unit="days")),
        (Schedule(every=1, unit="months"), Schedule(every=30, unit="days")),
        (Schedule(every=1, unit="days"), Schedule(cron="0 0 0 * * ?")),
        (Schedule(cron="0 0 6 * * ?"), Schedule(cron="0 0 6 * * ?", timezone="Asia/Tokyo")),
        (Schedule(cron="0 0 6 * * ?"), Schedule(cron="0 0 7 * * ?")),
    ],
)
def test_what_runs_otherwise_is_a_difference(one: Schedule, other: Schedule) -> None:
    assert canonical_schedule(one) != canonical_schedule(other)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        *((name, "UTC") for name in ("UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z", "UCT", "Zulu")),
        ("universal", "UTC"),
        ("utc", "UTC"),
        ("Etc/GMT+1", "Etc/GMT+1"),
        ("Europe/London", "Europe/London"),
        ("asia/tokyo", "asia/tokyo"),
    ],
)
def test_utc_has_many_names(name: str, canonical: str) -> None:
    assert canonical_timezone(name) == canonical


@pytest.mark.parametrize(
    ("schedule", "form"),
    [
        (MANUAL, "manual"),
        (Schedule(every=1, unit="hours"), {"every": "1 hour"}),
        (Schedule(every=6, unit="hours"), {"every": "6 hours"}),
        (Schedule(every=1, unit="days"), {"every": "1 day"}),
        (Schedule(every=1, unit="minutes"), {"every": "1 minute"}),
        (Schedule(every=90, unit="minutes"), {"every": "90 minutes"}),
        (Schedule(every=2, unit="months"), {"every": "2 months"}),
        (
            Schedule(cron="0 0 6 * * ?", timezone="Asia/Tokyo"),
            {"cron": "0 0 6 * * ?", "timezone": "Asia/Tokyo"},
        ),
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


def test_a_time_zone_that_is_like_no_other_is_told_without_a_guess() -> None:
    assert parse_schedule({"cron": "0 0 1 * * ?", "timezone": "1234567890"}) == (
        "there is no time zone '1234567890'"
    )


@pytest.mark.parametrize("zone", ["UTC", "z", "zulu", "Etc/UTC", "Asia/Tokyo", "US/Pacific"])
def test_a_time_zone_there_is_stays_as_it_is_written(zone: str) -> None:
    found = parse_schedule({"cron": "0 0 1 * * ?", "timezone": zone})
    assert found == Schedule(cron="0 0 1 * * ?", timezone=zone)


def test_of_cron_and_time_zone_the_cron_is_told_first() -> None:
    found = parse_schedule({"cron": "0 0 1 * *", "timezone": "Mars/Olympus"})
    assert "has 5 fields" in str(found)


def test_a_cron_without_a_time_zone_is_in_utc() -> None:
    assert parse_schedule({"cron": "0 0 1 * * ?"}) == Schedule(cron="0 0 1 * * ?", timezone="UTC")


def test_an_interval_that_is_none_is_told_with_what_one_is() -> None:
    assert parse_schedule({"every": "often"}) == (
        "an interval is a number and a unit, e.g. 6 hours (minutes, hours, days, weeks, months)"
    )


def test_cron_and_interval_are_kept_as_git_writes_them() -> None:
    assert parse_schedule({"cron": "0 0  1 ? * mon"}) == Schedule(cron="0 0  1 ? * mon")
    assert parse_schedule({"every": "1 week"}) == Schedule(every=1, unit="weeks")
    assert parse_schedule({"every": "60 minutes"}) == Schedule(every=60, unit="minutes")
