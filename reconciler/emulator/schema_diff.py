"""What is new, gone or different between two discovered catalogs, and which of it breaks what a connection
selects (CFG §4).

Values in, values out; knows nothing of either API's wire, nor of what is done about a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from reconciler.core.model import Json
from reconciler.emulator.catalog import ConfiguredStream, Descriptor

_DEDUPLICATING: Final = ("append_dedup", "overwrite_dedup")

Key = tuple[str | None, str]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """`before` and `after` are the field's schema, None on the side where there is no field."""

    path: Path
    before: Json
    after: Json
    breaking: bool


@dataclass(frozen=True, slots=True)
class KeyChange:
    before: list[list[str]]
    after: list[list[str]]
    breaking: bool


@dataclass(frozen=True, slots=True)
class StreamChange:
    """`fields` and `key` only of an updated stream; nothing else can break (CFG §4)."""

    kind: Literal["add_stream", "remove_stream", "update_stream"]
    key: Key
    fields: tuple[FieldChange, ...] = ()
    primary_key: KeyChange | None = None

    @property
    def breaking(self) -> bool:
        return any(field.breaking for field in self.fields) or bool(
            self.primary_key and self.primary_key.breaking
        )


def changes(
    before: Sequence[Descriptor],
    after: Sequence[Descriptor],
    configured: Sequence[ConfiguredStream],
) -> list[StreamChange]:
    """By namespace and name; of streams on both sides only those that are `configured`, since the rest
    can't matter to the connection."""
    old, new = _by_key(before), _by_key(after)
    selected = {stream.key: stream for stream in configured}
    found = [StreamChange("remove_stream", key) for key in old if key not in new]
    found += [StreamChange("add_stream", key) for key in new if key not in old]
    for key, stream in selected.items():
        if key in old and key in new:
            change = _updated(stream, old[key], new[key])
            if change.fields or change.primary_key:
                found.append(change)
    return sorted(found, key=lambda change: (change.kind, change.key[0] or "", change.key[1]))


def needed(stream: ConfiguredStream) -> list[list[str]]:
    """The paths of the fields without which a selected stream can't be synced."""
    paths = [stream.cursor_field] if stream.sync_mode == "incremental" else []
    if stream.destination_sync_mode in _DEDUPLICATING:
        paths.extend(stream.primary_key)
    return [path for path in paths if path]


def _updated(stream: ConfiguredStream, old: Descriptor, new: Descriptor) -> StreamChange:
    vital = {tuple(path) for path in needed(stream)}
    was, now = dict(_fields(old["json_schema"])), dict(_fields(new["json_schema"]))
    fields = [
        FieldChange(path, was.get(path), now.get(path), path not in now and path in vital)
        for path in sorted({*was, *now})
        if was.get(path) != now.get(path)
    ]
    return StreamChange("update_stream", stream.key, tuple(fields), _key_change(stream, old, new))


def _key_change(stream: ConfiguredStream, old: Descriptor, new: Descriptor) -> KeyChange | None:
    before, after = old["source_defined_primary_key"], new["source_defined_primary_key"]
    if before == after:
        return None
    deduplicates = stream.destination_sync_mode in _DEDUPLICATING
    # A key that the source stops defining stays as it is configured.
    return KeyChange(before, after, deduplicates and bool(after) and after != stream.primary_key)


def _fields(schema: Json, prefix: Path = ()) -> Iterator[tuple[Path, Json]]:
    """Each field with its schema, those of objects after the object."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    for name, field in (properties or {}).items():
        yield (*prefix, name), field
        yield from _fields(field, (*prefix, name))


def _by_key(streams: Sequence[Descriptor]) -> dict[Key, Descriptor]:
    return {(stream.get("namespace"), stream["name"]): stream for stream in streams}
