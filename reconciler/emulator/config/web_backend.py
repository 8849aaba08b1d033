"""/web_backend/connections: what the UI reads, and what its save button does (CFG §6).

A save takes changed streams anew unless told not to, and a read with a refreshed catalog writes.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import (
    actors,
    connections,
    discovery,
    jobs,
    operations,
    retaken,
    schema_diff,
)
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.catalog import Descriptor
from reconciler.emulator.config import actors as config_actors
from reconciler.emulator.config import connections as config_connections
from reconciler.emulator.config import discovery as config_discovery
from reconciler.emulator.config import fields, job_reads, sync_catalog
from reconciler.emulator.config import operations as config_operations
from reconciler.emulator.connectors import Connector
from reconciler.emulator.instance import Instance
from reconciler.emulator.retaken import Configured
from reconciler.emulator.rows import ActorKind, Catalog, Connection, ConnectionCatalog

_OWN: fields.Shape = fields.leaves("operations skipReset")
CREATED: fields.Shape = {
    **{
        name: below
        for name, below in config_connections.CREATED.items()
        if name != "notifySchemaChangesByEmail"
    },
    "operations": None,
}
UPDATED: fields.Shape = {
    **{
        name: below
        for name, below in config_connections.UPDATED.items()
        if name not in ("operationIds", "breakingChange")
    },
    **_OWN,
}


# --- Read ------------------------------------------------------------------------------------


def read(instance: Instance, connection: Connection, syncs: Json) -> dict[str, Json]:
    """`syncs` is the catalog to show."""
    shown = config_connections.read(instance, connection)
    for name in ("sourceCatalogId", "created_at", "breakingChange", "syncCatalog"):
        shown.pop(name, None)
    source = actors.get(instance, "source", connection.source_id)
    destination = actors.get(instance, "destination", connection.destination_id)
    attached = [operations.get(instance, one) for one in connection.operation_ids]
    return {
        **shown,
        **fields.present(catalogId=connection.catalog_id),
        "syncCatalog": syncs,
        "source": config_actors.read(instance, source),
        "destination": config_actors.read(instance, destination),
        "operations": [config_operations.read(operation) for operation in attached],
        "createdAt": connection.created_at,
        "sourceActorDefinitionVersion": version(instance, "source", source.definition_id),
        "destinationActorDefinitionVersion": version(
            instance, "destination", destination.definition_id
        ),
        **standing(instance, connection),
    }


def standing(instance: Instance, connection: Connection) -> dict[str, Json]:
    """How its last sync went, and whether its source has changed since it was written."""
    moving = [job for job in jobs.of(instance, connection.id) if job.type in ("sync", "refresh")]
    latest = job_reads.job(instance, moving[0]) if moving else {}
    return {
        **fields.present(
            latestSyncJobCreatedAt=latest.get("createdAt"), latestSyncJobStatus=latest.get("status")
        ),
        "isSyncing": bool(moving and jobs.is_unfinished(moving[0])),
        "schemaChange": _schema_change(instance, connection),
    }


def _schema_change(instance: Instance, connection: Connection) -> str:
    """Judged by the catalog's id alone, so without one nothing ever seems to change (CFG-T 13)."""
    if connection.breaking_change:
        return "breaking"
    latest = instance.store.get(Catalog, connection.source_id)
    if latest is None or connection.catalog_id in (None, latest.catalog_id):
        return "no_change"
    return "non_breaking"


def version(instance: Instance, kind: ActorKind, definition_id: str) -> Json:
    connector = actors.connector_of(instance, kind, definition_id)
    return {
        "dockerRepository": connector.definition.docker_repository,
        "dockerImageTag": connector.definition.docker_tag,
        "supportsRefreshes": instance.generation.refreshes and connector.supports_refreshes,
        "isVersionOverrideApplied": False,
        "supportLevel": connector.support_level,
        "supportState": "supported",
        "supportsFileTransfer": connector.moves_files,
        "supportsDataActivation": False,
    }


def get(instance: Instance, call: Call) -> Response:
    shape = {**config_connections.IDENTITY, "withRefreshedCatalog": None}
    sent = fields.body(instance, call, shape)
    connection = config_connections.found(instance, sent)
    if fields.flag(sent, "withRefreshedCatalog"):
        return _refreshed(instance, connection)
    return JSONResponse(read(instance, connection, _whole_catalog(instance, connection)))


def _refreshed(instance: Instance, connection: Connection) -> Response:
    """Asks the source, writes down whether that breaks the connection, and may switch it off (CFG-T 9)."""
    source = actors.get(instance, "source", connection.source_id)
    catalog = discovery.run(instance, source, _source_connector(instance, connection))
    compared, changes = config_discovery.compared(instance, connection, catalog)
    syncs = _all_of(instance, compared, catalog.streams)
    diff = config_discovery.diff(changes)
    shown = {**read(instance, compared, syncs), "catalogId": catalog.catalog_id}
    return JSONResponse({**shown, "catalogDiff": diff})


def _whole_catalog(instance: Instance, connection: Connection) -> Json:
    """With all streams of the catalog it was made from; only its own where that isn't known."""
    known = discovery.by_id(instance, connection.catalog_id) if connection.catalog_id else None
    if known is None:
        return sync_catalog.read(instance, connection)
    return _all_of(instance, connection, known)


def _all_of(instance: Instance, connection: Connection, offered: Sequence[Descriptor]) -> Json:
    suggested = _source_connector(instance, connection).suggested_streams
    return sync_catalog.read_whole(instance, connection, offered, suggested)


def _source_connector(instance: Instance, connection: Connection) -> Connector:
    source = actors.get(instance, "source", connection.source_id)
    return actors.connector_of(instance, "source", source.definition_id)


# --- Written ---------------------------------------------------------------------------------


def create(instance: Instance, call: Call) -> Response:
    """Operations are made on the fly; ids of such that exist are ignored."""
    sent = fields.body(instance, call, None if instance.lenient else CREATED)
    made = [
        config_operations.made(instance, operation).id
        for operation in fields.children(sent, "operations") or ()
    ]
    connection = config_connections.made(instance, {**sent, "operationIds": made})
    return JSONResponse(read(instance, connection, sync_catalog.read(instance, connection)))


def update(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call, None if instance.lenient else UPDATED)
    before = config_connections.found(instance, sent)
    connections.ensure_unlocked(before)
    earlier = _configured(instance, before)
    operation_ids = _operations(instance, before, sent)
    patch = {name: value for name, value in sent.items() if name != "breakingChange"}
    after = config_connections.changed(instance, {**patch, "operationIds": operation_ids})
    later = _configured(instance, after)
    if sent.get("syncCatalog") is not None:
        after = _judged(instance, after, later)
    anew = retaken.streams(earlier, later)
    if anew and not fields.flag(sent, "skipReset"):
        jobs.take_anew(instance, after, anew)
    after = connections.get(instance, after.id)
    return JSONResponse(read(instance, after, _whole_catalog(instance, after)))


def _configured(instance: Instance, connection: Connection) -> list[Configured]:
    row = instance.store.get(ConnectionCatalog, connection.id)
    known = {(s.get("namespace"), s["name"]): s for s in (row.streams if row else ())}
    return [Configured(s, known[s.key]) for s in connections.streams_of(connection)]


def _judged(
    instance: Instance, connection: Connection, configured: Sequence[Configured]
) -> Connection:
    """Whether what was written is broken by what the source offered last."""
    latest = instance.store.get(Catalog, connection.source_id)
    if latest is None:
        return connection
    changes = schema_diff.changes(
        [one.source for one in configured], latest.streams, [one.stream for one in configured]
    )
    breaks = any(change.breaking for change in changes)
    return connections.update(instance, connection, changes={"breaking_change": breaks})


def _operations(instance: Instance, connection: Connection, sent: fields.Body) -> list[str] | None:
    """None keeps them; a list is what there shall be, and the rest is deleted."""
    items = fields.children(sent, "operations")
    if items is None:
        return None
    kept = [
        (
            config_operations.made(instance, item)
            if item.get("operationId") is None
            else config_operations.changed(instance, item)
        ).id
        for item in items
    ]
    for operation_id in connection.operation_ids:
        if operation_id not in kept:
            operations.delete(instance, operation_id)
    return kept


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/web_backend/connections/get", get),
    Endpoint("POST", "/web_backend/connections/create", create),
    Endpoint("POST", "/web_backend/connections/update", update),
)
