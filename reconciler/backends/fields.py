"""Reading one field of an answer, as both of Airbyte's APIs write it.

Pure; knows no endpoint. Tolerant: what is optional may be absent, unknown words are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, TypeVar

from reconciler.core.diagnostics import OutcomeUnknown, Unreachable
from reconciler.core.model import UNSET, Json, Mapper, Unset

_T = TypeVar("_T")

ActorKind = Literal["source", "destination"]


class Malformed(ValueError):
    """The answer lacks what makes it one; the text names the field and quotes nothing."""


def read_answer(request: str, api: str, function: Callable[[Json], _T], data: Json) -> _T:
    """What the function makes of the answer. Raises Unreachable where that is no answer of the API."""
    try:
        return function(data)
    except Malformed as malformed:
        raise Unreachable(
            f"{request}: the answer is not what Airbyte's {api} API answers: {malformed}",
            hint="is the target's url the base path of that API?",
        ) from malformed


def unknown_by(unreadable: Unreachable) -> OutcomeUnknown:
    """Of a write whose answer says nothing: it was done, or not."""
    return OutcomeUnknown(unreadable.message, hint="plan again to see what became of it")


def text(data: Json, key: str) -> str:
    value = data.get(key) if isinstance(data, Mapping) else None
    if isinstance(value, str) and value:
        return value
    raise Malformed(f"{key} is missing")


def named(rows: Iterable[Json], key: str) -> tuple[Json, ...]:
    """Of rows that are asked for by name those that have one: no other can be meant. All of them where
    none has, as that is another answer."""
    found = tuple(rows)
    kept = tuple(row for row in found if isinstance(row, Mapping) and row.get(key))
    return kept or found


def text_or_unset(data: Mapping[str, Json], key: str) -> str | Unset:
    value = data.get(key)
    return value if isinstance(value, str) and value else UNSET


def flag_or_unset(data: Mapping[str, Json], key: str) -> bool | Unset:
    value = data.get(key)
    return value if isinstance(value, bool) else UNSET


def path(value: Json) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(part) for part in items(value))


def paths(value: Json) -> tuple[tuple[str, ...], ...]:
    return tuple(found for found in map(path, items(value)) if found)


def items(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else ()


def selected_names(selected: Json) -> tuple[str, ...]:
    """Of `selectedFields`; order has no meaning (PUB-T 15)."""
    found = [path(item.get("fieldPath")) for item in items(selected) if isinstance(item, Mapping)]
    return tuple(sorted({".".join(at) for at in found if at}))


def mapper(data: Json) -> Mapper:
    kind, config = text(data, "type"), data.get("mapperConfiguration")
    return Mapper(
        type=kind,
        config=config if isinstance(config, Mapping) else {},
        id=text_or_unset(data, "id") or None,
    )
