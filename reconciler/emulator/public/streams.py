"""/streams, and the stream configurations of a connection on the wire (PUB §4.3, §5)."""

from __future__ import annotations

from typing import Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import SYNC_MODES, Json
from reconciler.emulator import actors, catalog, discovery, mappers
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.catalog import ConfiguredStream, Descriptor
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import Opaque
from reconciler.emulator.public import fields
from reconciler.emulator.stream_rules import Choice

_LISTED_MODES: Final = (
    "full_refresh_append",
    "full_refresh_overwrite",
    "full_refresh_update",
    "full_refresh_soft_delete",
    "incremental_append",
    "incremental_deduped_history",
    "incremental_update",
    "incremental_soft_delete",
)
"""In the server's order; it never lists full_refresh_overwrite_deduped (PUB-T 36)."""


def offered(instance: Instance, call: Call) -> Response:
    source_id = fields.query_id(call, "sourceId")
    if source_id is None:
        raise Opaque(400, "sourceId is missing")
    destination_id = fields.query_id(call, "destinationId")
    source = actors.get(instance, "source", source_id)
    modes = None
    if destination_id is not None:
        destination = actors.get(instance, "destination", destination_id)
        connector = actors.connector_of(instance, "destination", destination.definition_id)
        modes = connector.destination_modes
    found = discovery.discover(
        instance,
        source,
        actors.connector_of(instance, "source", source.definition_id),
        ignore_cache=fields.query_flag(call, "ignoreCache"),
    )
    return JSONResponse([_properties(stream, modes) for stream in found.streams])


def _properties(stream: Descriptor, destination_modes: tuple[str, ...] | None) -> Json:
    modes = None
    if destination_modes is not None:
        modes = catalog.mode_names(stream, destination_modes, _LISTED_MODES)
    return fields.present(
        streamName=stream["name"],
        streamnamespace=stream.get("namespace"),
        syncModes=modes,
        defaultCursorField=stream["default_cursor_field"],
        sourceDefinedPrimaryKey=stream["source_defined_primary_key"],
        sourceDefinedCursorField=stream["source_defined_cursor"],
        propertyFields=catalog.field_paths(stream),
    )


# --- Stream configurations on the wire -------------------------------------------------------


def choices(instance: Instance, sent: fields.Body) -> list[Choice]:
    """What a request says about streams; absent and empty are the same (PUB-T 20). Lenient takes a read
    sent back, in which no selected fields are all of them (PUB-T 14)."""
    configurations = fields.child(sent, "configurations") or {}
    items = fields.children(configurations, "streams") or []
    if instance.lenient:
        items = [
            {name: value for name, value in item.items() if (name, value) != ("selectedFields", [])}
            for item in items
        ]
    if not instance.generation.mappers:
        # unknown to this server, and ignored like every property that it doesn't know (PUB-T 27)
        items = [{name: item[name] for name in item if name != "mappers"} for item in items]
    return [_choice(item) for item in items]


def _choice(item: fields.Body) -> Choice:
    mode = fields.word(item, "syncMode", SYNC_MODES)
    selected = fields.children(item, "selectedFields")
    sent_mappers = fields.children(item, "mappers")
    return Choice(
        name=fields.required_text(item, "name"),
        namespace=fields.text(item, "namespace"),
        mode=SYNC_MODES[mode] if mode else None,
        cursor_field=fields.texts(item, "cursorField"),
        primary_key=fields.paths(item, "primaryKey"),
        selected_fields=(
            None if selected is None else [fields.texts(s, "fieldPath") or [] for s in selected]
        ),
        mappers=None if sent_mappers is None else [_mapper(m) for m in sent_mappers],
        include_files=fields.flag(item, "includeFiles"),
        destination_object_name=fields.text(item, "destinationObjectName"),
    )


def _mapper(item: fields.Body) -> Json:
    fields.required(item, "type")
    fields.required(item, "mapperConfiguration")
    return {
        "id": fields.identifier(item, "id"),
        "type": fields.word(item, "type", sorted(mappers.TYPES)),
        "config": fields.child(item, "mapperConfiguration"),
    }


def read(instance: Instance, stream: ConfiguredStream) -> Json:
    shown = [
        {"id": m["id"], "type": m["type"], "mapperConfiguration": mappers.shown(m)}
        for m in stream.mappers
    ]
    return fields.present(
        name=stream.name,
        namespace=stream.namespace,
        syncMode=stream.mode.name if stream.mode else None,
        cursorField=stream.cursor_field,
        primaryKey=stream.primary_key,
        includeFiles=stream.include_files,
        destinationObjectName=stream.destination_object_name,
        selectedFields=[{"fieldPath": [name]} for name in stream.selected_fields or ()],
        mappers=shown if instance.generation.mappers else None,
    )


ENDPOINTS = (Endpoint("GET", "/streams", offered),)
