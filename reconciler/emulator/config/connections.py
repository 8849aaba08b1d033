"""/connections: written and read as the Configuration API does (CFG §5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import actors, connections, deletion, discovery, jobs, operations
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.catalog import Descriptor
from reconciler.emulator.config import fields, schedules, sync_catalog
from reconciler.emulator.connections import Selection
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import ConnectorFailed, IllegalArgument, Known
from reconciler.emulator.rows import Actor, Connection

STATUSES: Final = ("active", "inactive", "deprecated", "locked")
_NAMESPACES: Final = {
    "source": "source",
    "destination": "destination",
    "customformat": "custom_format",
}
_PREFERENCES: Final = {
    "ignore": "ignore",
    "disable": "disable_connection",
    "propagate_columns": "propagate_columns",
    "propagate_fully": "propagate_fully",
}
"""By the names of this API what the store, which keeps the public API's, calls them (CFG §10)."""
_REQUIREMENTS: Final = (
    "cpu_request",
    "cpu_limit",
    "memory_request",
    "memory_limit",
    "ephemeral_storage_request",
    "ephemeral_storage_limit",
)
_WRITTEN: Final[fields.Shape] = {
    **fields.leaves(
        "name namespaceDefinition namespaceFormat prefix operationIds scheduleType status sourceCatalogId"
        " destinationCatalogId dataplaneGroupId notifySchemaChanges notifySchemaChangesByEmail"
        " nonBreakingChangesPreference backfillPreference onDemandEnabled"
    ),
    "syncCatalog": sync_catalog.SHAPE,
    "schedule": schedules.INTERVAL,
    "scheduleData": schedules.DATA,
    "resourceRequirements": fields.leaves(" ".join(_REQUIREMENTS)),
    "tags": fields.leaves("tagId workspaceId name color"),
}
CREATED: Final[fields.Shape] = {**_WRITTEN, **fields.leaves("sourceId destinationId")}
UPDATED: Final[fields.Shape] = {**_WRITTEN, **fields.leaves("connectionId breakingChange")}
IDENTITY: Final = fields.leaves("connectionId")


# --- Read ------------------------------------------------------------------------------------


def read(instance: Instance, connection: Connection) -> dict[str, Json]:
    generation = instance.generation
    return fields.present(
        connectionId=connection.id,
        name=connection.name,
        namespaceDefinition=_name_of(_NAMESPACES, connection.namespace_definition),
        namespaceFormat=connection.namespace_format,
        prefix=connection.prefix,
        sourceId=connection.source_id,
        destinationId=connection.destination_id,
        operationIds=connection.operation_ids,
        syncCatalog=sync_catalog.read(instance, connection),
        **schedules.shown(connection.schedule),
        status=connection.status,
        resourceRequirements=connection.resources,
        sourceCatalogId=connection.catalog_id,
        destinationCatalogId=connection.destination_catalog_id,
        geography="auto" if generation.geography else None,
        breakingChange=connection.breaking_change,
        notifySchemaChanges=connection.notifies,
        notifySchemaChangesByEmail=connection.notifies_by_email,
        nonBreakingChangesPreference=_name_of(_PREFERENCES, connection.schema_changes),
        created_at=connection.created_at,
        backfillPreference=connection.backfill,
        tags=shown_tags(instance, connection) if generation.tags else None,
        onDemandEnabled=connection.on_demand,
    )


def shown_tags(instance: Instance, connection: Connection) -> list[Json]:
    return [
        {"tagId": tag.id, "workspaceId": tag.workspace_id, "name": tag.name, "color": tag.color}
        for tag in connections.tags_of(instance, connection)
    ]


def _name_of(names: Mapping[str, str], stored: str) -> str:
    return next(name for name, value in names.items() if value == stored)


def get(instance: Instance, call: Call) -> Response:
    """A deleted one too, as `deprecated` (CFG-T 8)."""
    return JSONResponse(read(instance, found(instance, fields.body(instance, call, IDENTITY))))


def found(instance: Instance, sent: fields.Body) -> Connection:
    return connections.get(instance, fields.required_identifier(instance, sent, "connectionId"))


# --- Written ---------------------------------------------------------------------------------


def create(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call, CREATED)
    return JSONResponse(read(instance, made(instance, sent)))


def made(instance: Instance, sent: fields.Body) -> Connection:
    """An active one with an interval starts to sync at once (CFG-T 24)."""
    source_id = fields.required_identifier(instance, sent, "sourceId")
    destination_id = fields.required_identifier(instance, sent, "destinationId")
    source = actors.get(instance, "source", source_id)
    destination = actors.get(instance, "destination", destination_id)
    fields.required(sent, "status")
    for name in ("tags", "operationIds"):
        if name in sent and sent[name] is None:
            raise IllegalArgument(f"{name} is null")
    changes = _changes(instance, sent, source.workspace_id)
    if "schema_changes" not in changes:
        changes.pop("backfill", None)  # CFG-T 22
    changes["schedule"] = schedules.created(instance, sent)
    connection = connections.create(
        instance,
        source_id=source_id,
        destination_id=destination_id,
        selection=_selection(instance, sent, source, destination) or [],
        catalog_id=changes.pop("catalog_id", None),
        prefix=changes.pop("prefix", None),
        namespace_definition=changes.pop("namespace_definition", "source"),
        tags=changes.pop("tags", ()),
        **{name: changes.pop(name) for name in ("name", "status") if name in changes},
        more=changes,
    )
    jobs.follow_schedule(instance, connection)
    return connection


def update(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call, None if instance.lenient else UPDATED)
    return JSONResponse(read(instance, changed(instance, sent)))


def update_with_reason(instance: Instance, call: Call) -> Response:
    shape = (
        None
        if instance.lenient
        else {
            "connectionUpdate": UPDATED,
            **fields.leaves("updateReason autoUpdate"),
        }
    )
    sent = fields.body(instance, call, shape)
    fields.required(sent, "connectionUpdate")
    connection = changed(instance, fields.child(sent, "connectionUpdate") or {})
    return JSONResponse(read(instance, connection))


def changed(instance: Instance, sent: fields.Body) -> Connection:
    """A patch: what is absent or null stays, a catalog is replaced as a whole (CFG-T 14, CFG-T 20). No data
    is reset, whatever changes (CFG-T 25)."""
    connection = found(instance, sent)
    connections.ensure_unlocked(connection)
    if instance.lenient:
        sent = schedules.forgiven(connection.schedule, sent)
    changes = _changes(instance, sent, connection.workspace_id)
    changes |= schedules.updated(instance, sent)
    changes |= _mail(connection, sent, changes)
    breaking = fields.flag(sent, "breakingChange")
    if breaking is not None:
        changes["breaking_change"] = breaking
    source = actors.get(instance, "source", connection.source_id)
    destination = actors.get(instance, "destination", connection.destination_id)
    selection = _selection(instance, sent, source, destination)
    after = connections.update(instance, connection, changes=changes, selection=selection)
    jobs.follow_schedule(instance, after, connection)
    return after


def _changes(instance: Instance, sent: fields.Body, workspace_id: str) -> dict[str, Any]:
    """What a request states, under the names of the row, apart from its schedule and its streams."""
    namespace = fields.word(sent, "namespaceDefinition", _NAMESPACES)
    known = [
        name
        for name in _PREFERENCES
        if instance.generation.propagation or not name.startswith("propagate")
    ]
    preference = fields.word(sent, "nonBreakingChangesPreference", known)
    requirements = fields.child(sent, "resourceRequirements")
    return fields.present(
        name=fields.text(sent, "name"),
        status=fields.word(sent, "status", STATUSES),
        namespace_definition=_NAMESPACES[namespace] if namespace else None,
        namespace_format=fields.text(sent, "namespaceFormat"),
        prefix=fields.text(sent, "prefix"),
        schema_changes=_PREFERENCES[preference] if preference else None,
        backfill=fields.word(sent, "backfillPreference", ("enabled", "disabled")),
        notifies=fields.flag(sent, "notifySchemaChanges"),
        on_demand=fields.flag(sent, "onDemandEnabled"),
        catalog_id=_catalog_id(instance, sent),
        destination_catalog_id=fields.identifier(instance, sent, "destinationCatalogId"),
        resources=None if requirements is None else _requirements(requirements),
        operation_ids=_operation_ids(instance, sent, workspace_id),
        tags=_tag_ids(instance, sent),
    )


def _catalog_id(instance: Instance, sent: fields.Body) -> str | None:
    catalog_id = fields.identifier(instance, sent, "sourceCatalogId")
    if catalog_id is not None and discovery.by_id(instance, catalog_id) is None:
        # The database minds, nobody else does; any of its errors is told so (CFG-T 32).
        raise Known(409, "Failed to access database. Check the server logs for more information")
    return catalog_id


def _operation_ids(instance: Instance, sent: fields.Body, workspace_id: str) -> list[str] | None:
    ids = fields.identifiers(instance, sent, "operationIds")
    for operation_id in ids or ():
        if operations.get(instance, operation_id).workspace_id != workspace_id:
            raise IllegalArgument("the operation belongs to another workspace")
    return ids


def _tag_ids(instance: Instance, sent: fields.Body) -> list[str] | None:
    tags = fields.children(sent, "tags") if instance.generation.tags else None
    if tags is None:
        return None
    return [fields.required_identifier(instance, tag, "tagId") for tag in tags]


def _requirements(sent: fields.Body) -> dict[str, Json]:
    return {name: fields.text(sent, name) for name in _REQUIREMENTS if sent.get(name) is not None}


def _mail(connection: Connection, sent: fields.Body, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Whether mail is sent is only stored while the other flag differs from the stored one (CFG-T 21)."""
    asked = fields.flag(sent, "notifySchemaChangesByEmail")
    notifies = changes.get("notifies", connection.notifies)
    if asked is None or notifies == connection.notifies_by_email:
        return {}
    return {"notifies_by_email": asked}


def _selection(
    instance: Instance, sent: fields.Body, source: Actor, destination: Actor
) -> Selection | None:
    catalog = fields.child(sent, "syncCatalog")
    if catalog is None:
        return None
    connector = actors.connector_of(instance, "destination", destination.definition_id)
    offered = _offered(instance, source) if instance.lenient else None
    return sync_catalog.selection(
        instance, catalog, moves_files=connector.moves_files, discovered=offered
    )


def _offered(instance: Instance, source: Actor) -> list[Descriptor]:
    """What lenient completes named streams from; a source that offers nothing completes none."""
    connector = actors.connector_of(instance, "source", source.definition_id)
    try:
        return list(discovery.discover(instance, source, connector).streams)
    except ConnectorFailed:
        return []


def delete(instance: Instance, call: Call) -> Response:
    """With its operations; may be repeated."""
    connection = found(instance, fields.body(instance, call, IDENTITY))
    for operation_id in connection.operation_ids:
        operations.delete(instance, operation_id)
    deletion.delete_connection(instance, connections.get(instance, connection.id))
    return Response(status_code=204)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/connections/create", create),
    Endpoint("POST", "/connections/update", update),
    Endpoint("POST", "/connections/update_with_reason", update_with_reason),
    Endpoint("POST", "/connections/get", get),
    Endpoint("POST", "/connections/delete", delete),
)
