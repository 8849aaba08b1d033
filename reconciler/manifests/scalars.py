"""What a plain YAML scalar means: YAML 1.2's core schema, so that NO, on, 12:30 and 1_000 stay text."""

from __future__ import annotations

import re
from typing import Final

_CONSTANTS: Final[dict[str, bool | None]] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMERIC_START = frozenset("0123456789+-.")
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST_NUMBER = 400
_TAG = "tag:yaml.org,2002:"


class NotAScalar(Exception):
    """Raised for what YAML allows and JSON can't hold. Never carries the value."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def plain(text: str) -> str | int | float | bool | None:
    """Raises NotAScalar for numbers that JSON has no form for."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _NUMERIC_START:
        return text
    return _number(text)


def tagged(tag: str, text: str) -> str | int | float | bool | None:
    """A scalar with an explicit tag; raises NotAScalar where the two do not fit."""
    if tag in ("!", _TAG + "str"):
        return text
    wanted = {"int": int, "float": float, "bool": bool, "null": type(None)}.get(
        tag.removeprefix(_TAG)
    )
    if wanted is None or not tag.startswith(_TAG):
        raise NotAScalar(
            "a tag (!…) that manifests do not know",
            "remove the tag: values are text, numbers, true, false, null, lists and mappings",
        )
    value = plain(text)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise NotAScalar(
            "a value that is not what its tag says", "remove the tag or mend the value"
        )
    return value


def _number(text: str) -> str | int | float:
    if len(text) > _LONGEST_NUMBER and (_FLOAT.fullmatch(text) or _OCTAL_OR_HEX.fullmatch(text)):
        raise NotAScalar("a number with too many digits", "put it in quotes if it is text")
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL_OR_HEX.fullmatch(text):
        return int(text, 0)
    if _NOT_FINITE.fullmatch(text):
        raise NotAScalar(
            "infinity and not-a-number can't be sent to Airbyte",
            "put it in quotes if it is text, or write a finite number",
        )
    if not _FLOAT.fullmatch(text):
        return text
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise NotAScalar("a number that is too large", "put it in quotes if it is text")
    return value
