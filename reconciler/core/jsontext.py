"""JSON from elsewhere (answers, plan files, secrets) as data that nothing here stumbles over; JSON as output.

Pure; quotes nothing of what it reads. Python's own reader takes NaN, numbers of any size and half characters,
each of which breaks something far from here: a comparison, a printed line, a request body.
"""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn

from reconciler.core.model import Json

DEEPEST: Final = 200
"""Levels of nesting that are still plausible; deeper ones would overflow every walk that follows."""
LONGEST_NUMBER: Final = 300
"""Digits: the largest float has 309, and Python writes no integer of more than 4,300."""

_UNUSUAL_NUMBER: Final = re.compile(r"[0-9]{200}|[0-9][eE]\+?[0-9]{3}")
"""What may be too large: 199 digits with an exponent of two are not."""
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class BadJson(ValueError):
    """Text that is no usable JSON. Its own text ends a sentence about it: `is nested too deeply`."""


class NotJson(BadJson):
    """Not JSON at all, or not all of it; line and column count from 1."""

    def __init__(self, says: str, line: int = 1, column: int = 1) -> None:
        super().__init__(says)
        self.line = line
        self.column = column


def json_text(body: Json) -> str:
    """A result as JSON lines: ASCII, and no `##[…]` in any text, which CI systems obey wherever it stands."""
    return json.dumps(body, indent=2).replace("##", "#\\u0023") + "\n"


def read_json(content: bytes, *, unique_keys: bool = False) -> Json:
    """UTF-8 with or without a BOM. Raises BadJson; with `unique_keys` also where an object states a key
    twice, of which otherwise the last one counts."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotJson("is not UTF-8 text") from None
    unusual = _UNUSUAL_NUMBER.search(text) is not None  # asking for each number would cost time
    try:
        data = json.loads(
            text,
            parse_constant=_no_number,
            parse_int=_whole if unusual else None,
            parse_float=_finite if unusual else None,
            object_pairs_hook=_once if unique_keys else None,
        )
    except RecursionError:
        raise BadJson("is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise NotJson("is not JSON", error.lineno, error.colno) from None
    if is_too_deep(data):
        raise BadJson("is nested too deeply")
    if _SURROGATE.search(text):
        _refuse_half_characters(data)
    return data


def is_too_deep(data: Json, deepest: int = DEEPEST) -> bool:
    """Walks without recursion."""
    level = [data]
    for _ in range(deepest):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True


def _refuse_half_characters(data: Json) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadJson("holds text that is not Unicode") from None


def _no_number(_name: str) -> NoReturn:
    raise BadJson("holds NaN or Infinity, which JSON has not")


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise BadJson("holds a number with too many digits")
    return int(digits)


def _finite(written: str) -> float:
    value = float(written)
    if value in (float("inf"), float("-inf")):
        raise BadJson("holds a number that is too large")
    return value


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise BadJson("states a key twice")
    return result
