"""When a Quartz cron fires, in UTC. The expression has been checked before (schedules.py)."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

_NAMES: Final = {
    **{name.upper(): number for number, name in enumerate(calendar.month_abbr) if name},
    **{
        name: number
        for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)
    },
}
_SATURDAY: Final = 7
_HORIZON: Final = timedelta(days=366 * 9)
"""Far enough for every 29 February, also across a century."""


def after(expression: str, moment: datetime) -> Iterator[datetime]:
    """Every time after the moment, up to some years ahead."""
    second, minute, hour, day_of_month, month, day_of_week, *year = expression.upper().split()
    times = [
        (h, m, s)
        for h in _numbers(hour, 0, 23)
        for m in _numbers(minute, 0, 59)
        for s in _numbers(second, 0, 59)
    ]
    months = set(_numbers(month, 1, 12))
    years = set(_numbers(year[0], 1970, 2199)) if year else None
    day = moment.date()
    while day <= moment.date() + _HORIZON:
        in_season = day.month in months and (years is None or day.year in years)
        if in_season and _is_on(day, day_of_month, day_of_week):
            for h, m, s in times:
                fires = datetime(day.year, day.month, day.day, h, m, s, tzinfo=UTC)
                if fires > moment:
                    yield fires
        day += timedelta(days=1)


def _numbers(field: str, low: int, high: int) -> list[int]:
    return sorted({n for element in field.split(",") for n in _element(element, low, high)})


def _element(element: str, low: int, high: int) -> Sequence[int]:
    base, slash, step = element.partition("/")
    if base in ("", "*"):
        first, last = low, high
    else:
        start, dash, end = base.partition("-")
        first = _number(start)
        last = _number(end) if dash else (high if slash else first)
    every = int(step) if slash else 1
    if last >= first:
        return range(first, last + 1, every)
    # Quartz lets a range run over the end: 22-2 are the hours around midnight.
    around = range(first, last + (high - low + 1) + 1, every)
    return [(n - low) % (high - low + 1) + low for n in around]


def _number(text: str) -> int:
    return _NAMES[text] if text in _NAMES else int(text)


# --- Days ------------------------------------------------------------------------------------


def _is_on(day: date, day_of_month: str, day_of_week: str) -> bool:
    if day_of_week == "?":
        return any(_is_day_of_month(day, element) for element in day_of_month.split(","))
    return any(_is_day_of_week(day, element) for element in day_of_week.split(","))


def _is_day_of_month(day: date, element: str) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if element.startswith("L") or element.endswith("W"):
        back = element.removeprefix("L").removesuffix("W")
        wanted = last + int(back or 0) if element.startswith("L") else min(int(back), last)
        if wanted < 1:
            return False
        target = day.replace(day=wanted)
        return day == (_nearest_weekday(target, last) if element.endswith("W") else target)
    return day.day in _numbers(element, 1, 31)


def _nearest_weekday(target: date, last: int) -> date:
    """Within the month."""
    if target.isoweekday() == 6:  # noqa: PLR2004 - Saturday
        return target + timedelta(days=-1 if target.day > 1 else 2)
    if target.isoweekday() == 7:  # noqa: PLR2004 - Sunday
        return target + timedelta(days=1 if target.day < last else -2)
    return target


def _is_day_of_week(day: date, element: str) -> bool:
    today = day.isoweekday() % 7 + 1
    name, hash_sign, number = element.partition("#")
    if hash_sign:
        return today == _number(name) and (day.day - 1) // 7 + 1 == int(number)
    if element == "L":
        return today == _SATURDAY
    if element.endswith("L"):
        is_last = day.day + 7 > calendar.monthrange(day.year, day.month)[1]
        return today == _number(element.removesuffix("L")) and is_last
    return today in _numbers(element, 1, 7)
