"""Reading a request of the Configuration API, with the refusals of the framework and of code that trips.

Nothing is required at the boundary: what is missing trips the handler, a 500 (CFG §0). What has the wrong
type, or is no UUID, is a 400 of the framework; what isn't JSON at all a 422 (CFG §8). Null means absent,
enums are read in any case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.core.model import Json
from reconciler.emulator.calls import Call
from reconciler.emulator.config import placeholders
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import IllegalArgument, Opaque, Unreadable

Body = Mapping[str, Json]
Shape = Mapping[str, "Shape | None"]
"""The properties that an object of a request may have, and those of the objects below (of a list: of each
item). None: whatever is there."""

UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def leaves(names: str) -> Shape:
    """The shape of an object whose properties, given as words, are not looked into."""
    return dict.fromkeys(names.split())


def present(**fields: Json) -> dict[str, Json]:
    """An answer's object: null fields are left out, empty ones are not."""
    return {name: value for name, value in fields.items() if value is not None}


def body(instance: Instance, call: Call, shape: Shape | None = None) -> dict[str, Json]:
    """No body at all is an empty one. Properties beyond the `shape` are refused where the server's flag for
    that is set; only the families that obey it give one (CFG §0)."""
    if not call.body.strip():
        return {}
    try:
        parsed = json.loads(call.body)
    except ValueError as error:
        raise Opaque(422, "Invalid json input. The body can't be parsed.") from error
    sent = _object(parsed, "the body")
    if shape is not None and instance.generation.rejects_unknown_fields:
        _check_known(sent, shape)
    return sent


def _check_known(value: Json, shape: Shape) -> None:
    if isinstance(value, list):
        for item in value:
            _check_known(item, shape)
    if isinstance(value, Mapping):
        for name, part in value.items():
            if name not in shape:
                raise Unreadable(f'Unrecognized field "{name}", not marked as ignorable')
            below = shape[name]
            if below is not None:
                _check_known(part, below)


def required(fields: Body, name: str) -> Json:
    value = fields.get(name)
    if value is None:
        raise IllegalArgument(f"{name} is null")
    return value


def text(fields: Body, name: str) -> str | None:
    """A number or a boolean is read as its text, as the server's JSON library does."""
    value = fields.get(name)
    if isinstance(value, (dict, list)):
        raise _wrong(name, "text")
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def required_text(fields: Body, name: str) -> str:
    required(fields, name)
    return text(fields, name) or ""


def flag(fields: Body, name: str) -> bool | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise _wrong(name, "a boolean")
    return value


def number(fields: Body, name: str) -> int | None:
    """A whole number, also one in quotes."""
    value = fields.get(name)
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value):
        return int(value)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise _wrong(name, "a whole number")
    return value


def identifier(instance: Instance, fields: Body, name: str) -> str | None:
    """A UUID; lenient also takes the made-up ids of hand-written documents, by the field's name."""
    value = text(fields, name)
    if value is None or UUID.fullmatch(value):
        return value.lower() if value else value
    if instance.lenient:
        return placeholders.resolved(instance, name, value)
    raise _wrong(name, "a UUID")


def required_identifier(instance: Instance, fields: Body, name: str) -> str:
    required(fields, name)
    return identifier(instance, fields, name) or ""


def identifiers(instance: Instance, fields: Body, name: str) -> list[str] | None:
    """A list of UUIDs; its field is named in the plural."""
    value = texts(fields, name)
    if value is None:
        return None
    single = name.removesuffix("s")
    return [identifier(instance, {single: one}, single) or "" for one in value]


def word(fields: Body, name: str, allowed: Iterable[str]) -> str | None:
    """An enum value in its own spelling."""
    value = text(fields, name)
    if value is None:
        return None
    for known in allowed:
        if known.lower() == value.lower():
            return known
    raise Unreadable(f"Unexpected value '{value}' of {name}")


def child(fields: Body, name: str) -> dict[str, Json] | None:
    value = fields.get(name)
    return None if value is None else _object(value, name)


def children(fields: Body, name: str) -> list[dict[str, Json]] | None:
    value = _list(fields, name)
    return None if value is None else [_object(item, name) for item in value]


def texts(fields: Body, name: str) -> list[str] | None:
    value = _list(fields, name)
    return None if value is None else [_text(item, name) for item in value]


def paths(fields: Body, name: str) -> list[list[str]] | None:
    value = _list(fields, name)
    if value is None:
        return None
    if not all(isinstance(path, list) for path in value):
        raise _wrong(name, "a list of lists")
    return [[_text(part, name) for part in path] for path in value]


def _object(value: Json, name: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise _wrong(name, "an object")
    return value


def _list(fields: Body, name: str) -> list[Json] | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, list):
        raise _wrong(name, "a list")
    return value


def _text(value: Json, name: str) -> str:
    if not isinstance(value, str):
        raise _wrong(name, "text")
    return value


def _wrong(name: str, expected: str) -> Unreadable:
    return Unreadable(f"Failed to convert [{name}]: {expected} was expected")
