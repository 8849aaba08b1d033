"""The stream catalog of a connection on the Configuration API: read, and written from what was discovered.

Pure. A write carries the server's own stream objects with their JSON Schema: a bare name is a 500 (CFG-T 11).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from reconciler.backends import bodies, fields
from reconciler.backends.bodies import Body
from reconciler.backends.fields import Malformed
from reconciler.core.catalog import match_stream
from reconciler.core.diagnostics import ApiError, Refused
from reconciler.core.model import (
    ALL_COLUMNS,
    SYNC_MODES,
    UNSET,
    Columns,
    DiscoveredStream,
    Json,
    Mapper,
    Stream,
    SyncMode,
    Unset,
)
from reconciler.core.redact import leaves

_MODE_NAMES: Final = {(mode.source, mode.destination): mode.name for mode in SYNC_MODES.values()}


@dataclass(frozen=True, slots=True)
class Catalog:
    """What a source offers. `objects` are the server's own, in the order of `offered`."""

    id: str | None
    offered: tuple[DiscoveredStream, ...]
    objects: tuple[Mapping[str, Json], ...]


# --- Reading a connection's streams ----------------------------------------------------------


def read_streams(catalog: Json) -> tuple[Stream, ...] | Unset:
    """The selected ones: others vanish from most reads, so absent and unselected are the same (CFG-T 10).
    Left out is not known, which is not the same as none."""
    listed = catalog.get("streams") if isinstance(catalog, Mapping) else None
    if not isinstance(listed, list):
        return UNSET
    return tuple(
        _stream(_part(item, "stream"), _part(item, "config")) for item in _selected(listed)
    )


def _selected(listed: Iterable[Json]) -> Iterator[Json]:
    return (item for item in listed if _part(item, "config").get("selected") is not False)


def _part(item: Json, name: str) -> Mapping[str, Json]:
    part = item.get(name) if isinstance(item, Mapping) else None
    if isinstance(part, Mapping):
        return part
    raise Malformed(f"a stream of syncCatalog has no {name}")


def _stream(stream: Mapping[str, Json], config: Mapping[str, Json]) -> Stream:
    pair = (str(config.get("syncMode")), str(config.get("destinationSyncMode")))
    return Stream(
        name=fields.text(stream, "name"),
        namespace=fields.text_or_unset(stream, "namespace") or None,
        sync_mode=_MODE_NAMES.get(pair),  # type: ignore[arg-type]  # any pair may come
        cursor_field=fields.path(config.get("cursorField")) or UNSET,
        primary_key=fields.paths(config.get("primaryKey")) or UNSET,
        columns=_columns(config),
        mappers=_mappers(config),
        include_files=fields.flag_or_unset(config, "includeFiles"),
        destination_object_name=fields.text_or_unset(config, "destinationObjectName"),
    )


def _columns(config: Mapping[str, Json]) -> Columns:
    if config.get("fieldSelectionEnabled") is not True:
        return ALL_COLUMNS
    return Columns(names=fields.selected_names(config.get("selectedFields")))


def _mappers(config: Mapping[str, Json]) -> tuple[Mapper, ...]:
    """`hashedFields` counts only where there are no mappers: then the server makes these of it (CFG §5.4)."""
    stated = fields.items(config.get("mappers"))
    if stated:
        return tuple(fields.mapper(item) for item in stated)
    return tuple(
        Mapper("hashing", {"targetField": name, "method": "SHA-256", "fieldNameSuffix": "_hashed"})
        for name in fields.selected_names(config.get("hashedFields"))
    )


# --- What a source offers --------------------------------------------------------------------


def read_catalog(data: Json) -> Catalog:
    """Of discover_schema's answer, with a catalog in it."""
    listed = data["catalog"].get("streams") if isinstance(data.get("catalog"), Mapping) else None
    if not isinstance(listed, list):
        raise Malformed("catalog.streams is no list")
    objects = fields.named((_part(item, "stream") for item in listed), "name")
    catalog_id = data.get("catalogId")
    return Catalog(
        id=catalog_id if isinstance(catalog_id, str) else None,
        offered=tuple(_offered(stream) for stream in objects),
        objects=objects,
    )


def _offered(stream: Mapping[str, Json]) -> DiscoveredStream:
    schema = stream.get("jsonSchema")
    return DiscoveredStream(
        name=fields.text(stream, "name"),
        namespace=fields.text_or_unset(stream, "namespace") or None,
        default_cursor_field=fields.path(stream.get("defaultCursorField")),
        source_defined_cursor=stream.get("sourceDefinedCursor") is True,
        source_defined_primary_key=fields.paths(stream.get("sourceDefinedPrimaryKey")),
        fields=tuple(_property_paths(schema, ())),
    )


def _property_paths(schema: Json, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Each property, and those of objects below; not of list items or alternatives, as the public API
    lists them (PUB §5)."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    for name, below in properties.items() if isinstance(properties, Mapping) else ():
        yield (*above, str(name))
        yield from _property_paths(below, (*above, str(name)))


def with_modes(catalog: Catalog, destination: frozenset[str]) -> tuple[DiscoveredStream, ...]:
    """With the modes that both ends support: the server itself checks none (CFG-T 26). A source that
    names no modes of a stream leaves them unknown."""
    return tuple(
        replace(offered, sync_modes=tuple(_modes(stream, destination)))
        for offered, stream in zip(catalog.offered, catalog.objects, strict=True)
    )


def _modes(stream: Mapping[str, Json], destination: frozenset[str]) -> Iterator[str]:
    source = set(fields.path(stream.get("supportedSyncModes")))
    for mode in SYNC_MODES.values():
        if mode.source in source and mode.destination in destination:
            yield mode.name


# --- Writing a connection's streams ----------------------------------------------------------


def sync_catalog(connection: str, streams: Iterable[Stream], catalog: Catalog) -> Body:
    """The whole catalog: it replaces the stored one (CFG-T 14), and names the discovery that it is made of
    (CFG-T 13). Raises before anything is sent where a stream can't be written."""
    offered: dict[str, dict[DiscoveredStream, Mapping[str, Json]]] = {}
    for found, whole in zip(catalog.offered, catalog.objects, strict=True):
        offered.setdefault(found.name, {})[found] = whole
    items = [_item(connection, s, offered.get(s.name, {})) for s in streams]
    body: Body = {"syncCatalog": {"streams": items}}
    return body | ({"sourceCatalogId": catalog.id} if catalog.id else {})


def _item(
    connection: str, stream: Stream, same_name: Mapping[DiscoveredStream, Mapping[str, Json]]
) -> Body:
    mode = SYNC_MODES.get(stream.sync_mode or "")
    if mode is None:
        raise Refused(
            f"stream {stream.name!r} of connection {connection!r} has a sync mode without a name",
            hint="state its syncMode in git",
        )
    match = match_stream(stream, list(same_name))
    if not isinstance(match, DiscoveredStream):
        raise ApiError(
            f"connection {connection!r}: the source offers {len(match)} streams that "
            f"{stream.name!r} could be",
            hint="nothing was sent; say which with namespace"
            if match
            else "nothing was sent; compare with what discover finds",
        )
    config = _config(stream, mode, match)
    return {"stream": _trimmed(same_name[match], config), "config": config}


def _trimmed(stream: Mapping[str, Json], config: Body) -> Body:
    """Without the columns that nothing here names: the server drops them from the schema itself (CFG §5.4),
    and a body of more than 10 MB it refuses."""
    found = stream.get("jsonSchema")
    schema = found if isinstance(found, Mapping) else {}
    properties = schema.get("properties")
    if not config["fieldSelectionEnabled"] or not isinstance(properties, Mapping):
        return dict(stream)
    named = {at for field in config["selectedFields"] for at in field["fieldPath"][:1]}
    named |= {*config["cursorField"][:1], *(at for path in config["primaryKey"] for at in path[:1])}
    mapped = (mapper["mapperConfiguration"] for mapper in config.get("mappers", ()))
    named |= {text for at in mapped for _, text in leaves(at) if isinstance(text, str)}
    kept = {name: below for name, below in properties.items() if name in named}
    return {**stream, "jsonSchema": {**schema, "properties": kept}}


def _config(stream: Stream, mode: SyncMode, offered: DiscoveredStream) -> Body:
    """Cursor and key as the public API chooses them (CFG §10): what the source defines wins."""
    config: Body = {
        "selected": True,
        "syncMode": mode.source,
        "destinationSyncMode": mode.destination,
        "cursorField": list(_cursor(stream, offered)) if mode.uses_cursor else [],
        "primaryKey": [list(path) for path in _key(stream, offered)] if mode.uses_key else [],
    }
    columns = stream.columns if isinstance(stream.columns, Columns) else ALL_COLUMNS
    selected = bodies.selected_fields(stream.name, columns)
    config["fieldSelectionEnabled"] = selected is not None
    config["selectedFields"] = selected or []
    mappers = stream.mappers if isinstance(stream.mappers, tuple) else ()
    if (
        mappers
    ):  # a catalog is replaced as a whole, so that none is none; servers before 1.6 know none
        config["mappers"] = [bodies.mapper(stream.name, mapper) for mapper in mappers]
    if stream.include_files is not UNSET:
        config["includeFiles"] = stream.include_files
    if stream.destination_object_name:
        config["destinationObjectName"] = stream.destination_object_name
    return config


def _cursor(stream: Stream, offered: DiscoveredStream) -> tuple[str, ...]:
    if offered.source_defined_cursor or not stream.cursor_field:
        return offered.default_cursor_field
    return stream.cursor_field


def _key(stream: Stream, offered: DiscoveredStream) -> tuple[tuple[str, ...], ...]:
    return offered.source_defined_primary_key or stream.primary_key or ()


def kept_keys(body: Body) -> frozenset[str]:
    """Where a mask keeps an encryption key: in a mapper that goes back under its own id (CFG-T 16)."""
    return frozenset(
        f"/syncCatalog/streams/{i}/config/mappers/{j}/mapperConfiguration/key"
        for i, item in enumerate(body.get("syncCatalog", {}).get("streams", ()))
        for j, mapper in enumerate(item["config"].get("mappers", ()))
        if "id" in mapper
    )
