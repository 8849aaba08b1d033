"""Rules of chaos as people write them, on a command line or in a request: one line each."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.emulator.chaos import (
    BODIES,
    ORDERS,
    Answer,
    Break,
    Delay,
    Disorder,
    ExpireTokens,
    FailDiscover,
    Fault,
    Hang,
    Late,
    Rule,
)

SYNTAX: Final = f"""\
A rule is METHOD PATH FAULT [WHEN], as in "POST /sources 500 after times=1".
METHOD and PATH are globs; PATH is what follows /api/public/v1, or all of it.
FAULT is one of
  delay=SECONDS
  STATUS [after] [body=FORM] [retry-after=SECONDS]
      after: the request is carried out, and its own answer lost
  reset | reset-after | truncate
      the connection ends before that, after it, or inside the answer
  hang [after]
      no answer ever comes; after: the request is carried out all the same
  late[=REQUESTS|=SECONDSs] [status=504]
      carried out so many requests or seconds later, or at POST /_emulator/advance
  expire-tokens
  discover-failure[=TEXT]
  pages={"|".join(ORDERS)} [seed=N]
FORM is one of {", ".join(BODIES)}.
WHEN counts the requests that match: times=N, every=N, at=N,N or from=N."""


class BadRule(ValueError):
    """The text is no rule; says what is wrong with it."""


def parse(text: str) -> Rule:
    """Reads SYNTAX. Raises BadRule."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise BadRule(f"{text!r}: {error}") from error
    if len(words) < 3:  # noqa: PLR2004 - METHOD PATH FAULT
        raise BadRule(f"{text!r}: a rule is METHOD PATH FAULT, and when")
    method, path, kind, *rest = words
    name, _, value = kind.partition("=")
    options = _Options(text, {})
    for word in rest:
        key, _, given = word.partition("=")
        options.given[key] = given
    rule = Rule(
        text=text,
        method=method.upper(),
        path=path,
        fault=_fault(name, value, options),
        times=options.number("times"),
        every=options.number("every"),
        at=options.numbers("at"),
        since=options.number("from"),
    )
    if sum(part not in (None, ()) for part in (rule.times, rule.every, rule.at, rule.since)) > 1:
        raise BadRule(f"{text!r}: times, every, at and from exclude each other")
    if options.given:
        raise BadRule(f"{text!r}: {sorted(options.given)} mean nothing here")
    return rule


@dataclass(frozen=True, slots=True)
class _Options:
    """The words after the fault; each is taken once, so that what is left over is unknown."""

    text: str
    given: dict[str, str]

    def number(self, name: str) -> int | None:
        value = self.given.pop(name, None)
        return None if value is None else self._whole(name, value)

    def numbers(self, name: str) -> tuple[int, ...]:
        value = self.given.pop(name, None)
        return () if value is None else tuple(self._whole(name, v) for v in value.split(","))

    def flag(self, name: str) -> bool:
        value = self.given.pop(name, None)
        if value:
            raise BadRule(f"{self.text!r}: {name} takes no value")
        return value is not None

    def _whole(self, name: str, value: str) -> int:
        if not value.isdecimal() or int(value) < 1:
            raise BadRule(f"{self.text!r}: {name} is a number from 1")
        return int(value)


def _fault(name: str, value: str, options: _Options) -> Fault:
    if name.isdecimal():
        return _answer(name, options)
    if name not in _FAULTS:
        raise BadRule(f"{options.text!r}: no fault is called {name!r}")
    return _FAULTS[name](value, options)


def _answer(status: str, options: _Options) -> Answer:
    number = int(status)
    if not 200 <= number <= 599:  # noqa: PLR2004 - what a status may be
        raise BadRule(f"{options.text!r}: {status} is no status")
    return Answer(
        number,
        _one_of("body", options.given.pop("body", _usual_body(number)), BODIES, options),
        after=options.flag("after"),
        retry_after=options.number("retry-after"),
    )


def _usual_body(status: int) -> str:
    if status == 429:  # noqa: PLR2004 - too many requests
        return "rate-limit"
    return "html" if status in (502, 503, 504) else "error-id"


def _delay(value: str, options: _Options) -> Delay:
    try:
        return Delay(float(value))
    except ValueError as error:
        raise BadRule(f"{options.text!r}: a delay is a number of seconds") from error


def _late(value: str, options: _Options) -> Late:
    """`late=9` counts requests, `late=90s` seconds."""
    status = options.number("status") or 504
    if value:
        options.given["late"] = value.removesuffix("s")
    number = options.number("late")
    if value.endswith("s"):
        return Late(None, status, number)
    return Late(number, status)


def _discover(value: str, _options: _Options) -> FailDiscover:
    return FailDiscover(value or "connection refused")


def _pages(value: str, options: _Options) -> Disorder:
    return Disorder(_one_of("pages", value, ORDERS, options), options.number("seed") or 0)


def _one_of(name: str, value: str, known: tuple[str, ...], options: _Options) -> str:
    if value not in known:
        raise BadRule(f"{options.text!r}: {name} is one of {', '.join(known)}")
    return value


_FAULTS: Final[Mapping[str, Callable[[str, _Options], Fault]]] = {
    "delay": _delay,
    "reset": lambda _value, _options: Break("before"),
    "reset-after": lambda _value, _options: Break("after"),
    "truncate": lambda _value, _options: Break("midway"),
    "hang": lambda _value, options: Hang(options.flag("after")),
    "late": _late,
    "expire-tokens": lambda _value, _options: ExpireTokens(),
    "discover-failure": _discover,
    "pages": _pages,
}
