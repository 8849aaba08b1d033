"""A connection's two canonical forms, live and as it will be, with nothing in them that must not be shown.

Mappers are settled in pairs: their keys are secrets, and the server shows a stored one as a mask.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from reconciler.core import redact
from reconciler.core.diff import Settling, settle
from reconciler.core.merge import mapper_key
from reconciler.core.model import Connection, Json, Mapper, Stream, is_mask
from reconciler.core.normalize import (
    Naming,
    canonical_connection,
    canonical_mapper,
    stream_key,
    stream_label,
)
from reconciler.core.parse import MAPPER_SECRET


@dataclass(frozen=True, slots=True)
class Forms:
    """`before` is empty where nothing is live. `uncompared`: (pointer, label) of keys that git states and
    the server hides; `broken_keeps`: pointers below spec of `${keep}` without a stored key (PUB-T 18)."""

    before: dict[str, Json]
    after: dict[str, Json]
    uncompared: tuple[tuple[str, str], ...]
    broken_keeps: tuple[str, ...]


def plainly_equal(merged: Connection, live: Connection, naming: Naming) -> bool:
    """Whether the two can be seen to be the same without their canonical forms: what most connections of
    most plans are. Mappers hold secrets and typed values, and are always looked at closely."""
    ours, theirs = _streams(merged), _streams(live)
    if len(ours) != len(theirs) or any(stream.mappers for stream in ours):
        return False
    if replace(merged, source=live.source, destination=live.destination, streams=()) != replace(
        live, streams=()
    ):
        return False
    ends = (
        (merged.source, live.source, "source"),
        (merged.destination, live.destination, "destination"),
    )
    if any(naming(mine, kind) != naming(other, kind) for mine, other, kind in ends):
        return False
    by_key = {stream_key(stream): stream for stream in theirs}
    return all(by_key.get(stream_key(stream)) == stream for stream in ours)


def settled_forms(merged: Connection, live: Connection | None, naming: Naming) -> Forms:
    before = canonical_connection(live, naming) if live is not None else {}
    after = canonical_connection(merged, naming)
    hidden = redact.secret_texts(m.config for stream in _streams(merged) for m in _mappers(stream))
    theirs = {stream_key(stream): stream for stream in _streams(live)}
    uncompared: list[tuple[str, str]] = []
    broken: list[str] = []
    for index, stream in enumerate(_streams(merged)):
        key = stream_key(stream)
        notes = Settling(hidden=hidden)
        counterpart = theirs.pop(key, Stream(stream.name))
        was, becomes = _settled_mappers(_mappers(counterpart), _mappers(stream), notes)
        if isinstance(stream.mappers, tuple):
            after["streams"][key]["mappers"] = becomes
        if isinstance(counterpart.mappers, tuple):
            before["streams"][key]["mappers"] = was
        if key in before.get("streams", {}):
            _drop_unused(before["streams"][key], after["streams"][key])
        uncompared += _stated_by_git(stream, notes)
        broken += [f"/streams/{index}/mappers{at}" for at in notes.broken_keeps]
    for key, stream in theirs.items():
        if isinstance(stream.mappers, tuple):
            was, _ = _settled_mappers(stream.mappers, (), Settling(hidden=hidden))
            before["streams"][key]["mappers"] = was
    return Forms(before, after, tuple(uncompared), tuple(broken))


def _drop_unused(before: dict[str, Json], after: dict[str, Json]) -> None:
    """Cursor and key that the new mode does not use go with the old mode: that is one change, not three."""
    if before["syncMode"] != after["syncMode"]:
        for name in ("cursorField", "primaryKey"):
            if name not in after:
                before.pop(name, None)


def _settled_mappers(
    live: tuple[Mapper, ...], merged: tuple[Mapper, ...], notes: Settling
) -> tuple[list[Json], list[Json]]:
    """Both lists, in their order; a mapper is compared with its live counterpart, wherever that stands."""
    before: list[Json] = [
        settle({}, _sealed(mapper), replace(notes, broken_keeps=[], lost=[], uncompared={}))[0]
        for mapper in live
    ]
    after: list[Json] = []
    free = list(range(len(live)))
    for position, mapper in enumerate(merged):
        match = next((i for i in free if _same(live[i], mapper)), None)
        theirs = {} if match is None else _sealed(live[match])
        was, becomes = settle(canonical_mapper(mapper), theirs, notes, f"/{position}")
        if match is not None:
            free.remove(match)
            before[match] = was
        after.append(becomes)
    return before, after


def _same(live: Mapper, merged: Mapper) -> bool:
    """Merging gave a mapper the id of its counterpart; servers that name none are matched by target."""
    return live.id == merged.id and (live.id is not None or mapper_key(live) == mapper_key(merged))


def _sealed(mapper: Mapper) -> Json:
    """A mapper's key is a secret, also where a server shows it (design §3)."""
    return redact.seal(canonical_mapper(mapper), frozenset({f"/{MAPPER_SECRET}"}))


def _stated_by_git(stream: Stream, notes: Settling) -> Iterable[tuple[str, str]]:
    """What was carried over from live is not git's to compare."""
    for at, label in sorted(notes.uncompared.items()):
        _, position, name, *_ = at.split("/")
        value = _mappers(stream)[int(position)].config[name]
        if not is_mask(value):
            yield f"/streams[{stream_label(stream_key(stream))}]/mappers{at}", label


def _streams(connection: Connection | None) -> tuple[Stream, ...]:
    known = connection.streams if connection is not None else ()
    return known if isinstance(known, tuple) else ()


def _mappers(stream: Stream) -> tuple[Mapper, ...]:
    return stream.mappers if isinstance(stream.mappers, tuple) else ()
