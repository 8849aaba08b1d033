"""The `syncCatalog` of a connection: what a write makes of it and how it reads back (CFG §5.4, §5.5).

Nothing is checked against the source or the destination: what is sent is stored, and fails when it syncs
(CFG-T 26).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reconciler.core.model import SYNC_MODES, Json
from reconciler.emulator import catalog, connections, discovery, mappers
from reconciler.emulator.catalog import ConfiguredStream, Descriptor
from reconciler.emulator.config import fields, streams
from reconciler.emulator.connections import Selection
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import IllegalArgument, Known, Problem
from reconciler.emulator.rows import Connection, ConnectionCatalog

SHAPE: fields.Shape = {
    "streams": {
        "stream": fields.leaves(
            "name jsonSchema supportedSyncModes sourceDefinedCursor defaultCursorField"
            " sourceDefinedPrimaryKey namespace isResumable isFileBased"
        ),
        "config": {
            **fields.leaves(
                "syncMode cursorField destinationSyncMode namespace primaryKey aliasName selected suggested"
                " destinationObjectName includeFiles fieldSelectionEnabled minimumGenerationId generationId"
                " syncId"
            ),
            "selectedFields": fields.leaves("fieldPath"),
            "hashedFields": fields.leaves("fieldPath"),
            "mappers": fields.leaves("id type mapperConfiguration"),
        },
    }
}
_SYNC_MODES: Final = tuple(dict.fromkeys(mode.source for mode in SYNC_MODES.values()))
_DESTINATION_MODES: Final = tuple(dict.fromkeys(mode.destination for mode in SYNC_MODES.values()))
_DEDUPLICATING: Final = ("append_dedup", "overwrite_dedup")


# --- How it reads back -----------------------------------------------------------------------


def read(instance: Instance, connection: Connection) -> Json:
    """The selected streams only (CFG-T 10), in the order they were written in."""
    known = _known(instance, connection)
    return {
        "streams": [
            _entry(instance, stream, known[stream.key])
            for stream in connections.streams_of(connection)
        ]
    }


def read_whole(
    instance: Instance,
    connection: Connection,
    offered: Sequence[Descriptor],
    suggested: frozenset[str],
) -> Json:
    """Every stream of a catalog, those that the connection selects with its choices (CFG §6). What the
    catalog doesn't hold is not shown, whether selected or not."""
    chosen = {stream.key: stream for stream in connections.streams_of(connection)}
    entries = [
        _entry(instance, chosen[_key(stream)], stream)
        if _key(stream) in chosen
        else _unselected(stream, len(offered), suggested)
        for stream in offered
    ]
    return {"streams": entries}


def _known(instance: Instance, connection: Connection) -> dict[tuple[str | None, str], Descriptor]:
    row = instance.store.get(ConnectionCatalog, connection.id)
    return {_key(stream): stream for stream in (row.streams if row else ())}


def _entry(instance: Instance, stream: ConfiguredStream, source: Descriptor) -> Json:
    """What the server works out anew at each read: the alias, the hashed and the selected columns."""
    selected = stream.selected_fields
    config = fields.present(
        syncMode=stream.sync_mode,
        cursorField=stream.cursor_field,
        destinationSyncMode=stream.destination_sync_mode,
        primaryKey=stream.primary_key,
        aliasName=streams.alias(stream.name),
        selected=True,
        suggested=False,
        destinationObjectName=stream.destination_object_name,
        includeFiles=stream.include_files,
        fieldSelectionEnabled=selected is not None,
        selectedFields=[{"fieldPath": [name]} for name in selected or ()],
    )
    if instance.generation.mappers:
        config["hashedFields"] = [
            {"fieldPath": [mapper["config"]["targetField"]]}
            for mapper in stream.mappers
            if mapper["type"] == "hashing"
        ]
        config["mappers"] = [
            {"id": m["id"], "type": m["type"], "mapperConfiguration": mappers.shown(m)}
            for m in stream.mappers
        ]
    return {"stream": streams.shown(source), "config": config}


def _unselected(stream: Descriptor, offered: int, suggested: frozenset[str]) -> Json:
    config = streams.by_default(stream, offered, suggested)
    return {"stream": streams.shown(stream), "config": {**config, "selected": False}}


# --- How it is written -----------------------------------------------------------------------


def selection(
    instance: Instance,
    sent: fields.Body | None,
    *,
    moves_files: bool,
    discovered: Sequence[Descriptor] | None = None,
) -> Selection:
    """The streams to store. Unselected ones are dropped, not remembered (CFG-T 10, CFG-T 14).

    `discovered` completes streams that are only named, as lenient takes them. Raises IllegalArgument for
    what trips the server.
    """
    items = fields.children(sent or {}, "streams") or []
    pairs = [_pair(instance, item, discovered) for item in items]
    keys = [_key(source) for source, _ in pairs]
    if len(set(keys)) != len(keys):
        raise IllegalArgument("Catalog contains duplicate stream names")
    return [
        (_configured(instance, config, source, moves_files=moves_files), source)
        for source, config in pairs
        if _is_selected(instance, config)
    ]


def _pair(
    instance: Instance, item: fields.Body, discovered: Sequence[Descriptor] | None
) -> tuple[Descriptor, fields.Body]:
    fields.required(item, "stream")
    fields.required(item, "config")
    stream, config = fields.child(item, "stream") or {}, fields.child(item, "config") or {}
    fields.required_text(stream, "name")
    sent = _descriptor(stream)
    if "json_schema" not in sent and discovered is not None:
        sent = {**_offered(sent, discovered), **sent}
    if "json_schema" not in sent and _is_selected(instance, config):
        raise IllegalArgument(f"jsonSchema of {sent['name']} is null")
    return discovery.described(sent), config


def _is_selected(instance: Instance, config: fields.Body) -> bool:
    """It must be said; lenient takes it for granted."""
    if config.get("selected") is None and not instance.lenient:
        raise IllegalArgument("selected is null")
    return fields.flag(config, "selected") is not False


def _descriptor(stream: fields.Body) -> dict[str, Json]:
    return fields.present(
        name=fields.required_text(stream, "name"),
        namespace=fields.text(stream, "namespace"),
        json_schema=fields.child(stream, "jsonSchema"),
        supported_sync_modes=fields.texts(stream, "supportedSyncModes"),
        source_defined_cursor=fields.flag(stream, "sourceDefinedCursor"),
        default_cursor_field=fields.texts(stream, "defaultCursorField"),
        source_defined_primary_key=fields.paths(stream, "sourceDefinedPrimaryKey"),
        is_resumable=fields.flag(stream, "isResumable"),
        is_file_based=fields.flag(stream, "isFileBased"),
    )


def _offered(stream: Descriptor, discovered: Sequence[Descriptor]) -> Descriptor:
    """By namespace and name, or by a name that only one stream has."""
    named = [other for other in discovered if other["name"] == stream["name"]]
    exact = [other for other in named if _key(other) == _key(stream)]
    found = exact or (named if "namespace" not in stream else [])
    return found[0] if len(found) == 1 else {}


def _configured(
    instance: Instance, config: fields.Body, source: Descriptor, *, moves_files: bool
) -> ConfiguredStream:
    fields.required(config, "syncMode")
    fields.required(config, "destinationSyncMode")
    sync_mode = fields.word(config, "syncMode", _SYNC_MODES) or ""
    known_modes = [
        mode
        for mode in _DESTINATION_MODES
        if mode != "overwrite_dedup" or instance.generation.overwrite_dedup
    ]
    destination_mode = fields.word(config, "destinationSyncMode", known_modes) or ""
    cursor, key = fields.texts(config, "cursorField"), fields.paths(config, "primaryKey")
    selected = _selected_fields(config, source)
    if selected is not None:
        if sync_mode == "incremental" and cursor and cursor[0] not in selected:
            raise _invalid("the cursor field can't be left out of an incremental sync")
        if destination_mode in _DEDUPLICATING and not {p[0] for p in key or () if p} <= selected:
            raise _invalid("no field of the primary key can be left out of a deduplicating sync")
    return ConfiguredStream(
        name=source["name"],
        namespace=source.get("namespace"),
        sync_mode=sync_mode,
        destination_sync_mode=destination_mode,
        cursor_field=cursor or [],
        primary_key=key or [],
        selected_fields=None
        if selected is None
        else [name for name in catalog.columns(source) if name in selected],
        mappers=list(_mappers(config)) if instance.generation.mappers else [],
        include_files=_include_files(config, source, moves_files=moves_files),
        destination_object_name=fields.text(config, "destinationObjectName"),
    )


def _selected_fields(config: fields.Body, source: Descriptor) -> set[str] | None:
    """Top-level names; one that the schema doesn't have is taken without a word and lost (CFG-T 12)."""
    if not fields.flag(config, "fieldSelectionEnabled"):
        return None
    chosen = fields.children(config, "selectedFields")
    if chosen is None:
        raise _invalid(f"field selection is on, but no fields are selected for {source['name']}")
    paths = [fields.texts(item, "fieldPath") or [] for item in chosen]
    if any(len(path) != 1 for path in paths):
        raise IllegalArgument("Nested field selection is not supported")
    return {path[0] for path in paths}


def _mappers(config: fields.Body) -> Iterator[Mapping[str, Json]]:
    """Hashed columns count only where no mappers are given."""
    sent = fields.children(config, "mappers")
    for mapper in sent or ():
        fields.required(mapper, "type")
        fields.required(mapper, "mapperConfiguration")
        yield {
            "id": fields.text(mapper, "id"),
            "type": fields.word(mapper, "type", sorted(mappers.TYPES)),
            "config": fields.child(mapper, "mapperConfiguration"),
        }
    for item in () if sent else fields.children(config, "hashedFields") or ():
        target = ".".join(fields.texts(item, "fieldPath") or [])
        hashing = {"targetField": target, "method": "SHA-256", "fieldNameSuffix": "_hashed"}
        yield {"id": None, "type": "hashing", "config": hashing}


def _include_files(config: fields.Body, source: Descriptor, *, moves_files: bool) -> bool:
    asked = fields.flag(config, "includeFiles")
    if asked is None:
        return bool(source.get("is_file_based")) and moves_files
    if asked and not moves_files:
        raise Problem("file-transfer-unsupported", {"streamName": source["name"]})
    if asked and not source.get("is_file_based"):
        raise Problem("file-transfer-unsupported-by-stream", {"streamName": source["name"]})
    return asked


def _key(stream: Descriptor) -> tuple[str | None, str]:
    return (stream.get("namespace"), stream["name"])


def _invalid(text: str) -> Known:
    return Known(
        422, f"The provided configuration does not fulfill the specification. Errors: {text}"
    )
