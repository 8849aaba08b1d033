"""The `format` keyword of JSON Schema as networknt asserts it; a format that isn't here is not checked.

Only drafts before 2019-09 assert formats at all; schema.py knows the draft.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final

from jsonschema import FormatChecker

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATE_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})"
)
_TIME = re.compile(r"\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")
_LABEL = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HOSTNAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

EXPECTED: Final[Mapping[str, str]] = {
    "date": "must be a valid RFC 3339 full-date",
    "date-time": "must be a valid RFC 3339 date-time",
    "time": "must be a valid RFC 3339 time",
    "hostname": "must be a valid RFC 1123 host name",
    "ipv4": "must be a valid RFC 2673 IP address",
    "ipv6": "must be a valid RFC 4291 IP address",
    "uuid": "must be a valid RFC 4122 UUID",
}
"""What a violation says that the value should have been."""


def _is_date(value: str) -> bool:
    return _DATE.fullmatch(value) is not None and _reads(date.fromisoformat, value)


def _is_date_time(value: str) -> bool:
    # Leap seconds are fine; fractions finer than Python's are cut before it reads them.
    shortened = re.sub(r"(\.\d{6})\d+", r"\1", value.upper()).replace(":60", ":59")
    return _DATE_TIME.fullmatch(value) is not None and _reads(datetime.fromisoformat, shortened)


def _is_time(value: str) -> bool:
    return _TIME.fullmatch(value) is not None and _is_date_time(f"2000-01-01T{value}")


def _is_ipv6(value: str) -> bool:
    return "%" not in value and _reads(ipaddress.IPv6Address, value)


def _reads(read: Callable[[str], object], value: str) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True


_CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "date": _is_date,
    "date-time": _is_date_time,
    "time": _is_time,
    "hostname": lambda value: _HOSTNAME.fullmatch(value) is not None,
    "ipv4": lambda value: _reads(ipaddress.IPv4Address, value),
    "ipv6": _is_ipv6,
    "uuid": lambda value: _UUID.fullmatch(value) is not None,
}


def _checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, fits in _CHECKS.items():
        checker.checks(name)(_of_text(fits))
    return checker


def _of_text(fits: Callable[[str], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or fits(value)


CHECKER: Final = _checker()
