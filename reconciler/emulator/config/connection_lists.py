"""Lists of connections: whole, in pages by offset, or by what they equal (CFG §5.2)."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.config import fields, pages
from reconciler.emulator.config.connections import read
from reconciler.emulator.instance import Instance
from reconciler.emulator.rows import Actor, Connection
from reconciler.emulator.store import among


def list_living(instance: Instance, call: Call) -> Response:
    return _list(instance, call, "workspace_id = ? AND status <> 'deprecated'")


def list_all(instance: Instance, call: Call) -> Response:
    return _list(instance, call, "workspace_id = ?")


def _list(instance: Instance, call: Call, where: str) -> Response:
    """Not in pages, and with whole catalogs (CFG §5.2)."""
    sent = fields.body(instance, call)
    workspace_id = fields.required_identifier(instance, sent, "workspaceId")
    rows = instance.store.select(Connection, where, (workspace_id,))
    return JSONResponse({"connections": [read(instance, row) for row in rows]})


def list_paginated(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    workspaces = fields.identifiers(instance, sent, "workspaceIds") or []
    tags = set(fields.identifiers(instance, sent, "tagIds") or ())
    living = "" if fields.flag(sent, "includeDeleted") else " AND status <> 'deprecated'"
    rows = instance.store.select(Connection, among("workspace_id", workspaces) + living, workspaces)
    carrying = [row for row in rows if not tags or tags & set(row.tags)]
    page = pages.by_offset(sent, carrying)
    shown = [{**read(instance, row), "workspaceId": row.workspace_id} for row in page]
    return JSONResponse({"connections": shown})


def search(instance: Instance, call: Call) -> Response:
    """What equals everything that was sent, in all workspaces, deleted or not."""
    sent = fields.body(instance, call)
    wanted = {name: value for name, value in sent.items() if value is not None}
    ends = {name: wanted.pop(name, {}) for name in ("source", "destination")}
    every = [(row, read(instance, row)) for row in instance.store.select(Connection)]
    matching = [
        shown
        for row, shown in every
        if all(shown.get(name) == value for name, value in wanted.items())
        and _end_matches(instance, row.source_id, ends["source"])
        and _end_matches(instance, row.destination_id, ends["destination"])
    ]
    return JSONResponse({"connections": matching})


def _end_matches(instance: Instance, actor_id: str, wanted: fields.Body) -> bool:
    actor = instance.store.get(Actor, actor_id)
    if actor is None:
        return not wanted
    shown = {
        f"{actor.kind}Id": actor.id,
        f"{actor.kind}DefinitionId": actor.definition_id,
        "workspaceId": actor.workspace_id,
        "name": actor.name,
    }
    return all(shown.get(name) == value for name, value in wanted.items() if value is not None)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/connections/list", list_living),
    Endpoint("POST", "/connections/list_all", list_all),
    Endpoint("POST", "/connections/list_paginated", list_paginated),
    Endpoint("POST", "/connections/search", search),
)
