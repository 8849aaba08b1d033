"""What is live and git is silent about: it stays, and it is counted aloud (design §1, promise 3).

Compares nothing that git does state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from reconciler.core.diff import json_equal
from reconciler.core.kinds import KINDS, is_stated
from reconciler.core.merge import counterpart_of, keeps_columns, keeps_streams, merge_connection
from reconciler.core.model import UNSET, Columns, Connection, Resource, Stream
from reconciler.core.normalize import canonical_connection, canonical_stream, stream_key
from reconciler.core.plan import Unstated

STREAM_FIELDS: Final[Mapping[str, str]] = {
    "cursorField": "cursor_field",
    "primaryKey": "primary_key",
    "columns": "columns",
    "mappers": "mappers",
    "includeFiles": "include_files",
    "destinationObjectName": "destination_object_name",
}
"""What a stream may leave to Airbyte: manifest key → field."""


def unstated(resource: Resource, desired: Connection, live: Connection) -> Iterable[Unstated]:
    """Live values that differ from our defaults, or belong to streams, and that git does not state."""
    form = canonical_connection(
        merge_connection(replace(desired, streams=()), None), lambda _ref, _kind: ""
    )
    current = canonical_connection(replace(live, streams=()), lambda _ref, _kind: "")
    for name in KINDS["connection"].fields:
        silent = name != "streams" and not is_stated(desired, "connection", name)
        if silent and not json_equal(form.get(name, UNSET), current.get(name, UNSET)):
            yield Unstated(resource.address, name)
    present = live.streams if isinstance(live.streams, tuple) else ()
    if not isinstance(desired.streams, tuple):
        yield Unstated(resource.address, "streams", len(present))
        return
    yield from _of_streams(resource, desired.streams, desired, live)


def _of_streams(
    resource: Resource, streams: tuple[Stream, ...], desired: Connection, live: Connection
) -> Iterable[Unstated]:
    by_name: dict[str, list[Stream]] = {}
    for candidate in live.streams if isinstance(live.streams, tuple) else ():
        by_name.setdefault(candidate.name, []).append(candidate)
    counts: Counter[str] = Counter()
    beyond = {stream_key(found) for same_name in by_name.values() for found in same_name}
    for stream in streams:
        counterpart = counterpart_of(stream, by_name.get(stream.name, []))
        if counterpart is not None:
            beyond.discard(stream_key(counterpart))
            counts.update(silent_about(stream, counterpart))
            if keeps_columns(desired, live) and _grew(stream.columns, counterpart.columns):
                counts["columns"] += 1
    if beyond and keeps_streams(desired, live):
        yield Unstated(resource.address, "streams", len(beyond))
    for name, count in sorted(counts.items()):
        yield Unstated(resource.address, f"streams.{name}", count)


def silent_about(stream: Stream, live: Stream) -> Iterable[str]:
    """The live settings that stay because `stream` does not state them; its mode says which it has."""
    silent = [
        name for name, attribute in STREAM_FIELDS.items() if getattr(stream, attribute) is UNSET
    ]
    if live.sync_mode != stream.sync_mode:
        live = replace(live, sync_mode=stream.sync_mode)
    form = canonical_stream(live) if silent else {}
    yield from (name for name in silent if form.get(name) not in (None, [], "all"))


def _grew(listed: object, live: object) -> bool:
    """Whether Airbyte added columns to a list that git states (PUB-T 21)."""
    if not isinstance(listed, Columns) or not isinstance(live, Columns):
        return False
    return bool(listed.names and live.names and set(live.names) - set(listed.names))
