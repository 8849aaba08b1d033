"""/tags (CFG §5.1): one list a workspace, in no envelope."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import deletion, rows, tags, workspaces
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.config import fields
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import NotFound


def read(tag: rows.Tag) -> dict[str, Json]:
    return {
        "tagId": tag.id,
        "workspaceId": tag.workspace_id,
        "name": tag.name,
        "color": tag.color,
    }


def list_all(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    workspace_id = fields.required_identifier(instance, sent, "workspaceId")
    workspaces.get(instance, workspace_id)
    found = instance.store.select(rows.Tag, "workspace_id = ?", (workspace_id,))
    return JSONResponse([read(tag) for tag in found])


def create(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    workspace_id = fields.required_identifier(instance, sent, "workspaceId")
    name, color = fields.required_text(sent, "name"), fields.required_text(sent, "color")
    return JSONResponse(read(tags.create(instance, workspace_id, name, color)))


def update(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    name, color = fields.required_text(sent, "name"), fields.required_text(sent, "color")
    return JSONResponse(read(tags.update(instance, _found(instance, sent), name, color)))


def delete(instance: Instance, call: Call) -> Response:
    """Unlike every other delete a 200, with nothing in it."""
    deletion.delete_tag(instance, _found(instance, fields.body(instance, call)))
    return Response()


def _found(instance: Instance, sent: fields.Body) -> rows.Tag:
    """A tag of another workspace is not there."""
    tag = tags.get(instance, fields.required_identifier(instance, sent, "tagId"))
    if tag.workspace_id != fields.required_identifier(instance, sent, "workspaceId"):
        raise NotFound("TAG", tag.id)
    return tag


ENDPOINTS = (
    Endpoint("POST", "/tags/list", list_all),
    Endpoint("POST", "/tags/create", create),
    Endpoint("POST", "/tags/update", update),
    Endpoint("POST", "/tags/delete", delete),
)
