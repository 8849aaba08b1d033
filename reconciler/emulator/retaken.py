"""Which streams of a connection a save in the UI takes anew: those that arrive differently now (CFG §5.6).

Values in, values out; what taking them anew does is in jobs.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.model import Json
from reconciler.emulator import mappers
from reconciler.emulator.catalog import ConfiguredStream, Descriptor
from reconciler.emulator.states import StreamKey


@dataclass(frozen=True, slots=True)
class Configured:
    """A stream's choices with its stored schema."""

    stream: ConfiguredStream
    source: Descriptor


def streams(before: Sequence[Configured], after: Sequence[Configured]) -> list[StreamKey]:
    """Added, removed, or with another schema after its mappers, another mode, cursor or primary key."""
    old = {one.stream.key: _arrival(one) for one in before}
    new = {one.stream.key: _arrival(one) for one in after}
    keys = {*old, *new}
    return sorted(
        (key for key in keys if old.get(key) != new.get(key)), key=lambda k: (k[0] or "", k[1])
    )


def _arrival(one: Configured) -> Json:
    stream = one.stream
    schema = one.source["json_schema"] or {}
    return {
        "columns": mappers.mapped(schema.get("properties") or {}, stream.mappers),
        "modes": (stream.sync_mode, stream.destination_sync_mode),
        "cursor": stream.cursor_field,
        "key": sorted(stream.primary_key),
    }
