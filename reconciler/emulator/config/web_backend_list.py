"""/web_backend/connections/list: connections as the UI lists them, light and in pages (CFG §6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import actors
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.config import connections, fields, pages, schedules, web_backend
from reconciler.emulator.instance import Instance
from reconciler.emulator.rows import Actor, ActorKind, Connection

_HEALTH: Final = ("healthy", "failed", "running", "paused")


def list_all(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    workspace_id = fields.required_identifier(instance, sent, "workspaceId")
    living = "workspace_id = ? AND status <> 'deprecated'"
    rows = instance.store.select(Connection, living, (workspace_id,))
    found = _sorted(instance, sent, [row for row in rows if _matches(instance, sent, row)])
    size = pages.size_of(instance, sent)
    if size is None:
        return JSONResponse({"connections": [_item(instance, row) for row in found]})
    page = _after_cursor(instance, sent, found)[:size]
    return JSONResponse(
        {
            "connections": [_item(instance, row) for row in page],
            "page_size": size,
            "num_connections": len(found),
        }
    )


def _item(instance: Instance, connection: Connection) -> Json:
    """Neither catalog nor the catalog's id."""
    source = actors.get(instance, "source", connection.source_id)
    destination = actors.get(instance, "destination", connection.destination_id)
    schedule = schedules.shown(connection.schedule)
    schedule.pop("schedule", None)
    return {
        "connectionId": connection.id,
        "name": connection.name,
        "status": connection.status,
        **schedule,
        "source": _snippet(instance, source),
        "destination": _snippet(instance, destination),
        "sourceActorDefinitionVersion": web_backend.version(
            instance, "source", source.definition_id
        ),
        "destinationActorDefinitionVersion": web_backend.version(
            instance, "destination", destination.definition_id
        ),
        **web_backend.standing(instance, connection),
        "tags": connections.shown_tags(instance, connection),
        "onDemandEnabled": connection.on_demand,
    }


def _snippet(instance: Instance, actor: Actor) -> Json:
    connector = actors.connector_of(instance, actor.kind, actor.definition_id)
    return {
        f"{actor.kind}Id": actor.id,
        "name": actor.name,
        f"{actor.kind}DefinitionId": actor.definition_id,
        f"{actor.kind}Name": connector.definition.name,
    }


# --- Filters, order, cursor ------------------------------------------------------------------


def _matches(instance: Instance, sent: fields.Body, row: Connection) -> bool:
    asked = fields.child(sent, "filters") or {}
    on_demand = fields.flag(asked, "onDemandEnabled")
    part = (fields.text(asked, "searchTerm") or "").lower()
    names = (row.name, _name(instance, "source", row), _name(instance, "destination", row))
    return (
        _among(
            fields.identifiers(instance, {"sourceIds": sent.get("sourceId")}, "sourceIds"),
            row.source_id,
        )
        and _among(
            fields.identifiers(
                instance, {"destinationIds": sent.get("destinationId")}, "destinationIds"
            ),
            row.destination_id,
        )
        and _among(fields.texts(asked, "sourceDefinitionIds"), _definition(instance, row.source_id))
        and _among(
            fields.texts(asked, "destinationDefinitionIds"),
            _definition(instance, row.destination_id),
        )
        and _among(fields.texts(asked, "states"), row.status)
        and _among(fields.texts(asked, "statuses"), _health(instance, row))
        and (
            not asked.get("tagIds")
            or bool(set(fields.texts(asked, "tagIds") or ()) & set(row.tags))
        )
        and on_demand in (None, row.on_demand)
        and any(part in name.lower() for name in names)
    )


def _among(wanted: Sequence[str] | None, value: str) -> bool:
    return not wanted or value in wanted


def _definition(instance: Instance, actor_id: str) -> str:
    actor = instance.store.get(Actor, actor_id)
    return actor.definition_id if actor is not None else ""


def _name(instance: Instance, kind: ActorKind, row: Connection) -> str:
    actor_id = row.source_id if kind == "source" else row.destination_id
    return actors.get(instance, kind, actor_id).name


def _health(instance: Instance, row: Connection) -> str:
    standing = web_backend.standing(instance, row)
    if row.status != "active":
        return "paused"
    if standing["isSyncing"]:
        return "running"
    return "failed" if standing.get("latestSyncJobStatus") == "failed" else "healthy"


_KEYS: Final[Mapping[str, Callable[[Instance, Connection], str | int]]] = {
    "connectionName": lambda _instance, row: row.name.lower(),
    "sourceName": lambda instance, row: _name(instance, "source", row).lower(),
    "destinationName": lambda instance, row: _name(instance, "destination", row).lower(),
    "lastSync": lambda instance, row: int(
        web_backend.standing(instance, row).get("latestSyncJobCreatedAt") or 0
    ),
}


def _sorted(instance: Instance, sent: fields.Body, rows: Sequence[Connection]) -> list[Connection]:
    words = [f"{name}_{way}" for name in _KEYS for way in ("asc", "desc")]
    name, _, way = (fields.word(sent, "sortKey", words) or "connectionName_asc").rpartition("_")
    key = _KEYS[name]
    return sorted(rows, key=lambda row: (key(instance, row), row.id), reverse=way == "desc")


def _after_cursor(
    instance: Instance, sent: fields.Body, rows: Sequence[Connection]
) -> list[Connection]:
    """What comes after the connection that the cursor names; all, without one."""
    cursor = fields.identifier(instance, sent, "cursor")
    if cursor is None:
        return list(rows)
    ids = [row.id for row in rows]
    return list(rows[ids.index(cursor) + 1 :]) if cursor in ids else []


ENDPOINTS: tuple[Endpoint, ...] = (Endpoint("POST", "/web_backend/connections/list", list_all),)
