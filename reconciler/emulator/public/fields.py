"""Reading a request: JSON bodies, path ids and query parameters, with the refusals of the framework.

What is missing is a 400, what can't be read a 422, both with nothing but an errorId (PUB §8); null means
absent, unknown keys are ignored, enums are read in any case (PUB, global wire rules).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from reconciler.core.model import Json
from reconciler.emulator.calls import Call
from reconciler.emulator.problems import Opaque

Body = Mapping[str, Json]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def present(**fields: Json) -> dict[str, Json]:
    """An answer's object: null fields are left out, empty ones are not."""
    return {name: value for name, value in fields.items() if value is not None}


def body(call: Call) -> dict[str, Json]:
    try:
        parsed = json.loads(call.body)
    except ValueError as error:
        raise Opaque(422, "the body is not JSON") from error
    return _object(parsed)


def required(fields: Body, name: str) -> Json:
    value = fields.get(name)
    if value is None:
        raise Opaque(400, f"{name} is missing")
    return value


def text(fields: Body, name: str) -> str | None:
    """A number or a boolean is read as its text, as the server's JSON library does."""
    value = fields.get(name)
    if isinstance(value, (dict, list)):
        raise Opaque(422, f"{name} is not text")
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def required_text(fields: Body, name: str) -> str:
    required(fields, name)
    return text(fields, name) or ""


def flag(fields: Body, name: str) -> bool | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise Opaque(422, f"{name} is not a boolean")
    return value


def identifier(fields: Body, name: str) -> str | None:
    value = text(fields, name)
    if value is not None and not _UUID.fullmatch(value):
        raise Opaque(422, f"{name} is not a UUID")
    return value.lower() if value else value


def required_identifier(fields: Body, name: str) -> str:
    required(fields, name)
    return identifier(fields, name) or ""


def word(fields: Body, name: str, allowed: Iterable[str]) -> str | None:
    """An enum value in its own spelling."""
    value = text(fields, name)
    if value is None:
        return None
    for known in allowed:
        if known.lower() == value.lower():
            return known
    raise Opaque(422, f"{name} has an unknown value")


def child(fields: Body, name: str) -> dict[str, Json] | None:
    value = fields.get(name)
    return None if value is None else _object(value)


def children(fields: Body, name: str) -> list[dict[str, Json]] | None:
    value = _list(fields, name)
    return None if value is None else [_object(item) for item in value]


def texts(fields: Body, name: str) -> list[str] | None:
    value = _list(fields, name)
    return None if value is None else [_text(item) for item in value]


def paths(fields: Body, name: str) -> list[list[str]] | None:
    value = _list(fields, name)
    if value is None:
        return None
    if not all(isinstance(path, list) for path in value):
        raise Opaque(422, f"{name} is not a list of lists")
    return [[_text(part) for part in path] for path in value]


def path_id(call: Call, name: str) -> str:
    """A malformed one is an uncaught error to the server (PUB §1)."""
    value = call.path[name]
    if not _UUID.fullmatch(value):
        raise Opaque(500, f"{name} is not a UUID")
    return value.lower()


def query_id(call: Call, name: str) -> str | None:
    value = call.query.get(name)
    if value and not _UUID.fullmatch(value):
        raise Opaque(400, f"{name} is not a UUID")
    return value.lower() if value else None


def query_ids(call: Call, name: str) -> list[str]:
    """Comma-joined or repeated; empty when nothing is asked for (PUB §2)."""
    ids = [part for value in call.query.getlist(name) for part in value.split(",") if part]
    if not all(_UUID.fullmatch(part) for part in ids):
        raise Opaque(400, f"{name} holds something that is not a UUID")
    return [part.lower() for part in ids]


def query_flag(call: Call, name: str) -> bool:
    return call.query.get(name, "").lower() == "true"


def query_number(call: Call, name: str, default: int, low: int, high: int) -> int:
    value = call.query.get(name, str(default))
    if not re.fullmatch(r"-?\d{1,9}", value) or not low <= int(value) <= high:
        raise Opaque(400, f"{name} is out of range")
    return int(value)


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise Opaque(422, "an object was expected")
    return value


def _list(fields: Body, name: str) -> list[Json] | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, list):
        raise Opaque(422, f"{name} is not a list")
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise Opaque(422, "text was expected")
    return value
