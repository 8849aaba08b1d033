"""/tags (PUB §7)."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import deletion, rows, tags
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.instance import Instance
from reconciler.emulator.public import fields
from reconciler.emulator.store import among


def read(tag: rows.Tag) -> Json:
    return {
        "tagId": tag.id,
        "workspaceId": tag.workspace_id,
        "name": tag.name,
        "color": tag.color,
    }


def list_all(instance: Instance, call: Call) -> Response:
    workspace_ids = fields.query_ids(call, "workspaceIds")
    where = among("workspace_id", workspace_ids) if workspace_ids else "1"
    found = instance.store.select(rows.Tag, where, workspace_ids)
    return JSONResponse({"data": [read(tag) for tag in found]})


def create(instance: Instance, call: Call) -> Response:
    sent = fields.body(call)
    name = fields.required_text(sent, "name")
    color = fields.required_text(sent, "color")
    workspace_id = fields.required_identifier(sent, "workspaceId")
    return JSONResponse(read(tags.create(instance, workspace_id, name, color)))


def get(instance: Instance, call: Call) -> Response:
    return JSONResponse(read(_found(instance, call)))


def patch(instance: Instance, call: Call) -> Response:
    sent = fields.body(call)
    name = fields.required_text(sent, "name")
    color = fields.required_text(sent, "color")
    return JSONResponse(read(tags.update(instance, _found(instance, call), name, color)))


def delete(instance: Instance, call: Call) -> Response:
    deletion.delete_tag(instance, _found(instance, call))
    return Response(status_code=204)


def _found(instance: Instance, call: Call) -> rows.Tag:
    return tags.get(instance, fields.path_id(call, "tagId"))


ENDPOINTS = (
    Endpoint("GET", "/tags", list_all),
    Endpoint("POST", "/tags", create),
    Endpoint("GET", "/tags/{tagId}", get),
    Endpoint("PATCH", "/tags/{tagId}", patch),
    Endpoint("DELETE", "/tags/{tagId}", delete),
)
