"""/sources/discover_schema and the last catalog (CFG §4).

With `connectionId` it is no read at all: the connection is written, and may be switched off (CFG-T 9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import actors, connections, discovery, propagation, schema_diff
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.catalog import Descriptor
from reconciler.emulator.config import fields, streams, synchronous
from reconciler.emulator.config.actors import found
from reconciler.emulator.connectors import Connector
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import ConnectorFailed, NotFound
from reconciler.emulator.rows import Catalog, Connection, ConnectionCatalog
from reconciler.emulator.schema_diff import FieldChange, StreamChange

JOB = "discover_schema"


def discover(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    source = found("source", instance, sent)
    if source.tombstone:
        raise NotFound("SOURCE_CONNECTION", source.id)
    connector = actors.connector_of(instance, "source", source.definition_id)
    connection_id = fields.identifier(instance, sent, "connectionId")
    known = None
    if not fields.flag(sent, "disable_cache"):
        known = discovery.cached(instance, source, connector)
    if known is not None:
        # The connection is not even looked at.
        job = synchronous.made_up(instance, JOB)
        return JSONResponse({**_catalog(connector, known), "jobInfo": job})
    try:
        catalog = discovery.run(instance, source, connector)
    except ConnectorFailed as failed:
        failure = synchronous.failure(instance, "source", str(failed))
        job = synchronous.ran(instance, JOB, source.definition_id, failure=failure)
        return JSONResponse({"jobInfo": job})
    shown = _catalog(connector, catalog)
    if connection_id is None:
        job = synchronous.ran(instance, JOB, source.definition_id)
        return JSONResponse({**shown, "jobInfo": job})
    changed, changes = compared(instance, connections.get(instance, connection_id), catalog)
    return JSONResponse(
        {
            **shown,
            "catalogDiff": diff(changes),
            "breakingChange": changed.breaking_change,
            "connectionStatus": changed.status,
        }
    )


def most_recent(instance: Instance, call: Call) -> Response:
    """In Airbyte's protocol form; nothing where the source was never asked."""
    source = found("source", instance, fields.body(instance, call))
    last = instance.store.get(Catalog, source.id)
    if last is None:
        return JSONResponse({})
    return JSONResponse({"updatedAt": last.created_at, "catalog": {"streams": last.streams}})


def compared(
    instance: Instance, connection: Connection, catalog: Catalog
) -> tuple[Connection, list[StreamChange]]:
    """Writes down whether the new catalog breaks the connection, and switches it off if it does, or if
    anything changed and the connection asks for that."""
    before = _catalog_of(instance, connection)
    changes = schema_diff.changes(before, catalog.streams, connections.streams_of(connection))
    breaks = any(change.breaking for change in changes)
    changed = replace(connection, breaking_change=breaks)
    instance.store.put(changed)
    instance.record("connection_compared", connectionId=connection.id, breaking=breaks)
    if breaks:
        propagation.disable(instance, changed, because="breaking schema change")
    elif changes and connection.schema_changes == "disable_connection":
        propagation.disable(instance, changed, because="schema change")
    return connections.get(instance, connection.id), changes


def _catalog_of(instance: Instance, connection: Connection) -> Sequence[Descriptor]:
    """The one it was made from; where that isn't known, what it holds of it itself (CFG-T 13)."""
    known = discovery.by_id(instance, connection.catalog_id) if connection.catalog_id else None
    if known is not None:
        return known
    own = instance.store.get(ConnectionCatalog, connection.id)
    return list(own.streams) if own is not None else []


def _catalog(connector: Connector, catalog: Catalog) -> dict[str, Json]:
    offered = len(catalog.streams)
    entries = [
        {
            "stream": streams.shown(stream),
            "config": streams.by_default(stream, offered, connector.suggested_streams),
        }
        for stream in catalog.streams
    ]
    return {"catalog": {"streams": entries}, "catalogId": catalog.catalog_id}


# --- Differences on the wire -----------------------------------------------------------------


def diff(changes: Sequence[StreamChange]) -> Json:
    return {"transforms": [_transform(change) for change in changes]}


def _transform(change: StreamChange) -> Json:
    namespace, name = change.key
    shown: dict[str, Json] = {
        "transformType": change.kind,
        "streamDescriptor": fields.present(name=name, namespace=namespace),
    }
    if change.kind == "update_stream":
        shown["updateStream"] = {
            "fieldTransforms": [_field(field) for field in change.fields],
            "streamAttributeTransforms": _attributes(change),
        }
    return shown


def _field(change: FieldChange) -> Json:
    shown: dict[str, Json] = {"fieldName": list(change.path), "breaking": change.breaking}
    if change.before is None:
        return {**shown, "transformType": "add_field", "addField": {"schema": change.after}}
    if change.after is None:
        return {**shown, "transformType": "remove_field", "removeField": {"schema": change.before}}
    schemas = {"oldSchema": change.before, "newSchema": change.after}
    return {**shown, "transformType": "update_field_schema", "updateFieldSchema": schemas}


def _attributes(change: StreamChange) -> list[Json]:
    key = change.primary_key
    if key is None:
        return []
    update = {"oldPrimaryKey": key.before, "newPrimaryKey": key.after}
    return [
        {
            "transformType": "update_primary_key",
            "breaking": key.breaking,
            "updatePrimaryKey": update,
        }
    ]


ENDPOINTS = (
    Endpoint("POST", "/sources/discover_schema", discover),
    Endpoint("POST", "/sources/most_recent_source_actor_catalog", most_recent),
)
