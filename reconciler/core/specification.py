"""A connector's specification as JSON Schema that can be relied on: what is not one is left out, keyword by
keyword.

Specifications come from servers and files, and some real ones are no valid schema: a Java pattern, a boolean
that only draft 4 had. References are left out too: following one could fetch whatever it names. So is what
names a schema, or another dialect: the validator would read a part by other rules, or stumble over it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Final

from reconciler.core.jsontext import is_too_deep
from reconciler.core.model import Json

_TYPES: Final = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_LEFT_OUT: Final = object()
_DRAFT_7: Final = re.compile(r"https?://json-schema\.org/draft-07/schema#?")


def usable(spec: Json) -> Mapping[str, Json] | None:
    """None where it is no mapping, or nested too deeply."""
    if not isinstance(spec, dict) or is_too_deep(spec):
        return None
    return _schema(spec)


def _schema(spec: Mapping[str, Json]) -> dict[str, Json]:
    kept = {}
    for keyword, value in spec.items():
        read = _KEYWORDS.get(keyword)
        mended = value if read is None else read(value)
        if mended is not _LEFT_OUT:
            kept[keyword] = mended
    return kept


def _any_schema(value: Json) -> Json:
    """True allows everything and False nothing: both as mappings, as every reader of a schema expects."""
    if isinstance(value, bool):
        return {} if value else {"not": {}}
    return _schema(value) if isinstance(value, dict) else _LEFT_OUT


def _open_or_schema(value: Json) -> Json:
    return value if isinstance(value, bool) else _any_schema(value)


def _by_name(value: Json) -> Json:
    if not isinstance(value, dict):
        return _LEFT_OUT
    mended = {name: _any_schema(child) for name, child in value.items()}
    return {name: child for name, child in mended.items() if child is not _LEFT_OUT}


def _by_pattern(value: Json) -> Json:
    if not isinstance(value, dict):
        return _LEFT_OUT
    return _by_name({name: child for name, child in value.items() if _is_pattern(name)})


def _several(value: Json) -> Json:
    """Alternatives: one that is no schema would turn what fits into what doesn't, so all of them go."""
    mended = [_any_schema(child) for child in value] if isinstance(value, list) else []
    return mended if mended and all(child is not _LEFT_OUT for child in mended) else _LEFT_OUT


def _items(value: Json) -> Json:
    return _several(value) if isinstance(value, list) else _any_schema(value)


def _dependencies(value: Json) -> Json:
    if not isinstance(value, dict):
        return _LEFT_OUT
    mended = {
        name: _names(child) if isinstance(child, list) else _any_schema(child)
        for name, child in value.items()
    }
    return {name: child for name, child in mended.items() if child is not _LEFT_OUT}


def _type(value: Json) -> Json:
    names = value if isinstance(value, list) else [value]
    known = all(isinstance(name, str) and name in _TYPES for name in names)
    return value if names and known else _LEFT_OUT


def _names(value: Json) -> Json:
    fits = isinstance(value, list) and all(isinstance(name, str) for name in value)
    return value if fits else _LEFT_OUT


def _is_pattern(value: Json) -> bool:
    """One of which Python warns that it reads it in its own way (`[[a-z]&&[^x]]`) is none either."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            re.compile(value)
    except (TypeError, re.error, RecursionError, OverflowError, FutureWarning):
        return False
    return True


def _pattern(value: Json) -> Json:
    return value if isinstance(value, str) and _is_pattern(value) else _LEFT_OUT


def _number(value: Json) -> Json:
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    return value if fits else _LEFT_OUT


def _positive(value: Json) -> Json:
    return value if _number(value) is not _LEFT_OUT and value > 0 else _LEFT_OUT


def _count(value: Json) -> Json:
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if fits else _LEFT_OUT


def _dialect(value: Json) -> Json:
    return value if isinstance(value, str) and _DRAFT_7.fullmatch(value) else _LEFT_OUT


def _only(kind: type) -> Callable[[Json], Json]:
    return lambda value: value if isinstance(value, kind) else _LEFT_OUT


_KEYWORDS: Final[Mapping[str, Callable[[Json], Json]]] = {
    **dict.fromkeys(("$ref", "$id"), lambda _value: _LEFT_OUT),
    "$schema": _dialect,
    "type": _type,
    "enum": _only(list),
    "title": _only(str),
    "description": _only(str),
    "format": _only(str),
    "uniqueItems": _only(bool),
    "pattern": _pattern,
    "required": _names,
    "multipleOf": _positive,
    **dict.fromkeys(("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum"), _number),
    **dict.fromkeys(("maxLength", "minLength", "maxItems", "minItems"), _count),
    **dict.fromkeys(("maxProperties", "minProperties"), _count),
    **dict.fromkeys(("allOf", "anyOf", "oneOf"), _several),
    **dict.fromkeys(("not", "if", "then", "else", "contains", "propertyNames"), _any_schema),
    **dict.fromkeys(("additionalProperties", "additionalItems"), _open_or_schema),
    "items": _items,
    "properties": _by_name,
    "patternProperties": _by_pattern,
    "dependencies": _dependencies,
}
"""Draft 7's, and how the value of each is read; what has no row here is nobody's rule."""
