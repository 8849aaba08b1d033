"""/workspaces (PUB §3.1)."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import deletion, rows, workspaces
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.instance import NOTIFICATIONS, Instance
from reconciler.emulator.public import fields, pages

RESIDENCY = "auto"
"""The lowercased name of the one dataplane group of a self-managed server."""


def read(workspace: rows.Workspace) -> Json:
    return {
        "workspaceId": workspace.id,
        "name": workspace.name,
        "dataResidency": RESIDENCY,
        "notifications": workspace.notifications,
    }


def list_all(instance: Instance, call: Call) -> Response:
    page = pages.asked(call)
    conditions = [] if page.include_deleted else [("tombstone = 0", ())]
    found = pages.select(instance, page, rows.Workspace, conditions, workspace_column="id")
    return pages.envelope(page, "workspaces", found, read)


def create(instance: Instance, call: Call) -> Response:
    sent = fields.body(call)
    name = fields.required_text(sent, "name")
    return JSONResponse(read(workspaces.create(instance, name, _notifications(sent))))


def get(instance: Instance, call: Call) -> Response:
    return JSONResponse(read(_found(instance, call)))


def patch(instance: Instance, call: Call) -> Response:
    sent = fields.body(call)
    name = fields.text(sent, "name")
    workspace = _found(instance, call)
    return JSONResponse(read(workspaces.patch(instance, workspace, name, _notifications(sent))))


def delete(instance: Instance, call: Call) -> Response:
    deletion.delete_workspace(instance, _found(instance, call))
    return Response(status_code=204)


def _found(instance: Instance, call: Call) -> rows.Workspace:
    return workspaces.get(instance, fields.path_id(call, "workspaceId"))


def _notifications(sent: fields.Body) -> Json:
    """Only the known items and parts of what was sent."""
    items = fields.child(sent, "notifications") or {}
    read_items = {name: fields.child(items, name) for name in NOTIFICATIONS}
    return {
        name: fields.present(email=_email(item), webhook=_webhook(item))
        for name, item in read_items.items()
        if item is not None
    }


def _email(item: fields.Body) -> Json:
    email = fields.child(item, "email")
    return None if email is None else fields.present(enabled=fields.flag(email, "enabled"))


def _webhook(item: fields.Body) -> Json:
    webhook = fields.child(item, "webhook")
    if webhook is None:
        return None
    return fields.present(enabled=fields.flag(webhook, "enabled"), url=fields.text(webhook, "url"))


ENDPOINTS = (
    Endpoint("GET", "/workspaces", list_all),
    Endpoint("POST", "/workspaces", create),
    Endpoint("GET", "/workspaces/{workspaceId}", get),
    Endpoint("PATCH", "/workspaces/{workspaceId}", patch),
    Endpoint("DELETE", "/workspaces/{workspaceId}", delete),
)
