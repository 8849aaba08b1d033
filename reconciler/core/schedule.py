"""Quartz cron and intervals: what may be written, and the equal UTC cron of an interval.

Offline and exact about form; it does not compute when a schedule fires.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from reconciler.core.connector import closest
from reconciler.core.model import MANUAL, Json, Schedule

_FIELDS: Final = ("seconds", "minutes", "hours", "day of month", "month", "day of week", "year")
_RANGES: Final = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2099))
_MONTHS: Final = dict(
    zip(
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
        range(1, 13),
        strict=True,
    )
)
_DAYS: Final = dict(
    zip(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], range(1, 8), strict=True)
)
_UTC_NAMES: Final = frozenset({"UTC", "ETC/UTC", "GMT", "ETC/GMT", "Z", "UCT", "ZULU", "UNIVERSAL"})
_INTERVAL = re.compile(r"(?:every )?([0-9]{1,6}) (minute|hour|day|week|month)s?", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,4}")
_LAST_OR_WEEKDAY = re.compile(r"L(-(?P<offset>[0-9]{1,2}))?W?|(?P<day>[0-9]{1,2})W")

DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR = 3, 4, 5, 6

_UTC_CRON: Final[dict[tuple[int, str], str]] = {
    **{(n, "minutes"): f"0 */{n} * * * ?" for n in range(1, 60) if 60 % n == 0},
    **{(n, "hours"): f"0 0 */{n} * * ?" for n in range(2, 24) if 24 % n == 0},
    (1, "hours"): "0 0 * * * ?",
    (1, "days"): "0 0 0 * * ?",
    (7, "days"): "0 0 0 ? * SUN",
    (1, "months"): "0 0 0 1 * ?",
}
"""Intervals that a cron expresses exactly, in their largest unit: those that divide the next larger one."""


def parse_interval(text: str) -> tuple[int, str] | None:
    """`6 hours` → (6, "hours"); None where it is no interval."""
    match = _INTERVAL.fullmatch(text.strip())
    if match is None or int(match[1]) < 1:
        return None
    return int(match[1]), f"{match[2].lower()}s"


def canonical_timezone(name: str) -> str:
    return "UTC" if name.upper() in _UTC_NAMES else name


@cache
def _timezones() -> frozenset[str]:
    """The names of the IANA database; empty where this machine has none, and then none is checked."""
    return frozenset(available_timezones())


def _timezone_problem(name: str) -> str | None:
    known = _timezones()
    if not known or name in known or canonical_timezone(name) == "UTC":
        return None
    guess = closest(name, known)
    return f"there is no time zone {name!r}" + (f": did you mean {guess}?" if guess else "")


def canonical_cron(expression: str) -> str:
    """Case and spacing carry no meaning in Quartz."""
    return " ".join(expression.upper().split())


def canonical_schedule(schedule: Schedule) -> Json:
    """The form the manifests use: `manual`, {cron, timezone} or {every: "6 hours"}."""
    if schedule.cron is not None:
        return {
            "cron": canonical_cron(schedule.cron),
            "timezone": canonical_timezone(schedule.timezone),
        }
    if schedule.every is not None:
        count, unit = _canonical_interval(schedule.every, str(schedule.unit))
        return {"every": f"{count} {unit.removesuffix('s') if count == 1 else unit}"}
    return "manual"


def _canonical_interval(count: int, unit: str) -> tuple[int, str]:
    """In the largest of minutes, hours and days that measures it: 24 hours are a day. A month is no number
    of days."""
    if unit == "weeks":
        count, unit = count * 7, "days"
    for smaller, times, larger in (("minutes", 60, "hours"), ("hours", 24, "days")):
        if unit == smaller and count % times == 0:
            count, unit = count // times, larger
    return count, unit


def equal_utc_cron(schedule: Schedule) -> str | None:
    """A cron in UTC that runs as often as the schedule, or None where there is no exact one."""
    if schedule.cron is not None:
        return schedule.cron if canonical_timezone(schedule.timezone) == "UTC" else None
    return _UTC_CRON.get(_canonical_interval(schedule.every or 0, schedule.unit or ""))


def cron_problem(expression: str) -> str | None:
    """What Airbyte would reject in a cron expression, in one line; None where nothing (PUB §4.2)."""
    fields = canonical_cron(expression).split(" ")
    if len(fields) not in (6, 7):
        return (
            f"the cron expression has {len(fields)} fields; Airbyte uses Quartz with 6 or 7 "
            "(seconds first, ? for the day that is not used)"
        )
    if not _NUMBER.fullmatch(fields[0]):
        return "the seconds field must be a plain number: more than one run a minute is refused"
    if len(fields) == 7 and not _NUMBER.fullmatch(fields[1]):
        return "with a year field, the minutes field must be a plain number"
    if (fields[DAY_OF_MONTH] == "?") == (fields[DAY_OF_WEEK] == "?"):
        return "exactly one of day of month and day of week must be ?"
    for index, field in enumerate(fields):
        if not _field_is_valid(index, field):
            low, high = _RANGES[index]
            return (
                f"the {_FIELDS[index]} field is not valid Quartz "
                f"(allowed: {low}-{high}, lists, ranges, steps)"
            )
    return None


def _field_is_valid(index: int, field: str) -> bool:
    if field == "?":
        return index in (DAY_OF_MONTH, DAY_OF_WEEK)
    if index in (DAY_OF_MONTH, DAY_OF_WEEK) and "L" in field and "," in field:
        return False  # Quartz knows no list with a last one
    if index == DAY_OF_WEEK and field.count("#") > 1:
        return False  # and one nth day
    return all(_part_is_valid(index, part) for part in field.split(","))


def _part_is_valid(index: int, part: str) -> bool:
    if index == DAY_OF_MONTH and (match := _LAST_OR_WEEKDAY.fullmatch(part)):
        return int(match["offset"] or 0) <= 30 and 1 <= int(match["day"] or 1) <= 31
    if index == DAY_OF_WEEK and part == "L":
        return True
    if index == DAY_OF_WEEK and (match := re.fullmatch(r"(\w+)(?:L|#([1-5]))", part)):
        return _number(index, match[1]) is not None
    base, slash, step = part.partition("/")
    if slash and not (_NUMBER.fullmatch(step) and 0 < int(step) <= _RANGES[index][1]):
        return False
    if base == "*" or (slash and base == ""):
        return True
    return _range_is_valid(index, base)


def _range_is_valid(index: int, text: str) -> bool:
    """Also backwards, over midnight or the end of a week; but years do not come again."""
    first, dash, last = text.partition("-")
    low = _number(index, first)
    high = _number(index, last) if dash else low
    if low is None or high is None:
        return False
    return index != YEAR or low <= high


def _number(index: int, text: str) -> int | None:
    names = _MONTHS if index == MONTH else _DAYS if index == DAY_OF_WEEK else {}
    number = names.get(text, int(text) if _NUMBER.fullmatch(text) else -1)
    low, high = _RANGES[index]
    return number if low <= number <= high else None


def parse_schedule(data: Json) -> Schedule | str:
    """Reads the manifests' form; a str is what is wrong with it."""
    if data == "manual":
        return MANUAL
    if "cron" in data:
        timezone = data.get("timezone", "UTC")
        problem = cron_problem(data["cron"]) or _timezone_problem(timezone)
        return problem or Schedule(cron=data["cron"], timezone=timezone)
    interval = parse_interval(data["every"])
    if interval is None:
        return (
            "an interval is a number and a unit, e.g. 6 hours (minutes, hours, days, weeks, months)"
        )
    return Schedule(every=interval[0], unit=interval[1])
