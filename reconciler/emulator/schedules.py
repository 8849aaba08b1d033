"""Intervals, and cron expressions as the server checks them: Quartz, 6 or 7 fields, seconds first (PUB §4.2).

When they fire is in cron_times.py.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from typing import Final
from zoneinfo import available_timezones

from reconciler.core.model import Json
from reconciler.emulator import cron_times
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import Problem, bad_request

_MONTHS: Final = [
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
]
_DAYS: Final = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]

_FIELDS: Final[tuple[tuple[str, int, int, list[str]], ...]] = (
    ("second", 0, 59, []),
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of week", 1, 7, _DAYS),
    ("year", 1970, 2199, []),
)

UNITS: Final = ("minutes", "hours", "days", "weeks", "months")
_SECONDS: Final = dict(zip(UNITS, (60, 3600, 86_400, 604_800, 2_592_000), strict=True))
_HOUR: Final = 3600

_DAY_OF_MONTH_WORDS = re.compile(r"L(-(0?\d|[12]\d|30))?W?|(0?[1-9]|[12]\d|3[01])W")
_DAY_OF_WEEK_WORDS = re.compile(r"L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])")
_ELEMENT = re.compile(r"(?P<first>\*|[0-9A-Z]+)(?:-(?P<last>[0-9A-Z]+))?(?:/(?P<step>\d+))?")


def cron(expression: str | None) -> Json:
    """The stored schedule of a written cron expression: UTC always, a trailing `UTC` stripped.

    Raises Problem with the server's text where there is one.
    """
    if not (expression or "").strip():
        raise bad_request("Missing cron expression in the schedule.")
    text = re.sub(r"\s+UTC$", "", (expression or "").strip())
    parts = text.split()
    if len(parts) not in (6, 7):
        raise bad_request(
            f"Cron expression contains {len(parts)} parts but we expect one of [6, 7]"
        )
    for number, name in enumerate(("first", "second")[: len(parts) - 5]):
        if not parts[number].isdigit():
            raise bad_request(f"The {name} field of the cron expression must be an integer.")
    fault = quartz_fault(text)
    if fault:
        raise Problem(
            "cron-invalid-expression",
            {"cronExpression": text, "validationErrorMessage": fault},
        )
    return {"type": "cron", "expression": text, "time_zone": "UTC"}


def cron_in_zone(expression: str | None, zone: str | None) -> Json:
    """The stored schedule as the Configuration API takes it: the expression in a zone (CFG §5.3). Raises
    Problem."""
    if not (expression or "").strip() or not zone:
        raise Problem("cron-missing", {"connectionId": None})
    text = (expression or "").strip()
    if zone.lower().startswith("etc") or zone not in _zones():
        raise Problem("cron-invalid-timezone", {"cronTimezone": zone})
    parts = text.split()
    fault = quartz_fault(text) if len(parts) in (6, 7) else f"{len(parts)} fields, not 6 or 7"
    if fault:
        data = {"cronExpression": text, "validationErrorMessage": fault}
        raise Problem("cron-invalid-expression", data)
    return {"type": "cron", "expression": text, "time_zone": zone}


@cache
def _zones() -> frozenset[str]:
    """Read once: it opens some six hundred files."""
    return frozenset(available_timezones())


def basic(units: int, time_unit: str) -> Json:
    return {"type": "basic", "units": units, "time_unit": time_unit}


def interval(schedule: Json) -> int | None:
    """In seconds; None for a schedule that is none."""
    if schedule["type"] != "basic":
        return None
    return int(schedule["units"]) * _SECONDS[schedule["time_unit"]]


def ensure_frequency(instance: Instance, schedule: Json) -> None:
    """At least an hour apart where the server is set so; it looks at the next three executions only.

    Raises Problem.
    """
    if instance.settings.sub_hourly or schedule["type"] == "manual":
        return
    seconds = interval(schedule)
    if seconds is not None and seconds < _HOUR:
        raise Problem(
            "cron-under-one-hour",
            {"validationErrorMessage": "An interval must be at least 1 hour long"},
        )
    if seconds is not None:
        return
    now = datetime.fromtimestamp(instance.now, UTC)
    times = islice(cron_times.after(schedule["expression"], now), 3)
    if any(later - earlier < timedelta(hours=1) for earlier, later in pairwise(times)):
        raise Problem(
            "cron-under-one-hour",
            {
                "cronExpression": schedule["expression"],
                "validationErrorMessage": "Cron executions must be at least 1 hour apart",
            },
        )


def quartz_fault(expression: str) -> str:
    """What Quartz would not read in the expression, or an empty string."""
    parts = expression.upper().split()
    for part, (name, low, high, words) in zip(parts, _FIELDS, strict=False):
        if part == "?":
            if name not in ("day of month", "day of week"):
                return f"'?' can't stand for the {name}"
        elif not all(_element_fits(e, name, low, high, words) for e in part.split(",")):
            return f"Not a {name}: {part}"
        elif name.startswith("day") and (part.count("#") > 1 or {"L", ","} <= {*part}):
            return f"A list of days can't hold the last of them, nor two with '#': {part}"
    if (parts[3] == "?") == (parts[5] == "?"):
        return "Exactly one of day of month and day of week must be '?'"
    return ""


def _element_fits(element: str, name: str, low: int, high: int, words: list[str]) -> bool:
    if name == "day of month" and _DAY_OF_MONTH_WORDS.fullmatch(element):
        return True
    if name == "day of week" and _DAY_OF_WEEK_WORDS.fullmatch(element):
        return True
    # Quartz reads "/5" as "from the lowest, every 5".
    match = _ELEMENT.fullmatch(f"{low}{element}" if element.startswith("/") else element)
    if match is None:
        return False
    if match["step"] is not None and not 0 < int(match["step"]) <= high:
        return False
    if match["first"] == "*":
        return match["last"] is None
    bounds = [match["first"], *([match["last"]] if match["last"] else [])]
    in_order = name != "year" or bounds == sorted(bounds)
    return in_order and all(b in words or (b.isdigit() and low <= int(b) <= high) for b in bounds)
