"""What an object will be: what git states, laid over what is live.

Absent means "git doesn't state it": the live value stays, or on create the default of our schema is
taken. Both sides of every comparison and every write come from here (design §3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeVar

from reconciler.core.model import (
    ALL_COLUMNS,
    MANUAL,
    SYNC_MODES,
    UNSET,
    Columns,
    Connection,
    Mapper,
    Secret,
    Stream,
    Unset,
)

_T = TypeVar("_T")

CREATE_DEFAULTS: Final[Mapping[str, object]] = {
    "status": "active",
    "schedule": MANUAL,
    "prefix": "",
    "schema_changes": "ignore",
    "tags": (),
}
"""What a new connection gets where git is silent, the same through both APIs."""


def stated(value: _T | Unset, otherwise: _T | Unset) -> _T | Unset:
    return otherwise if value is UNSET else value


def merge_connection(desired: Connection, live: Connection | None) -> Connection:
    """The connection as it will be. Live streams beyond the list stay only under propagate_fully."""
    if live is None:
        defaults = {
            name: default
            for name, default in CREATE_DEFAULTS.items()
            if getattr(desired, name) is UNSET
        }
        streams = desired.streams if isinstance(desired.streams, tuple) else ()
        created = tuple(merge_stream(stream, None, keep_columns=False) for stream in streams)
        return replace(desired, streams=created, **defaults)  # type: ignore[arg-type]  # by name above
    return replace(
        desired,
        status=stated(desired.status, live.status),
        schedule=stated(desired.schedule, live.schedule),
        namespace=stated(desired.namespace, live.namespace),
        prefix=stated(desired.prefix, live.prefix),
        schema_changes=stated(desired.schema_changes, live.schema_changes),
        tags=stated(desired.tags, live.tags),
        backfill=stated(desired.backfill, live.backfill),
        notify_schema_changes=stated(desired.notify_schema_changes, live.notify_schema_changes),
        resource_requirements=stated(desired.resource_requirements, live.resource_requirements),
        streams=_merge_streams(desired, live),
    )


def keeps_columns(desired: Connection, live: Connection) -> bool:
    """Whether columns that Airbyte added by itself are equal to a list without them (PUB-T 21)."""
    behaviour = stated(desired.schema_changes, live.schema_changes)
    return behaviour in ("propagate_columns", "propagate_fully")


def keeps_streams(desired: Connection, live: Connection) -> bool:
    """The same for whole streams."""
    return stated(desired.schema_changes, live.schema_changes) == "propagate_fully"


def _merge_streams(desired: Connection, live: Connection) -> tuple[Stream, ...] | Unset:
    """In the order of the desired ones; what is kept beyond them comes last."""
    if not isinstance(desired.streams, tuple):
        return live.streams
    present = live.streams if isinstance(live.streams, tuple) else ()
    by_name: dict[str, list[Stream]] = {}
    for stream in present:
        by_name.setdefault(stream.name, []).append(stream)
    merged = []
    for stream in desired.streams:
        counterpart = counterpart_of(stream, by_name.get(stream.name, []))
        merged.append(merge_stream(stream, counterpart, keep_columns=keeps_columns(desired, live)))
    if keeps_streams(desired, live):
        known = {(stream.namespace, stream.name) for stream in merged}
        merged += [s for s in present if (s.namespace, s.name) not in known]
    return tuple(merged)


def counterpart_of(stream: Stream, same_name: list[Stream]) -> Stream | None:
    """The live stream a desired one means: same namespace, or the only one of its name (PUB-T 17)."""
    if stream.namespace is UNSET:
        return same_name[0] if len(same_name) == 1 else None
    return next((live for live in same_name if live.namespace == stream.namespace), None)


def merge_stream(desired: Stream, live: Stream | None, *, keep_columns: bool) -> Stream:
    """One stream as it will be. Cursor and key are dropped where its mode ignores them (PUB-T 16)."""
    mode = SYNC_MODES.get(desired.sync_mode or "")
    base = live or Stream(name=desired.name, columns=ALL_COLUMNS, mappers=())
    cursor = stated(desired.cursor_field, base.cursor_field)
    key = stated(desired.primary_key, base.primary_key)
    return Stream(
        name=desired.name,
        namespace=stated(desired.namespace, base.namespace),
        sync_mode=desired.sync_mode,
        cursor_field=cursor if mode is None or mode.uses_cursor else UNSET,
        primary_key=key if mode is None or mode.uses_key else UNSET,
        columns=_merge_columns(
            desired.columns, base.columns, keep=keep_columns and live is not None
        ),
        mappers=_merge_mappers(desired.mappers, base.mappers),
        include_files=stated(desired.include_files, base.include_files),
        destination_object_name=stated(
            desired.destination_object_name, base.destination_object_name
        ),
    )


def _merge_columns(
    desired: Columns | Unset, live: Columns | Unset, *, keep: bool
) -> Columns | Unset:
    """Under propagate_* live columns beyond the list stay: Airbyte added them (PUB-T 21). What git
    excludes never does; where no discovery says what that leaves, it leaves the live columns."""
    if not isinstance(desired, Columns):
        return live
    if not isinstance(live, Columns) or live.names is None:
        return desired
    if desired.names is None:
        return desired if not desired.excluding else _without(live.names, desired.excluding)
    if not keep:
        return desired
    return _without((*desired.names, *live.names), desired.excluding)


def _without(names: tuple[str, ...], excluding: tuple[str, ...]) -> Columns:
    left = tuple(sorted(set(names).difference(excluding)))
    return Columns(names=left, excluding=excluding)


def _merge_mappers(
    desired: tuple[Mapper, ...] | Unset, live: tuple[Mapper, ...] | Unset
) -> tuple[Mapper, ...] | Unset:
    """Desired mappers with the ids of their live counterparts, so that a masked key is kept (PUB-T 18)."""
    if not isinstance(desired, tuple):
        return live
    free = list(live) if isinstance(live, tuple) else []
    merged = []
    for mapper in desired:
        match = next((m for m in free if mapper_key(m) == mapper_key(mapper)), None)
        if match is not None:
            free.remove(match)
        merged.append(replace(mapper, id=match.id if match else None))
    return tuple(merged)


def mapper_key(mapper: Mapper) -> tuple[str, str]:
    """What makes two mappers the same one: type and target field."""
    target = mapper.config.get("targetField", mapper.config.get("originalFieldName", ""))
    return mapper.type, str(target.value if isinstance(target, Secret) else target)
